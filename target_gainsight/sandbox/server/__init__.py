"""The sandbox's HTTP server: the ASGI app, its routes and its start."""
