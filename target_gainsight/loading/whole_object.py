"""Current rows of a stream that covers most of its object: read whole, by pages, and kept on disk.

By keys a call brings the rows of one group; by pages it brings 5,000. What is kept of a row is its
GSID, its lookup keys and the fields that the stream writes.
"""

from __future__ import annotations

import enum
import logging
import pickle
import sqlite3
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from target_gainsight.api import MAX_PAGE, Condition, GainsightError, StopRunError
from target_gainsight.loading.current_rows import GSID, CurrentRows, Matches
from target_gainsight.loading.keys import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_gainsight.api import RecordsApi, Where
    from target_gainsight.loading.keys import Key, KeyReader
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.mapping.validation import RecordMapper

logger = logging.getLogger(__name__)

GROUPS_TO_DECIDE = 3
MOSTLY = 0.9
ROWS_WORTH_READING = 100
"""For each record seen so far: an object larger than this is not read whole on such evidence."""
VALUES_IN_A_LOOK = 500


class _State(enum.Enum):
    DECIDING = 1
    BY_KEYS = 2
    WHOLE = 3


class WholeObjectRows(CurrentRows):
    """Reads by keys, until the groups show that reading the whole object is cheaper.

    That is so when the first groups find most of their keys and most of their rows unchanged, as
    in a full refresh; and one look says that the object is not out of proportion. May be used from
    several threads.

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
        self._names = tuple(dict.fromkeys((GSID, *keys.names, *fields)))
        self._by_keys = by_keys
        self._lock = threading.Lock()
        self._state = _State.DECIDING
        self._groups = self._seen = self._settled = 0
        self._early: set[int] = set()
        self._kept: _KeptRows | None = None

    def read_by_keys(self) -> None:
        """Keep no rows between two reads: others change the object, too."""
        with self._lock:
            self._state, self._kept = _State.BY_KEYS, None

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
            if self._state is _State.DECIDING:
                return self._read_and_decide(records)
            if self._kept is not None:
                return self._look(self._kept, records)
        return self._by_keys.read(records)

    def _read_and_decide(self, records: Sequence[LoadRecord]) -> Matches:
        matches = self._by_keys.read(records)
        self._groups += 1
        self._seen += len(records)
        self._early.update(_place(folded(record.key)) for record in records)
        self._settled += sum(self._is_unchanged(record, matches) for record in records)
        if self._groups >= GROUPS_TO_DECIDE:
            worth_it = self._settled >= MOSTLY * self._seen and self._read_whole()
            self._state = _State.WHOLE if worth_it else _State.BY_KEYS
            self._early.clear()
        return matches

    def _is_unchanged(self, record: LoadRecord, matches: Matches) -> bool:
        found = matches.exact(record.key)
        if len(found) != 1:
            return False
        changed = set(self._mapper.changed_fields(record.fields, found[0]))
        return changed <= set(self._keys.names)

    def _read_whole(self) -> bool:
        """Read the whole object, unless it is out of proportion; what fails changes nothing."""
        most = self._seen * ROWS_WORTH_READING
        try:
            if self._has_more_than(most):
                logger.info(
                    "%s has more than %d rows; its rows are read by keys", self._object_name, most
                )
                return False
            kept = _KeptRows()
            rows = kept.take(self._kept_form(row) for row in self._pages())
            kept.asked_before(self._early)
        except StopRunError:
            raise
        except (GainsightError, sqlite3.Error) as error:
            logger.warning(
                "%s cannot be read whole (%s); its rows are read by keys", self._object_name, error
            )
            return False
        self._kept = kept
        logger.info(
            "%s: %d of the first %d records were unchanged, so that the whole object (%d rows) was "
            "read by pages; no more queries by keys",
            self._object_name,
            self._settled,
            self._seen,
            rows,
        )
        return True

    def _has_more_than(self, rows: int) -> bool:
        return bool(self._records.page(self._object_name, select=(GSID,), offset=rows, limit=1))

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
        return self._records.page(self._object_name, select=self._names, where=where)

    def _kept_form(self, row: Mapping[str, Any]) -> _Kept:
        values = tuple(row.get(name) for name in self._names)
        return (_place(folded(self._keys.of_row(row))), _packed(values))

    def _look(self, kept: _KeptRows, records: Sequence[LoadRecord]) -> Matches:
        """Find rows among those kept; a key that was asked for before is read anew."""
        places = {_place(folded(record.key)) for record in records}
        before = set(kept.asked_before(places))
        again = [record for record in records if _place(folded(record.key)) in before]
        matches = Matches(
            (dict(zip(self._names, values, strict=True)) for values in kept.find(places)),
            self._keys,
        )
        if again:
            fresh = self._by_keys.read(again)
            for record in again:
                matches.replace(record.key, fresh.exact(record.key))
        return matches


_Kept = tuple[int, bytes]
_JSON_LIST = b"["
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(list, float_hook=Decimal).decode


class _KeptRows:
    """Rows on disk, in a file that only this process can see."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._rows.close)
        self._rows.execute("PRAGMA synchronous = OFF")
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("CREATE TABLE kept (place INT, content BLOB)")
        self._rows.execute("CREATE TABLE asked (place INTEGER PRIMARY KEY)")

    def take(self, rows: Iterable[_Kept]) -> int:
        """Keep rows and return how many there are."""
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT INTO kept VALUES (?, ?)", rows)
        self._rows.execute("CREATE INDEX by_place ON kept (place)")
        self._rows.execute("COMMIT")
        return int(self._rows.execute("SELECT count(*) FROM kept").fetchone()[0])

    def asked_before(self, places: Iterable[int]) -> list[int]:
        """Note which keys are asked for; tell which were before: their rows may be others now."""
        wanted = list(places)
        before = [row[0] for row in self._select("SELECT place FROM asked", wanted)]
        new = set(wanted).difference(before)
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT INTO asked VALUES (?)", ((place,) for place in new))
        self._rows.execute("COMMIT")
        return before

    def find(self, places: Iterable[int]) -> Iterator[Sequence[Any]]:
        """Find the rows whose keys are equal but for case and blanks."""
        for row in self._select("SELECT content FROM kept", list(places)):
            yield _unpacked(row[0])

    def _select(self, query: str, places: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(places), VALUES_IN_A_LOOK):
            part = places[start : start + VALUES_IN_A_LOOK]
            marks = ",".join("?" * len(part))
            yield from self._rows.execute(f"{query} WHERE place IN ({marks})", part)


def _packed(values: Sequence[Any]) -> bytes:
    """Values as JSON, or pickled where they are more than that: three times as fast."""
    try:
        return _encode(values)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError):
        return pickle.dumps(values)


def _unpacked(content: bytes) -> Sequence[Any]:
    if content.startswith(_JSON_LIST):
        return _decode(content)
    values: Sequence[Any] = pickle.loads(content)  # noqa: S301 - our own file
    return values


def _place(key: Key) -> int:
    return hash(repr(key))
