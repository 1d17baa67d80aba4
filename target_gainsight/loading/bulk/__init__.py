"""Streams that are loaded as files: bulk jobs and surveys."""
