"""The rows of a whole object on disk, in files that only this process can see.

A row is kept as its GSID and the bytes of its fields. It is found by its place, which it shares
with the rows whose keys are equal to its own but for case and blanks. Knows neither the tenant nor
when a row is out of date.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

import msgspec

from target_gainsight.api.wire import decode
from target_gainsight.loading.current_rows import GSID, Matches
from target_gainsight.loading.keys import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_gainsight.loading.keys import Key, KeyReader
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.mapping.likeness import Likeness

PLACES_IN_A_LOOK = 500

_Kept = tuple[int, str, str]
"""A row's place, its GSID as JSON text, and its fields as JSON text."""

_Found = tuple[str, bytes]
_Rows = list[tuple[int, str, msgspec.Raw]]

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(_Rows).decode


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
        self._rows = _private_file()
        weakref.finalize(self, self._rows.close)
        self._rows.execute("CREATE TABLE kept (place INT, gsid TEXT, fields TEXT)")

    def take(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Keep rows.

        Args:
            rows: Every row of the object, as queries answer them.

        Returns:
            How many there are.
        """
        self._rows.execute("BEGIN")
        kept = map(self._kept_form, rows)
        self._rows.executemany("INSERT INTO kept VALUES (?, ?, ?)", kept)
        self._rows.execute("CREATE INDEX by_place ON kept (place)")
        self._rows.execute("COMMIT")
        return int(self._rows.execute("SELECT count(*) FROM kept").fetchone()[0])

    def _kept_form(self, row: Mapping[str, Any]) -> _Kept:
        gsid = _encode(str(row.get(GSID))).decode()
        return place_of(self._keys.of_row(row)), gsid, self._likeness.of_row(row)

    def find(self, records: Sequence[LoadRecord]) -> KeptMatches:
        """Find the rows that some records may meet.

        Args:
            records: The records.

        Returns:
            The rows.
        """
        places = {id(record): place_of(record.key) for record in records}
        wanted = list(dict.fromkeys(places.values()))
        found: defaultdict[int, list[_Found]] = defaultdict(list)
        for start in range(0, len(wanted), PLACES_IN_A_LOOK):
            for place, gsid, fields in self._at(wanted[start : start + PLACES_IN_A_LOOK]):
                found[place].append((gsid, fields))
        unchanged = {}
        for record in records:
            rows = found.get(places[id(record)], ())
            if len(rows) == 1 and rows[0][1] == self._bytes_of(record):
                unchanged[id(record)] = rows[0][0]
        return KeptMatches(found, unchanged, self._keys, self._likeness.names)

    def _bytes_of(self, record: LoadRecord) -> bytes | None:
        return record.likeness or self._likeness.of_record(record.fields)

    def _at(self, places: Sequence[int]) -> Iterator[tuple[int, str, bytes]]:
        """Rows at some places, handed over as one text: a row at a time costs a lock each."""
        marks = ",".join("?" * len(places))
        text = "'[' || place || ',' || gsid || ',' || fields || ']'"
        query = f"SELECT '[' || group_concat({text}) || ']' FROM kept WHERE place IN ({marks})"  # noqa: S608
        (found,) = self._rows.execute(query, places).fetchone()
        try:
            for place, gsid, fields in _decode(found or "[]"):
                yield place, gsid, bytes(fields)
        except msgspec.MsgspecError:
            query = f"SELECT place, gsid, fields FROM kept WHERE place IN ({marks})"  # noqa: S608
            for place, gsid, text in self._rows.execute(query, places):
                yield place, cast("str", decode(gsid.encode())), text.encode()


class KeptMatches(Matches):
    """Rows that were kept, each read when it is asked for.

    Args:
        found: Place to the GSIDs and fields of the rows there.
        unchanged: The identity of a record to the GSID of the row that surely holds it.
        keys: Reads the keys of rows.
        names: The fields of a row, in order.
    """

    def __init__(
        self,
        found: Mapping[int, Sequence[_Found]],
        unchanged: Mapping[int, str],
        keys: KeyReader,
        names: Sequence[str],
    ) -> None:
        super().__init__((), keys)
        self._found = found
        self._unchanged = unchanged
        self._keys = keys
        self._names = names
        self._replaced: dict[Key, Sequence[Mapping[str, Any]]] = {}

    def unchanged(self, record: LoadRecord) -> str | None:
        """The GSID of the one row that surely holds a record already; None in doubt."""
        if self._replaced and record.key in self._replaced:
            return None
        return self._unchanged.get(id(record))

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
                self._places = _private_file()
                weakref.finalize(self, self._places.close)
                self._places.execute("CREATE TABLE written (place INTEGER PRIMARY KEY)")
            rows = ((place,) for place in places)
            self._places.executemany("INSERT OR IGNORE INTO written VALUES (?)", rows)

    def among(self, places: Sequence[int]) -> set[int]:
        """Tell which of some places were written."""
        with self._lock:
            if self._places is None:
                return set()
            found: set[int] = set()
            for start in range(0, len(places), PLACES_IN_A_LOOK):
                part = places[start : start + PLACES_IN_A_LOOK]
                marks = ",".join("?" * len(part))
                query = f"SELECT place FROM written WHERE place IN ({marks})"  # noqa: S608
                found.update(row[0] for row in self._places.execute(query, part))
            return found


def _private_file() -> sqlite3.Connection:
    """A temporary database that needs no protection against a crash."""
    rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA synchronous = OFF")
    rows.execute("PRAGMA journal_mode = OFF")
    return rows
