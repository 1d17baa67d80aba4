"""Near matches: keys that differ from others in case, blanks or Unicode form only."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from target_gainsight.api import MAX_PAGE
from target_gainsight.loading.keys import Key
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import temp_database

MAX_VALUES = MAX_PAGE - 1
"""Values of one query: the spellings of some 600 names."""

CREATE_INDEX = "CREATE INDEX IF NOT EXISTS by_spelling ON seen (spelling)"


@dataclass
class NearMatchQueue:
    """Records to create whose near matches are read first; one query serves many groups.

    Attributes:
        reading: The records whose near matches are being read.
    """

    reading: list[LoadRecord] = field(default_factory=list)
    _waiting: deque[tuple[LoadRecord, int]] = field(default_factory=deque)
    _values: int = 0

    def __iter__(self) -> Iterator[LoadRecord]:
        """Iterate over the records whose near matches are not known yet."""
        return chain(self.reading, (record for record, _ in self._waiting))

    def add(self, record: LoadRecord, values: int) -> None:
        """Add a record to create, whose key has a number of other spellings to ask for."""
        self._waiting.append((record, values))
        self._values += values

    def take(self, *, final: bool) -> list[LoadRecord]:
        """Take the records of a full query, or if final of the last one; none if there are less."""
        if not final and self._values < MAX_VALUES:
            return []
        records: list[LoadRecord] = []
        values = 0
        while self._waiting and (not records or values + self._waiting[0][1] <= MAX_VALUES):
            record, count = self._waiting.popleft()
            records.append(record)
            values += count
        self._values -= values
        return records


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
