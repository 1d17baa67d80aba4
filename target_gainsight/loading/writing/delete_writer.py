"""Delete companies, relationships and custom objects, one row in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from target_gainsight.api import (
    Clock,
    NotFoundError,
    ObjectNotFoundError,
    RecordsApi,
    RefusedError,
    is_in,
)
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.reading.current_rows import GSID, ObjectReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.isolation import refusal_reason
from target_gainsight.loading.writing.writer import Action, Recovered, Unresolved, Writer, Written


@dataclass
class DeleteWriter(Writer):
    """Deletes the rows of one object by their GSIDs."""

    records: RecordsApi
    object_name: str
    clock: Clock
    batch_size: int = 1
    after_lost_response: ClassVar[str] = "looking up the row"

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:  # noqa: ARG002
        """Delete one row. A refused delete is looked up: perhaps there is no such row."""
        (record,) = records
        sent_at = self.clock.now()
        try:
            self.records.delete(self.object_name, str(record.gsid), repeatable=False)
        except ObjectNotFoundError:
            raise
        except (RefusedError, NotFoundError) as error:
            reason = refusal_reason(error)
            return Written([], [Unresolved(record, sent_at, str(error), reason=reason)])
        return Written([Settlement(record, Outcome.DELETED, gsid=record.gsid)])

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Look rows up; those that are gone were deleted, or by someone else before our call."""
        gsids = [str(each.record.gsid) for each in unresolved]
        rows = ObjectReader(self.records, self.object_name).read(
            (GSID,), (), is_in(GSID, gsids), lambda row: str(row.get(GSID)) in gsids
        )
        present = {str(row.get(GSID)) for row in rows}
        settled = []
        for each in unresolved:
            record = each.record
            if str(record.gsid) in present:
                continue
            if each.reason is None or each.resent:
                settled.append(Settlement(record, Outcome.DELETED, gsid=record.gsid))
            else:
                reason = no_row_reason(self.object_name)
                settled.append(Settlement(record, Outcome.SKIPPED, reason))
        return Recovered(settled)


def no_row_reason(object_name: str) -> Reason:
    """Return why a record deletes nothing."""
    return Reason("no_match", f"no {object_name} has this key, so there is nothing to delete")
