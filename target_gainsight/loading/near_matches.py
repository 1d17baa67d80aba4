"""The keys that a run has seen, to find those that differ from others in spelling only."""

from __future__ import annotations

import weakref

from target_gainsight.loading.keys import Key
from target_gainsight.loading.storage.temp_database import temp_database

CREATE_INDEX = "CREATE INDEX IF NOT EXISTS by_spelling ON seen (spelling)"


class SeenKeys:
    """The keys of one object, as fingerprints of 64 bits, in a temporary database.

    It is indexed when the first key is searched or removed: other runs only add.
    """

    def __init__(self) -> None:
        self._rows = temp_database()
        weakref.finalize(self, self._rows.close)
        self._rows.execute("CREATE TABLE seen (spelling INTEGER, key INTEGER, text TEXT)")
        self._rows.execute("BEGIN")

    def add(self, normalized: Key, key: Key, text: str) -> None:
        """Add a key, its normalized form, and its text for messages."""
        row = (hash(normalized), hash(key), text)
        self._rows.execute("INSERT INTO seen VALUES (?, ?, ?)", row)

    def find_other_spelling(self, normalized: Key, key: Key) -> str | None:
        """Return the text of a key that differs in spelling only, unless the key was added."""
        self._rows.execute(CREATE_INDEX)
        query = "SELECT key, text FROM seen WHERE spelling = ?"
        found = dict(self._rows.execute(query, (hash(normalized),)).fetchall())
        return None if hash(key) in found else next(iter(found.values()), None)

    def forget(self, normalized: Key, key: Key) -> None:
        """Remove a key whose row was deleted."""
        self._rows.execute(CREATE_INDEX)
        delete = "DELETE FROM seen WHERE spelling = ? AND key = ?"
        self._rows.execute(delete, (hash(normalized), hash(key)))
