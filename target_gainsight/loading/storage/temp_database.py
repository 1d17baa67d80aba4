"""Temporary databases: what must not grow in memory lies in a file that only this process can see.

Knows nothing of what is kept there.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_encode = msgspec.json.Encoder().encode


def private_database() -> sqlite3.Connection:
    """A temporary database that needs no protection against a crash.

    Small ones never leave memory. May be used from several threads, one at a time.
    """
    rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA synchronous = OFF")
    rows.execute("PRAGMA journal_mode = OFF")
    return rows


def found_at(
    rows: sqlite3.Connection, query: str, places: Iterable[int]
) -> Iterator[tuple[Any, ...]]:
    """Ask for what is at some places.

    Args:
        rows: The database.
        query: What is selected, up to the condition.
        places: The values of the column ``place``.
    """
    wanted = _encode(list(places)).decode("ascii")
    there = "place IN (SELECT value FROM json_each(?))"
    return rows.execute(f"{query} WHERE {there}", (wanted,))
