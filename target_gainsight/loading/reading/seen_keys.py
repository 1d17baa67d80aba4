"""The lookup keys that a run has found or created, compared by spelling."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from target_gainsight.loading.storage.temp_database import temp_database

if TYPE_CHECKING:
    from target_gainsight.loading.references import Key

ADDED_AT_A_TIME = 1000


class SeenKeys:
    """The keys of one object, as fingerprints of 64 bits, in a temporary database.

    They are indexed when the first one is searched: a run that creates nothing only adds.
    """

    def __init__(self) -> None:
        self._rows = temp_database()
        weakref.finalize(self, self._rows.close)
        self._rows.execute("CREATE TABLE seen (spelling INTEGER, key INTEGER, text TEXT)")
        self._rows.execute("BEGIN")
        self._added: list[tuple[int, int, str]] = []
        self._is_indexed = False

    def add(self, normalized: Key, key: Key, text: str) -> None:
        """Add a key.

        Args:
            normalized: What it has in common with its other spellings.
            key: The key.
            text: The key as text, for messages.
        """
        self._added.append((hash(normalized), hash(key), text))
        if len(self._added) >= ADDED_AT_A_TIME:
            self._flush()

    def find_other_spelling(self, normalized: Key, key: Key) -> str | None:
        """Return the text of a key that differs in spelling only.

        Args:
            normalized: What the key has in common with its other spellings.
            key: The key; one that was added itself has no other spelling.
        """
        self._flush()
        if not self._is_indexed:
            self._rows.execute("CREATE INDEX by_spelling ON seen (spelling)")
            self._is_indexed = True
        query = "SELECT key, text FROM seen WHERE spelling = ?"
        found = dict(self._rows.execute(query, (hash(normalized),)).fetchall())
        return None if hash(key) in found else next(iter(found.values()), None)

    def _flush(self) -> None:
        self._rows.executemany("INSERT INTO seen VALUES (?, ?, ?)", self._added)
        self._added.clear()
