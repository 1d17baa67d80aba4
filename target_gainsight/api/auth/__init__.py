"""Authentication: access keys and OAuth tokens."""
