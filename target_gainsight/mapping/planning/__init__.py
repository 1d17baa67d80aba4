"""Columns to fields: the checks at a stream's start and their suggestions."""
