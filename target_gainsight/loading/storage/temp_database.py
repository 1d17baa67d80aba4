"""Keep what must not grow in memory in temporary files that only this process can see."""

import io
import json
import pickle
import sqlite3
import threading
import weakref
from collections.abc import Iterable
from typing import Any

Key = tuple[Any, ...]


def temp_database() -> sqlite3.Connection:
    """Open a temporary database that needs no protection against a crash.

    Small ones never leave memory. May be used from several threads, one at a time.
    """
    rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA synchronous = OFF")
    rows.execute("PRAGMA journal_mode = OFF")
    return rows


class SpilledValues:
    """Values by key, on disk, in the order they were added. May be used from several threads."""

    def __init__(self) -> None:
        self._count = 0
        self._shared: dict[int, object] = {}
        self._lock = threading.RLock()
        self._rows = temp_database()
        weakref.finalize(self, self._rows.close)
        self._rows.execute(
            "CREATE TABLE kept (number INTEGER PRIMARY KEY, hash INTEGER, content BLOB)"
        )
        self._rows.execute("CREATE INDEX by_hash ON kept (hash)")

    def __len__(self) -> int:
        return self._count

    def share(self, *objects: object) -> None:
        """Keep objects in memory: values that refer to them come back with the same objects."""
        self._shared.update((id(each), each) for each in objects)

    def add(self, key: Key, value: object) -> None:
        """Add a value, beside others that have the same key."""
        insert = "INSERT INTO kept (hash, content) VALUES (?, ?)"
        content = io.BytesIO()
        with self._lock:
            _Pickler(content, self._shared).dump((key, value))
            self._rows.execute(insert, (hash(key), content.getvalue()))
            self._count += 1

    def find(self, keys: Iterable[Key], *, remove: bool = False) -> list[tuple[Key, Any]]:
        """List the values that have one of some keys, in the order they were added."""
        wanted = set(keys)
        hashes = json.dumps([hash(key) for key in wanted])
        there = "hash IN (SELECT value FROM json_each(?))"
        query = f"SELECT number, content FROM kept WHERE {there} ORDER BY number"  # noqa: S608
        with self._lock:
            rows = self._rows.execute(query, (hashes,)).fetchall() if self._count else []
            entries = [(number, *self._load(content)) for number, content in rows]
            found = [(number, key, value) for number, key, value in entries if key in wanted]
            if remove:
                numbers = [(number,) for number, _, _ in found]
                self._rows.executemany("DELETE FROM kept WHERE number = ?", numbers)
                self._count -= len(found)
        return [(key, value) for _, key, value in found]

    def put(self, key: Key, value: object) -> None:
        """Add a value in place of the one that has the same key."""
        with self._lock:
            self.find([key], remove=True)
            self.add(key, value)

    def take(self, limit: int) -> list[Any]:
        """Remove the oldest values and return them."""
        query = "SELECT number, content FROM kept ORDER BY number LIMIT ?"
        with self._lock:
            rows = self._rows.execute(query, (limit,)).fetchall()
            if rows:
                self._rows.execute("DELETE FROM kept WHERE number <= ?", (rows[-1][0],))
            self._count -= len(rows)
        return [self._load(content)[1] for _, content in rows]

    def _load(self, content: bytes) -> tuple[Key, Any]:
        key, value = _Unpickler(io.BytesIO(content), self._shared).load()
        return key, value


class _Pickler(pickle.Pickler):
    """Writes shared objects as references."""

    def __init__(self, file: io.BytesIO, shared: dict[int, object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._shared = shared

    def persistent_id(self, obj: object) -> int | None:
        return id(obj) if id(obj) in self._shared else None


class _Unpickler(pickle.Unpickler):  # noqa: S301 - our own files
    """Reads references as the shared objects. The files are this process's own."""

    def __init__(self, file: io.BytesIO, shared: dict[int, object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: Any) -> object:  # noqa: ANN401 - pickle's signature
        return self._shared[pid]
