"""Rows without lookup keys, found by fallback keys: those that people created by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from target_gainsight.loading.keys import KeyReader
from target_gainsight.loading.outcomes import Reason
from target_gainsight.loading.reading.current_rows import GSID, Matches, Row, RowReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.types.spellings import is_blank


@dataclass(frozen=True)
class FallbackRows:
    """Reads the rows of one object; for records without any, the rows with their fallback keys.

    Attributes:
        rows: Reads rows by the lookup keys.
        names: The lookup keys.
        fallback: Reads rows by the fallback keys.
        claimed: The lookup keys that this run gives to rows of the object, by GSID.
        deleted: The GSIDs of rows that would be deleted if a dry run were real.
    """

    rows: RowReader
    names: tuple[str, ...]
    fallback: RowReader
    fallback_keys: KeyReader
    claimed: SpilledValues
    deleted: Collection[str]

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
            and all(row.get(GSID) in self.deleted for row in matches.exact(record.key))
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
        by_gsid = {str(row.get(GSID)): row for row in found if row.get(GSID) not in self.deleted}
        own = (self.names, record.key)
        entries = self.claimed.find((gsid,) for gsid in by_gsid)
        claimed = {entry.key[0]: entry.value for entry in entries}
        taken = {gsid: key for gsid, key in claimed.items() if key != own}
        free = {
            gsid: row
            for gsid, row in by_gsid.items()
            if gsid not in taken and all(is_blank(row.get(name)) for name in self.names)
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
            self.claimed.put((gsid,), own)
            return row
        return None

    def _ambiguous(self, record: LoadRecord, message: str, advice: str) -> Reason:
        name = self.fallback_keys.names[0]
        hint = f"{advice}, or give the right row its lookup keys by hand"
        return Reason(
            "ambiguous_key", message, field=name, value=record.fields.get(name), hint=hint
        )
