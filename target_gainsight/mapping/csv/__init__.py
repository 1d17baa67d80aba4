"""Columns and cells of bulk and survey files."""
