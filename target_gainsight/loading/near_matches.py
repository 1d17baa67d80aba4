"""Near matches: keys that differ from others in case, blanks or Unicode form only."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from target_gainsight.api import MAX_PAGE
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.reading.current_rows import CurrentRows, ReadResult
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.references import Key
from target_gainsight.loading.storage.temp_database import temp_database

MAX_VALUES = MAX_PAGE - 1
"""Values of one query: the spellings of some 600 names."""

CREATE_INDEX = "CREATE INDEX IF NOT EXISTS by_spelling ON seen (spelling)"


class NearMatchCheck:
    """Reads near matches of records to create; one query serves records of many groups.

    Args:
        rows: Reads rows by the spellings of keys.
        keys: Lists the spellings of a record's key.
        pool: Makes the calls.
        on_read: Takes the records of a query and its result, in the main thread.
    """

    def __init__(
        self,
        rows: CurrentRows,
        keys: KeyReader,
        pool: CallPool,
        on_read: Callable[[list[LoadRecord], ReadResult], object],
    ) -> None:
        self._rows = rows
        self._keys = keys
        self._pool = pool
        self._on_read = on_read
        self._waiting: deque[tuple[LoadRecord, int]] = deque()
        self._values = 0
        self._reading: list[LoadRecord] = []

    def __iter__(self) -> Iterator[LoadRecord]:
        """Iterate over the records whose near matches are not known yet."""
        return chain(self._reading, (record for record, _ in self._waiting))

    def __len__(self) -> int:
        return len(self._reading) + len(self._waiting)

    def add(self, record: LoadRecord) -> bool:
        """Add a record to create; return False if its key has no other spellings."""
        values = len(self._keys.near_values(record.fields))
        if values:
            self._waiting.append((record, values))
            self._values += values
        return bool(values)

    def read(self, *, final: bool) -> None:
        """Start a query if there are records for a full one; if final, read all near matches."""
        while (final and len(self)) or (self._values >= MAX_VALUES and not self._reading):
            if self._reading:
                self._pool.process_completed(wait=True)
                continue
            records: list[LoadRecord] = []
            values = 0
            while self._waiting and (not records or values + self._waiting[0][1] <= MAX_VALUES):
                record, count = self._waiting.popleft()
                records.append(record)
                values += count
            self._values -= values
            self._reading = records
            self._pool.submit(partial(self._rows.read_or_error, records, near=True), self._on_done)

    def _on_done(self, result: ReadResult) -> None:
        records, self._reading = self._reading, []
        self._on_read(records, result)


class SeenKeys:
    """The keys of one object, as fingerprints of 64 bits, in a temporary database.

    They are indexed when the first one is searched or removed: other runs only add.
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
