"""Records to be created wait here for a query for near matches of their keys."""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import TYPE_CHECKING

from target_gainsight.api import MAX_PAGE
from target_gainsight.loading.reading.current_rows import read_or_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_gainsight.loading.call_pool import CallPool
    from target_gainsight.loading.reading.current_rows import CurrentRows, ReadResult
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.loading.records import LoadRecord

MAX_VALUES = MAX_PAGE - 1
"""Values that one query asks for: the spellings of some 600 names."""


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
        on_read: Callable[[list[LoadRecord], ReadResult], None],
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

    def read_full(self) -> None:
        """Start a query if there are records for a full one, and none is in flight."""
        if self._values >= MAX_VALUES and not self._reading:
            self._submit()

    def read_all(self) -> None:
        """Read the near matches of all records, one query after the other."""
        while len(self):
            if self._reading:
                self._pool.process_completed(wait=True)
            else:
                self._submit()

    def _submit(self) -> None:
        records = self._reading = self._take()
        self._pool.submit(
            lambda: read_or_error(self._rows.read_near, records),
            lambda result: self._land(records, result),
        )

    def _land(self, records: list[LoadRecord], result: ReadResult) -> None:
        self._reading = []
        self._on_read(records, result)

    def _take(self) -> list[LoadRecord]:
        """Take the records of one query, in order."""
        taken: list[LoadRecord] = []
        values = 0
        while self._waiting and (not taken or values + self._waiting[0][1] <= MAX_VALUES):
            record, count = self._waiting.popleft()
            taken.append(record)
            values += count
        self._values -= values
        return taken
