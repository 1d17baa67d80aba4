"""Rows without lookup keys, found by fallback keys: those that people created by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from typing_extensions import override

from target_gainsight.loading.outcomes import Reason
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches, Row
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.types.spellings import is_blank


@dataclass(kw_only=True, eq=False)
class FallbackRows(CurrentRows):
    """Reads the rows of one object; for records without any, the rows with their fallback keys.

    Attributes:
        fallback: Reads rows by the fallback keys.
        claimed: The lookup keys that this run gives to rows of the object, by GSID.
    """

    fallback: CurrentRows
    claimed: SpilledValues

    @override
    def read(
        self, records: Sequence[LoadRecord], *, near: bool = False, extra: Sequence[str] = ()
    ) -> Matches:
        matches = super().read(records, near=near, extra=extra)
        unmatched = [
            record
            for record in records
            if None not in record.key
            and not matches.exact(record.key)
            and self.fallback.keys.equal_values(record.fields)
        ]
        if unmatched and not near:
            matches.claim = partial(self._claim, self.fallback.read(unmatched))
        return matches

    def _claim(self, rows: Matches, record: LoadRecord) -> Row | Reason | None:
        """Return the row that a record is to update, or why none can be chosen; in the main thread.

        A row that this run gives the key of another record stays a candidate, so that the outcome
        does not depend on when the rows are read.
        """
        keys, fallback_keys = self.keys.names, self.fallback.keys
        own = (keys, record.key)
        found = rows.exact(fallback_keys.read_key(record.fields))
        by_gsid = {str(row.get(GSID)): row for row in found}
        claimed = self.claimed.find((gsid,) for gsid in by_gsid)
        taken = {gsid: claim[1] for (gsid,), claim in claimed if claim != own}
        free = [
            gsid
            for gsid, row in by_gsid.items()
            if gsid not in taken and all(is_blank(row.get(name)) for name in keys)
        ]
        if not taken and len(free) == 1:
            self.claimed.put((free[0],), own)
            return by_gsid[free[0]]
        if not taken and not free:
            return None
        message = f"rows with its fallback keys: {', '.join((*taken, *free))}"
        hint = f"give the right row its lookup keys by hand{', or replay it' if taken else ''}"
        for gsid, key in taken.items():
            message += f"; {gsid}: this run gives it the key {' | '.join(map(display, key))}"
        return Reason(
            "ambiguous_key",
            message,
            field=fallback_keys.names[0],
            value=record.fields.get(fallback_keys.names[0]),
            hint=hint,
        )
