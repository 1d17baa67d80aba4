"""Whom the tenant serves: callers that name this machine, so that no web site gets at it.

A site whose name is made to point to 127.0.0.1 (DNS rebinding) still sends its own name as Host.
"""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def names_this_machine(host: str) -> bool:
    """Return whether a Host header, with or without port, is a name of the loopback address."""
    return host in _LOOPBACK or host.rpartition(":")[0] in _LOOPBACK
