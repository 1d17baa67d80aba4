"""Dry-run stand-ins for a stream's writer and its current rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.keys import TO_BE_CREATED
from target_gainsight.loading.outcomes import BatchResult
from target_gainsight.loading.reading.comparison import merge_fields
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved, Writer


@dataclass
class PlannedRows:
    """The current rows of one object, with what the run would have written so far.

    Attributes:
        written: By the lookup key, the fields that would have been written to the row, None if it
            would have been deleted; and whether the row would be a new one.
    """

    rows: CurrentRows
    written: SpilledValues

    def record_write(self, record: LoadRecord) -> None:
        """Record what would be written; a row that is found by fallback keys is kept with it."""
        earlier = self.written.find([record.key])
        before, is_new = earlier[0][1] if earlier else ({}, False)
        fields = merge_fields({**(before or {}), **(record.claimed or {})}, record.fields)
        self.written.put(record.key, (fields, is_new or before is None))

    def read(self, records: Sequence[LoadRecord], *, near: bool = False) -> Matches:
        """Read the rows of some records, as they would be by now; see ``CurrentRows.read``."""
        matches = self.rows.read(records, near=near)
        empty = dict.fromkeys(name for record in records for name in record.fields)
        keys = dict.fromkeys(record.key for record in records)
        for key, (fields, is_new) in self.written.find(keys):
            rows = [] if is_new or fields is None else matches.exact(key)
            if fields is not None:
                rows = rows or [{**empty, GSID: TO_BE_CREATED}]
                rows = [merge_fields(rows[0], fields), *rows[1:]]
            matches.replace(key, rows)
        return matches


@dataclass
class PlanningWriter(Writer):
    """Writes nothing and records what the real writer would send; ``kinds`` are of its calls."""

    plan: Plan
    kinds: tuple[str, str]
    batch_size: int
    rows: PlannedRows

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Record a call and settle the records with the outcomes that it would have."""
        kind = "delete" if action == "delete" else self.kinds[action == "update"]
        self.plan.record_call(kind, batch, action)
        for record in batch:
            result.settle(record, WRITTEN[action], gsid=record.gsid or TO_BE_CREATED)
            if action == "delete":
                self.plan.deleted.add(str(record.gsid))
                self.rows.written.put(record.key, (None, False))
            elif record.key:
                self.rows.record_write(record)
        return []
