"""How fast a tenant may be called: the limits, the limiter, and where permits are counted.

Start reading at `limiter`.
"""
