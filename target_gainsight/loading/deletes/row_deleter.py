"""Delete the rows of one stream: read whole → written to a file → deleted, one call each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from target_gainsight.api import (
    Clock,
    GainsightError,
    NotFoundError,
    ObjectNotFoundError,
    RecordsApi,
    RefusedError,
    StopRunError,
    UnreadableFieldError,
    is_in,
)
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.classification import no_row_reason
from target_gainsight.loading.deletes.deleted_rows import DeletedRows, RowStream
from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.outcomes import (
    BatchResult,
    Outcome,
    RunStoppedError,
    unavailable,
)
from target_gainsight.loading.reading.current_rows import GSID, ObjectReader, Row
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.delivery import ResendPolicy, deliver
from target_gainsight.loading.writing.isolation import refusal_reason
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved, Writer

ROWS_OF_ONE_READ = 200
"""Whole rows in memory at a time."""

WholeRows = dict[str, "Row | RefusedError"]
"""GSID to its row, or to why it cannot be read; a row that does not exist is left out."""


@dataclass(kw_only=True)
class RowDeleter:
    """Deletes rows of one stream, up to a limit.

    Attributes:
        max_deletes: How many rows of the stream this run may delete.
        deleted: Takes whole rows before they are deleted.
        plan: Counts the reads of a dry run, which deletes nothing and writes no file.
    """

    stream: RowStream
    max_deletes: int
    reader: WholeRowReader
    deleted: DeletedRows
    writer: Writer
    resends: ResendPolicy
    pool: CallPool
    plan: Plan | None

    def delete(
        self, records: Sequence[LoadRecord], on_settled: Callable[[BatchResult], None]
    ) -> None:
        """Delete the rows of some records, each of which names one row, and settle them all.

        A refused delete is sent again once others have succeeded, because rows may refer to each
        other: so the outcome does not depend on which call was faster.

        Raises:
            RunStoppedError: There are more than `max_deletes` allows; the others are deleted.
        """
        counts, name = self.deleted.sent, self.stream.name
        allowed = records[: max(0, self.max_deletes - counts[name])]
        refused: list[BatchResult] = []
        for start in range(0, len(allowed), ROWS_OF_ONE_READ):
            part = allowed[start : start + ROWS_OF_ONE_READ]
            counts[name] += len(part)
            if self.plan is None:
                part = self._save(part, on_settled)
            else:
                self.plan.record_read()
            refused += self._send(part, on_settled)
        sent = len(allowed)
        while len(refused) < sent:
            sent = len(refused)
            refused = self._send([each.settlements[0].record for each in refused], on_settled)
        for result in refused:
            on_settled(result)
        if len(allowed) < len(records):
            suggestion = (
                "Check the records with _sdc_deleted_at, or raise max_deletes, and run again"
            )
            message = (
                f"stream {name}: the next call would delete more than max_deletes "
                f"({self.max_deletes}) rows of {self.stream.object_name} in this run. "
                f"{suggestion}"
            )
            raise RunStoppedError(message, code="too_many_deletes", suggestion=f"{suggestion}.")

    def _save(
        self, records: Sequence[LoadRecord], on_settled: Callable[[BatchResult], None]
    ) -> list[LoadRecord]:
        """Write the rows of some records to the file; return the records that have one."""
        try:
            found = self.reader.read([str(record.gsid) for record in records])
        except StopRunError:
            raise
        except GainsightError as error:
            on_settled(unavailable(records, error))
            return []
        result = BatchResult()
        to_delete, rows = [], []
        for record in records:
            row = found.get(str(record.gsid))
            if row is None:
                result.settle(record, Outcome.SKIPPED, no_row_reason(self.stream.object_name))
            elif isinstance(row, RefusedError):
                result.settle(record, Outcome.REJECTED, refusal_reason(row))
            else:
                to_delete.append(record)
                rows.append((str(record.gsid), row))
        if rows:
            self.deleted.add(self.stream, rows)
        on_settled(result)
        return to_delete

    def _send(
        self, records: Sequence[LoadRecord], on_settled: Callable[[BatchResult], None]
    ) -> list[BatchResult]:
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
            send = partial(deliver, self.writer, "delete", [record], self.resends)
            self.pool.submit(send, partial(on_sent, record))
        while in_flight:
            self.pool.process_completed(wait=True)
        return refused


class WholeRowReader:
    """Reads rows with every field of the object that can be read.

    Args:
        fields: The fields of the object; none where its metadata is unknown.
    """

    def __init__(self, records: RecordsApi, object_name: str, fields: Sequence[str]) -> None:
        self._records = records
        self._object_name = object_name
        self._fields = [name for name in fields if name != GSID]

    def read(self, gsids: Sequence[str]) -> WholeRows:
        """Read rows with one query, or one by one where the tenant refuses that."""
        while self._fields:
            select, where = (GSID, *self._fields), is_in(GSID, list(gsids))
            try:
                found = self._records.query(
                    self._object_name, select=select, where=where, limit=len(gsids)
                )
                by_gsid: WholeRows = {str(row.get(GSID)): row for row in found}
            except UnreadableFieldError as error:
                readable = [name for name in self._fields if name not in error.fields]
                if len(readable) == len(self._fields):
                    break
                self._fields = readable
            except RefusedError:
                break
            else:
                if by_gsid.keys() <= set(gsids):
                    return by_gsid
                break  # the filter was ignored
        return self._read_each(gsids)

    def _read_each(self, gsids: Sequence[str]) -> WholeRows:
        """Read row by row: such a call selects no fields, so that none can be refused."""
        rows: WholeRows = {}
        for gsid in gsids:
            try:
                rows[gsid] = self._records.get(self._object_name, gsid)
            except NotFoundError:
                continue
            except RefusedError as error:
                rows[gsid] = error
        return rows


@dataclass
class DeleteWriter(Writer):
    """Deletes the rows of one object by their GSIDs."""

    records: RecordsApi
    object_name: str
    clock: Clock
    batch_size: int = 1
    after_lost_response: ClassVar[str] = "looking up the row"

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Delete one row. A refused delete is looked up: perhaps there is no such row."""
        (record,) = batch
        sent_at = self.clock.now()
        try:
            self.records.delete(self.object_name, str(record.gsid), repeatable=False)
        except ObjectNotFoundError:
            raise
        except (RefusedError, NotFoundError) as error:
            return [Unresolved(record, sent_at, str(error), reason=refusal_reason(error))]
        result.settle(record, WRITTEN[action], gsid=record.gsid)
        return []

    def recover(self, unresolved: Sequence[Unresolved], result: BatchResult) -> Batch:
        """Look rows up; those that are gone were deleted, or by someone else before our call."""
        gsids = [str(each.record.gsid) for each in unresolved]
        rows = ObjectReader(self.records, self.object_name).read(
            (GSID,), (), is_in(GSID, gsids), lambda row: str(row.get(GSID)) in gsids
        )
        present = {str(row.get(GSID)) for row in rows}
        for each in unresolved:
            record = each.record
            if str(record.gsid) in present:
                continue
            if each.reason is None or each.resent:
                result.settle(record, Outcome.DELETED, gsid=record.gsid)
            else:
                result.settle(record, Outcome.SKIPPED, no_row_reason(self.object_name))
        return ()
