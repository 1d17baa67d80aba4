"""Opt-in deletes: rows are read whole, written to a file, then deleted by one call each."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from target_gainsight.api import Clock, errors, is_in
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.classification import no_row_reason
from target_gainsight.loading.dry_run import PlanningWriter
from target_gainsight.loading.outcomes import BatchResult, Outcome, RunStoppedError
from target_gainsight.loading.reading.current_rows import GSID, ObjectReader, Row
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.private_file import append_lines
from target_gainsight.loading.storage.source_json import utc_time, write_json
from target_gainsight.loading.writing.delivery import Delivery, refusal_reason
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved, Writer
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.types.datetimes import EPOCH, comparable_date, comparable_datetime

MAX_ROWS_PER_READ = 200
"""Whole rows in memory at a time."""

OnSettled = Callable[[BatchResult], None]

_COLUMN = {"type": ["null", "string", "number", "boolean", "array", "object"]}
"""The schema of every column: the type of its field decides how a value is read."""

DELETED_PROPERTY = "gainsight_deleted"
"""The property of a RECORD message that holds the row as the tenant returned it.

A SCHEMA message has it, too, with the object."""


@dataclass(kw_only=True)
class RowDeleter(Writer):
    """Deletes rows of one stream by their GSIDs, up to a limit; `planning` does it in a dry run."""

    stream: str
    spec: MappingSpec
    reader: ObjectReader
    deleted: "DeletedRows"
    clock: Clock
    max_retry_seconds: float
    pool: CallPool
    planning: PlanningWriter | None
    batch_size: int = 1

    def delete(self, records: Sequence[LoadRecord], on_settled: OnSettled) -> None:
        """Delete the rows of some records, each of which names one row, and settle them all.

        A refused delete is sent again once others have succeeded, because rows may refer to each
        other: so the outcome does not depend on which call was faster. If `max_deletes` does not
        allow all of them, the first are deleted before the run stops.
        """
        counts, name, most = self.deleted.sent, self.stream, self.spec.settings.max_deletes
        allowed = records[: max(0, most - counts[name])]
        refused: list[BatchResult] = []
        for start in range(0, len(allowed), MAX_ROWS_PER_READ):
            part = allowed[start : start + MAX_ROWS_PER_READ]
            counts[name] += len(part)
            refused += self._send(self._save(part, on_settled), on_settled)
        sent = len(allowed)
        while len(refused) < sent:
            sent = len(refused)
            refused = self._send([each.settlements[0].record for each in refused], on_settled)
        for result in refused:
            on_settled(result)
        if len(allowed) < len(records):
            suggestion = (
                "Check the records with _sdc_deleted_at, or raise max_deletes, and run again."
            )
            message = (
                f"stream {name}: the next call would delete more than max_deletes "
                f"({most}) rows of {self.reader.object_name} in this run"
            )
            raise RunStoppedError(message, code="too_many_deletes", suggestion=suggestion)

    def _save(self, records: Sequence[LoadRecord], on_settled: OnSettled) -> Sequence[LoadRecord]:
        """Write the rows of some records to the file; return the records that have one."""
        if self.planning is not None:
            self.planning.plan.record_read()
            return records
        result = BatchResult()
        try:
            rows = self._read_whole(records, result)
        except errors.GainsightError as error:
            on_settled(BatchResult().hold_back(records, error))
            return ()
        for record in result.unsettled(records):
            if str(record.gsid) not in rows:
                result.settle(record, Outcome.SKIPPED, no_row_reason(self.reader.object_name))
        self.deleted.add(self.stream, self.spec, rows)
        on_settled(result)
        return result.unsettled(records)

    def _read_whole(self, records: Sequence[LoadRecord], result: BatchResult) -> dict[str, Row]:
        """Read rows with all fields that can be read; settle the records whose rows cannot.

        Reads with one query, or row by row where the tenant refuses that or ignores the filter:
        such a call selects no fields, so that none can be refused.
        """
        name, schema = self.reader.object_name, self.spec.schema
        gsids = {str(record.gsid): record for record in records}
        fields = [each.name for each in schema.fields if each.name != GSID] if schema else []
        where = is_in(GSID, list(gsids))
        if fields and not self.reader.reads_needed_only:
            with suppress(errors.RefusedError, RunStoppedError):
                found = self.reader.read((GSID,), fields, where, lambda row: row[GSID] in gsids)
                rows = {str(row[GSID]): row for row in found}
                if rows.keys() <= gsids.keys() and not self.reader.reads_needed_only:
                    return rows
        rows = {}
        for gsid, record in gsids.items():
            with suppress(errors.NotFoundError):
                try:
                    rows[gsid] = self.reader.records.get(name, gsid)
                except errors.RefusedError as error:
                    result.settle(record, Outcome.REJECTED, refusal_reason(error))
        return rows

    def _send(self, records: Sequence[LoadRecord], on_settled: OnSettled) -> list[BatchResult]:
        """Delete rows and settle their records, except for the refused deletes it returns."""
        in_flight, refused = set(records), []

        def on_sent(record: LoadRecord, done: Future[BatchResult]) -> None:
            in_flight.discard(record)
            result = done.result()
            if any(each.outcome is Outcome.REJECTED for each in result.settlements):
                refused.append(result)
            else:
                on_settled(result)

        for record in records:
            delivery = Delivery(self.planning or self, self.clock, self.max_retry_seconds)
            send = partial(delivery.deliver, "delete", [record])
            self.pool.submit(send, partial(on_sent, record))
        while in_flight:
            self.pool.process_completed(wait=True)
        return refused

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Delete one row. A refused delete is looked up: perhaps there is no such row."""
        (record,) = batch
        try:
            self.reader.records.delete(self.reader.object_name, str(record.gsid), repeatable=False)
        except errors.ObjectNotFoundError:
            raise
        except (errors.RefusedError, errors.NotFoundError) as error:
            return [Unresolved(record, str(error), reason=refusal_reason(error))]
        result.settle(record, WRITTEN[action], gsid=record.gsid)
        return []

    def recover(self, unresolved: Sequence[Unresolved], result: BatchResult) -> Batch:
        """Look the row up; if it is gone, it was deleted: by someone else if ours was refused."""
        [each] = unresolved
        gsid, object_name = str(each.record.gsid), self.reader.object_name
        rows = self.reader.read((GSID,), (), is_in(GSID, [gsid]), lambda row: row[GSID] == gsid)
        if not rows and (each.reason is None or each.resent):
            result.settle(each.record, Outcome.DELETED, gsid=gsid)
        elif not rows:
            result.settle(each.record, Outcome.SKIPPED, no_row_reason(object_name))
        return ()


class DeletedRows:
    """The rows that one run deletes, written before they are deleted; `sent` counts by stream."""

    def __init__(self, path: Path, now: Callable[[], float], files: dict[str, Path]) -> None:
        self.sent: Counter[str] = Counter()
        self._path = path
        self._now = now
        self._files = files
        self._columns: dict[str, dict[str, Any]] = {}

    def add(self, stream: str, spec: MappingSpec, rows: Mapping[str, Row]) -> None:
        """Bring rows, by their GSIDs, to disk; nothing may be deleted unless that succeeds."""
        if not rows:
            return
        lines, object_name = [], spec.settings.object_name
        names: Iterable[str] = chain.from_iterable(rows.values())
        if spec.schema is not None:
            names = [field.name for field in spec.schema.fields if field.insertable]
        columns = dict.fromkeys(names, _COLUMN)
        if self._columns.get(stream) != columns:
            self._columns[stream] = columns
            schema = {
                "type": "SCHEMA",
                "stream": stream,
                "schema": {"type": "object", "properties": columns},
                "key_properties": [key for key in spec.keys if key in columns],
                DELETED_PROPERTY: {"object": object_name},
            }
            lines.append(write_json(schema))
        time = utc_time(self._now())
        for gsid, row in rows.items():
            deleted = {"object": object_name, "gsid": gsid, "time": time, "row": row}
            message = {
                "type": "RECORD",
                "stream": stream,
                "record": _source_record(row, columns, spec),
                DELETED_PROPERTY: deleted,
            }
            lines.append(write_json(message))
        self._files["deleted"] = self._path
        append_lines(self._path, lines, sync=True)


def _source_record(row: Row, columns: Iterable[str], spec: MappingSpec) -> dict[str, object]:
    """Return a row as a source would send it to create it again, without empty fields."""
    record: dict[str, object] = {}
    for name in columns:
        value = row.get(name)
        if value is None or value == "":
            continue
        field = spec.field(name)
        data_type = field.data_type if field else ""
        if data_type == "DATE":
            value = comparable_date(value) or value
        elif data_type == "DATETIME" and (milliseconds := comparable_datetime(value)) is not None:
            instant = EPOCH + timedelta(milliseconds=milliseconds)
            value = instant.isoformat(timespec="milliseconds")
        record[name] = value
    return record
