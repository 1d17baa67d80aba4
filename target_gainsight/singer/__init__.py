"""The Singer side of the target: messages in, records to sinks, state and log out, signals."""
