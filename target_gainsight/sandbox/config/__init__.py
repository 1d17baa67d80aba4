"""The sandbox's configuration: objects, limits, switches and faults."""
