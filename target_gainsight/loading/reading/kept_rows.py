"""The rows of a whole object on disk, in files that only this process can see.

A row is kept as its GSID and the bytes of its fields, with a digest of 64 bits. It is found by its
place, which it shares with the rows whose keys are equal to its own but for case and blanks. Knows
neither the tenant nor when a row is out of date.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, cast

import msgspec

from target_gainsight.api.http.json_codec import decode
from target_gainsight.loading.reading.current_rows import GSID, Matches
from target_gainsight.loading.reading.keys import folded
from target_gainsight.loading.storage.temp_database import found_at, private_database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from target_gainsight.loading.outcomes import LoadRecord, Mark
    from target_gainsight.loading.reading.keys import Key, KeyReader
    from target_gainsight.mapping.likeness import Likeness

_Kept = tuple[int, int, str, bytes]
"""A row's place, the digest of its fields, its GSID, and its fields as JSON."""

_Found = tuple[str, bytes]
_decode = msgspec.json.Decoder(list[int]).decode
_NOTHING = object()


def place_of(key: Key) -> int:
    """The place of a key; the same for keys that differ in case and surrounding blanks only."""
    return hash(folded(key))


class KeptRows:
    """The rows of one object. Not to be used from two threads at a time.

    Args:
        keys: Reads the keys of rows.
        likeness: Makes and names their fields.
    """

    def __init__(self, keys: KeyReader, likeness: Likeness) -> None:
        self._keys = keys
        self._likeness = likeness
        self._rows = private_database()
        weakref.finalize(self, self._rows.close)
        self._rows.execute("CREATE TABLE kept (place INT, digest INT, gsid TEXT, fields BLOB)")

    def take(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Keep rows.

        Args:
            rows: Every row of the object, as queries answer them.

        Returns:
            How many there are.
        """
        self._rows.execute("BEGIN")
        kept = map(self._kept_form, rows)
        self._rows.executemany("INSERT INTO kept VALUES (?, ?, ?, ?)", kept)
        self._rows.execute("CREATE INDEX by_place ON kept (place, digest)")
        self._rows.execute("COMMIT")
        return int(self._rows.execute("SELECT count(*) FROM kept").fetchone()[0])

    def _kept_form(self, row: Mapping[str, Any]) -> _Kept:
        fields = self._likeness.of_row(row)
        return place_of(self._keys.of_row(row)), hash(fields), str(row.get(GSID)), fields

    def mark(self, record: LoadRecord) -> Mark:
        """Say by what the row is found that holds a record; may be called from any thread.

        Args:
            record: The record.
        """
        fields = self._likeness.of_record(record.fields)
        return place_of(record.key), None if fields is None else hash(fields)

    def find(self, records: Sequence[LoadRecord]) -> KeptMatches:
        """Find the rows that some records may meet.

        Args:
            records: The records.

        Returns:
            The rows.
        """
        marks = [record.mark or self.mark(record) for record in records]
        held = self._digests([place for place, _ in marks])
        unchanged, others = set(), []
        for record, (place, digest) in zip(records, marks, strict=True):
            if digest is not None and held.get(place, _NOTHING) == digest:
                unchanged.add(id(record))
            else:
                others.append(place)
        return KeptMatches(self._fields(others), unchanged, self._keys, self._likeness.names)

    def _digests(self, places: Iterable[int]) -> Mapping[int, int | None]:
        """The digest of the row at each place; None in its stead where there are several rows.

        They are handed over as two texts. A row at a time would cost a lock each, which the main
        thread has to give up for it.
        """
        select = "SELECT json_group_array(place), json_group_array(digest) FROM kept"
        ((found, each),) = found_at(self._rows, select, places)
        taken = _decode(found)
        digests: dict[int, int | None] = dict(zip(taken, _decode(each), strict=True))
        if len(digests) < len(taken):
            digests |= {place: None for place, rows in Counter(taken).items() if rows > 1}
        return digests

    def _fields(self, places: Sequence[int]) -> Mapping[int, Sequence[_Found]]:
        """The rows at some places, in the order they were taken: the first one may count."""
        found: defaultdict[int, list[_Found]] = defaultdict(list)
        if places:
            select = "SELECT rowid, place, gsid, fields FROM kept"
            for _, place, gsid, fields in sorted(found_at(self._rows, select, places)):
                found[place].append((gsid, fields))
        return found


class KeptMatches(Matches):
    """Rows that were kept, each read when it is asked for.

    Args:
        found: Place to the GSIDs and fields of the rows there.
        unchanged: The identities of the records whose rows surely hold them.
        keys: Reads the keys of rows.
        names: The fields of a row, in order.
    """

    def __init__(
        self,
        found: Mapping[int, Sequence[_Found]],
        unchanged: Collection[int],
        keys: KeyReader,
        names: Sequence[str],
    ) -> None:
        super().__init__((), keys)
        self._found = found
        self._unchanged = unchanged
        self._keys = keys
        self._names = names
        self._replaced: dict[Key, Sequence[Mapping[str, Any]]] = {}

    def unchanged(self, record: LoadRecord) -> bool:
        """Whether one row surely holds a record already."""
        return id(record) in self._unchanged and record.key not in self._replaced

    def exact(self, key: Key) -> list[Mapping[str, Any]]:
        """List the rows that have this very key."""
        if key in self._replaced:
            return list(self._replaced[key])
        return [row for row in self._rows_at(key) if self._keys.of_row(row) == key]

    def near(self, key: Key) -> list[Mapping[str, Any]]:
        """List the rows whose key is equal but for case or surrounding blanks."""
        others = [row for row in self._rows_at(key) if self._keys.of_row(row) not in self._replaced]
        same = folded(key)
        replaced = (rows for each, rows in self._replaced.items() if folded(each) == same)
        return [row for rows in replaced for row in rows] + others

    def replace(self, key: Key, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take other rows for those that have a key.

        Args:
            key: The key.
            rows: The rows.
        """
        self._replaced[key] = rows

    def _rows_at(self, key: Key) -> Iterator[Mapping[str, Any]]:
        same = folded(key)
        for gsid, fields in self._found.get(place_of(key), ()):
            values = cast("Sequence[Any]", decode(fields))
            row = {**dict(zip(self._names, values, strict=True)), GSID: gsid}
            if folded(self._keys.of_row(row)) == same:
                yield row


class WrittenPlaces:
    """The places of the rows that this run writes. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: sqlite3.Connection | None = None

    def add(self, places: Iterable[int]) -> None:
        """Take note of some places."""
        with self._lock:
            if self._places is None:
                self._places = private_database()
                weakref.finalize(self, self._places.close)
                self._places.execute("CREATE TABLE written (place INTEGER PRIMARY KEY)")
            rows = ((place,) for place in places)
            self._places.executemany("INSERT OR IGNORE INTO written VALUES (?)", rows)

    def among(self, places: Iterable[int]) -> set[int]:
        """Tell which of some places were written."""
        with self._lock:
            if self._places is None:
                return set()
            return {
                place for (place,) in found_at(self._places, "SELECT place FROM written", places)
            }
