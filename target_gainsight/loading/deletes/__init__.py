"""Opt-in deletes: each row is written to a file, then deleted by one call.

Start with ``row_deleter.RowDeleter``.
"""
