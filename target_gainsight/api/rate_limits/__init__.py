"""How fast a tenant may be called; start reading at `limiter`."""
