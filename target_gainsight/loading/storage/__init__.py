"""Temporary and private files."""
