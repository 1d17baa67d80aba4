"""Rows without lookup keys, found by fallback keys: those that people created by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from target_gainsight.loading.keys import Key, KeyReader
from target_gainsight.loading.outcomes import Reason
from target_gainsight.loading.reading.current_rows import GSID, Matches, Row, RowReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.types.spellings import is_blank


class ClaimedRows:
    """The rows of one object that this run gives lookup keys, and the keys.

    Attributes:
        deleted: The GSIDs of rows that would be deleted if the run were real.
    """

    def __init__(self) -> None:
        self.deleted: set[str] = set()
        self._keys = SpilledValues()

    def claim(self, gsid: str, key: Key) -> None:
        """Remember that a row is given a key."""
        self._keys.add((gsid,), key)

    def mark_deleted(self, gsid: str) -> None:
        """Remember that a row would be deleted if the run were real."""
        self._keys.add((gsid,), None)
        self.deleted.add(gsid)

    def keys(self, gsids: Iterable[str]) -> dict[str, Key | None]:
        """Return the keys that some rows are given, by GSID; None for rows to be deleted."""
        return {entry.key[0]: entry.value for entry in self._keys.find((each,) for each in gsids)}


@dataclass(frozen=True)
class FallbackRows:
    """Reads the rows of one object; for records without any, the rows with their fallback keys.

    Attributes:
        rows: Reads rows by the lookup keys.
        names: The lookup keys.
        fallback: Reads rows by the fallback keys.
        claimed: The rows that this run gives lookup keys.
    """

    rows: RowReader
    names: tuple[str, ...]
    fallback: RowReader
    fallback_keys: KeyReader
    claimed: ClaimedRows

    def read(
        self, records: Sequence[LoadRecord], extra: Sequence[str] = (), *, near: bool = False
    ) -> Matches:
        """Read the rows of some records; see ``RowReader.read``."""
        matches = self.rows.read(records, extra, near=near)
        unmatched = [
            record
            for record in records
            if not near
            and None not in record.key
            and self.claimed.deleted.issuperset(_gsids(matches.exact(record.key)))
            and self.fallback_keys.equal_values(record.fields)
        ]
        if unmatched:
            matches.claim = partial(self._claim, self.fallback.read(unmatched))
        return matches

    def _claim(self, rows: Matches, record: LoadRecord) -> Row | Reason | None:
        """Claim the row that a record is to update. Used in the main thread.

        A row that this run gives the key of another record stays a candidate, so that the outcome
        does not depend on when the rows are read.

        Args:
            rows: The rows, by their fallback keys.
            record: A record without a row that has its lookup keys.

        Returns:
            The row; the reason why none can be chosen; or None if there is none.
        """
        found = rows.exact(self.fallback_keys.read_key(record.fields))
        by_gsid = dict(zip(_gsids(found), found, strict=True))
        own = (self.names, record.key)
        claimed = self.claimed.keys(by_gsid) if by_gsid else {}
        taken = {gsid: key for gsid, key in claimed.items() if key not in {None, own}}
        free = {
            gsid: row
            for gsid, row in by_gsid.items()
            if claimed.get(gsid, own) == own and all(is_blank(row.get(name)) for name in self.names)
        }
        candidates = (*taken, *free)
        if len(candidates) > 1:
            message = f"{len(candidates)} rows have its fallback keys: {', '.join(candidates)}"
            return self._ambiguous(record, message, "make the fallback keys of the rows differ")
        if taken:
            [(gsid, (_, key))] = taken.items()
            given = " | ".join(map(display, key))
            message = f"{gsid} has its fallback keys, and this run gives it the key {given}"
            return self._ambiguous(record, message, "replay it to create a row of its own")
        for gsid, row in free.items():
            self.claimed.claim(gsid, own)
            return row
        return None

    def _ambiguous(self, record: LoadRecord, message: str, advice: str) -> Reason:
        name = self.fallback_keys.names[0]
        hint = f"{advice}, or give the right row its lookup keys by hand"
        return Reason(
            "ambiguous_key", message, field=name, value=record.fields.get(name), hint=hint
        )


def _gsids(rows: Iterable[Row]) -> list[str]:
    return [str(row.get(GSID)) for row in rows]
