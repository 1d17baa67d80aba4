"""The sandbox's rows in SQLite."""
