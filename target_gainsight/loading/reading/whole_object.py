"""Current rows of a stream that covers most of its object: read whole, by pages, and kept on disk.

By keys a call brings the rows of one group; by pages it brings 5,000. What is kept of a row is its
GSID, its lookup keys and the fields that the stream writes.
"""

from __future__ import annotations

import enum
import logging
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from target_gainsight.api import MAX_PAGE, Condition, GainsightError, StopRunError
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches
from target_gainsight.loading.reading.kept_rows import KeptRows, WrittenPlaces, place_of
from target_gainsight.mapping.likeness import Likeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_gainsight.api import RecordsApi, Where
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.mapping.record_mapper import RecordMapper

logger = logging.getLogger(__name__)

GROUPS_TO_DECIDE = 3
MOSTLY = 0.9
ROWS_WORTH_READING = 100
"""For each record seen so far: an object larger than this is not read whole on such evidence."""

MORE_EVIDENCE = 4
"""After so many times the records, an object that was out of proportion is looked at again."""


class _State(enum.Enum):
    DECIDING = 1
    BY_KEYS = 2
    WHOLE = 3


class WholeObjectRows(CurrentRows):
    """Reads by keys, until the groups show that reading the whole object is cheaper.

    That is so when the groups find most of their keys and most of their rows unchanged, as in a
    full refresh; and one look says that the object is not out of proportion to them. Of one that
    is, the stream may yet cover most: it is looked at again when far more records have come. May
    be used from several threads.

    Args:
        records: The records API.
        object_name: The object.
        keys: The lookup keys.
        mapper: Compares records with rows.
        fields: The fields that the stream writes.
        by_keys: Reads by keys.
    """

    def __init__(
        self,
        records: RecordsApi,
        object_name: str,
        keys: KeyReader,
        *,
        mapper: RecordMapper,
        fields: Sequence[str],
        by_keys: CurrentRows,
    ) -> None:
        super().__init__(records, object_name, keys)
        self._mapper = mapper
        self._likeness = Likeness((*keys.names, *fields), mapper.converters)
        self._by_keys = by_keys
        self._lock = threading.Lock()
        self._state = _State.DECIDING
        self._groups = self._seen = self._counted = self._settled = 0
        self._counts_from = 0
        self._written = WrittenPlaces()
        self._kept: KeptRows | None = None

    def read_by_keys(self) -> None:
        """Keep no rows between two reads: others change the object, too."""
        with self._lock:
            self._state, self._kept = _State.BY_KEYS, None

    def prepare(self, record: LoadRecord) -> None:
        """Make a record's mark while it is at hand: later it takes twice the time.

        Args:
            record: The record.
        """
        kept = self._kept
        if kept is not None:
            record.mark = kept.mark(record)

    def about_to_write(self, records: Sequence[LoadRecord]) -> None:
        """Take note that what is kept of some records' rows will not be true any more.

        Args:
            records: The records of a batch, before it is sent.
        """
        if self._state is not _State.BY_KEYS:
            self._written.add(place_of(record.key) for record in records)

    def at_hand(self, records: Sequence[LoadRecord]) -> Matches | None:
        """Find the rows that some records may meet among those kept, if none was written.

        Args:
            records: The records of one group.

        Returns:
            The rows, or None when they have to be read.
        """
        if self._state is not _State.WHOLE or not self._lock.acquire(blocking=False):
            return None
        try:
            if self._kept is None or self._written_among(records):
                return None
            return self._kept.find(records)
        finally:
            self._lock.release()

    def own_fields(self, record: LoadRecord) -> Iterable[str]:
        """List the fields of a record that are fields of the object."""
        return self._by_keys.own_fields(record)

    def read(self, records: Sequence[LoadRecord], extra: Sequence[str] = ()) -> Matches:
        """Find the rows that some records may meet.

        Args:
            records: The records of one group.
            extra: Further fields to read; only by keys can they be had.

        Returns:
            The rows.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read even a single key.
        """
        if extra or self._state is _State.BY_KEYS:
            return self._by_keys.read(records, extra)
        with self._lock:
            if self._kept is not None:
                return self._look(self._kept, records)
            self._seen += len(records)
            if self._state is _State.DECIDING and self._seen > self._counts_from:
                return self._read_and_count(records)
        return self._by_keys.read(records)

    def _read_and_count(self, records: Sequence[LoadRecord]) -> Matches:
        matches = self._by_keys.read(records)
        self._groups += 1
        self._counted += len(records)
        self._settled += sum(self._is_unchanged(record, matches) for record in records)
        if self._groups >= GROUPS_TO_DECIDE:
            self._state = self._decide()
        return matches

    def _decide(self) -> _State:
        """Decide how to go on; what fails leaves everything as it is."""
        if self._settled < MOSTLY * self._counted:
            return _State.BY_KEYS
        try:
            if self._is_out_of_proportion():
                return _State.DECIDING
            self._kept = self._read_whole()
        except StopRunError:
            raise
        except (GainsightError, sqlite3.Error) as error:
            logger.warning(
                "%s cannot be read whole (%s); its rows are read by keys", self._object_name, error
            )
            return _State.BY_KEYS
        return _State.WHOLE

    def _is_unchanged(self, record: LoadRecord, matches: Matches) -> bool:
        found = matches.exact(record.key)
        if len(found) != 1:
            return False
        changed = set(self._mapper.changed_fields(record.fields, found[0]))
        return changed <= set(self._keys.names)

    def _is_out_of_proportion(self) -> bool:
        """Look whether the object is too large for what is known of the stream."""
        most = self._seen * ROWS_WORTH_READING
        if not self._records.page(self._object_name, select=(GSID,), offset=most, limit=1):
            return False
        logger.info(
            "%s has more than %d rows, of which %d records say little; its rows are read by keys",
            self._object_name,
            most,
            self._seen,
        )
        self._counts_from = self._seen * MORE_EVIDENCE - 1
        self._counted = self._settled = 0
        return True

    def _read_whole(self) -> KeptRows:
        kept = KeptRows(self._keys, self._likeness)
        rows = kept.take(self._pages())
        logger.info(
            "%s: %d of %d records were unchanged, so that the whole object (%d rows) was read by "
            "pages; no more queries by keys",
            self._object_name,
            self._settled,
            self._counted,
            rows,
        )
        return kept

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        """Read all rows by pages; the next is asked for while one is taken."""
        with ThreadPoolExecutor(1, "gainsight-pages") as ahead:
            page = self._page(None)
            while len(page) == MAX_PAGE:
                coming = ahead.submit(self._page, Condition(GSID, "GT", (str(page[-1].get(GSID)),)))
                yield from page
                page = coming.result()
            yield from page

    def _page(self, where: Where | None) -> Sequence[Mapping[str, Any]]:
        names = (GSID, *self._likeness.names)
        return self._records.page(self._object_name, select=names, where=where)

    def _look(self, kept: KeptRows, records: Sequence[LoadRecord]) -> Matches:
        """Find rows among those kept; those that this run has written are read anew."""
        matches = kept.find(records)
        written = self._written_among(records)
        again = [record for record in records if place_of(record.key) in written] if written else ()
        if again:
            fresh = self._by_keys.read(again)
            for record in again:
                matches.replace(record.key, fresh.exact(record.key))
        return matches

    def _written_among(self, records: Sequence[LoadRecord]) -> set[int]:
        return self._written.among(place_of(record.key) for record in records)
