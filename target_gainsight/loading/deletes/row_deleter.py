"""Delete the rows of one stream: read whole → written to a file → deleted, one call each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from target_gainsight.api import GainsightError, RefusedError, StopRunError
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.deletes.deleted_rows import DeletedRows, RowStream
from target_gainsight.loading.deletes.whole_rows import WholeRowReader, WholeRows
from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.outcomes import BatchResult, Outcome, RunStoppedError, unavailable
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.delete_writer import no_row_reason
from target_gainsight.loading.writing.delivery import ResendPolicy, deliver
from target_gainsight.loading.writing.isolation import refusal_reason
from target_gainsight.loading.writing.writer import Writer

OnSettled = Callable[[BatchResult], None]

ROWS_OF_ONE_READ = 200
"""Whole rows in memory at a time."""


class RowDeleter:
    """Deletes rows of one stream, up to a limit.

    A refused delete is sent again once others have succeeded, because rows may refer to each
    other: so the outcome does not depend on which call was faster.

    Args:
        stream: The stream.
        max_deletes: How many rows of the stream this run may delete.
        reader: Reads whole rows.
        deleted: Takes them before they are deleted.
        writer: Makes the calls.
        resends: How long deletes whose response was lost are sent again.
        pool: The calls in flight.
        plan: Counts the reads of a dry run, which deletes nothing and writes no file.
    """

    def __init__(  # noqa: PLR0913 - the parts of a delete
        self,
        *,
        stream: RowStream,
        max_deletes: int,
        reader: WholeRowReader,
        deleted: DeletedRows,
        writer: Writer,
        resends: ResendPolicy,
        pool: CallPool,
        plan: Plan | None,
    ) -> None:
        self._in_flight = 0
        self._refused: list[tuple[LoadRecord, BatchResult]] = []
        self._has_deleted = False
        self._stream = stream
        self._max_deletes = max_deletes
        self._reader = reader
        self._deleted = deleted
        self._writer = writer
        self._resends = resends
        self._pool = pool
        self._plan = plan

    @property
    def is_busy(self) -> bool:
        """Whether a delete is not settled yet."""
        return self._in_flight > 0

    def delete(self, records: Sequence[LoadRecord], on_settled: OnSettled) -> None:
        """Delete the rows of some records, each of which names one row.

        Args:
            records: The records.
            on_settled: Takes their outcomes, in this thread.

        Raises:
            RunStoppedError: There are more than `max_deletes` allows; the others are deleted.
        """
        sent = self._deleted.sent
        allowed = records[: max(0, self._max_deletes - sent[self._stream.name])]
        with self._in_progress(on_settled):
            for start in range(0, len(allowed), ROWS_OF_ONE_READ):
                part = allowed[start : start + ROWS_OF_ONE_READ]
                sent[self._stream.name] += len(part)
                if self._plan is not None:
                    self._plan.record_read()
                    self._send_each(part, on_settled)
                else:
                    self._read(part, on_settled)
        if len(allowed) < len(records):
            self.wait()
            message = (
                f"stream {self._stream.name}: the next call would delete more than max_deletes "
                f"({self._max_deletes}) rows of {self._stream.object_name} in this run. Check the "
                "records with _sdc_deleted_at, or raise max_deletes, and run again"
            )
            suggestion = (
                "Check the records with _sdc_deleted_at, or raise max_deletes, and run again."
            )
            raise RunStoppedError(message, code="too_many_deletes", suggestion=suggestion)

    def wait(self) -> None:
        """Wait until every delete is settled."""
        while self._in_flight:
            self._pool.process_completed(wait=True)

    def _read(self, records: Sequence[LoadRecord], on_settled: OnSettled) -> None:
        gsids = [str(record.gsid) for record in records]

        def on_read(found: WholeRows | GainsightError) -> None:
            self._in_flight -= 1
            with self._in_progress(on_settled):
                self._on_read(records, found, on_settled)

        self._pool.submit(lambda: self._reader.read_or_error(gsids), on_read)
        self._in_flight += 1

    def _on_read(
        self,
        records: Sequence[LoadRecord],
        found: WholeRows | GainsightError,
        on_settled: OnSettled,
    ) -> None:
        """Write the rows that were read to the file, then delete them."""
        if isinstance(found, StopRunError):
            raise found
        if isinstance(found, GainsightError):
            on_settled(unavailable(records, found))
            return
        result = BatchResult()
        to_delete, rows = [], []
        for record in records:
            row = found.get(str(record.gsid))
            if row is None:
                result.settle(record, Outcome.SKIPPED, no_row_reason(self._stream.object_name))
            elif isinstance(row, RefusedError):
                result.settle(record, Outcome.REJECTED, refusal_reason(row))
            else:
                to_delete.append(record)
                rows.append((str(record.gsid), row))
        if rows:
            self._deleted.add(self._stream, rows)
        on_settled(result)
        self._send_each(to_delete, on_settled)

    def _send_each(self, records: Sequence[LoadRecord], on_settled: OnSettled) -> None:
        for record in records:
            send = partial(deliver, self._writer, "delete", [record], self._resends)
            self._pool.submit(send, partial(self._on_sent, record, on_settled))
            self._in_flight += 1

    def _on_sent(self, record: LoadRecord, on_settled: OnSettled, result: BatchResult) -> None:
        self._in_flight -= 1
        outcomes = {settlement.outcome for settlement in result.settlements}
        self._has_deleted = self._has_deleted or Outcome.DELETED in outcomes
        with self._in_progress(on_settled):
            if Outcome.REJECTED in outcomes:
                self._refused.append((record, result))
            else:
                on_settled(result)

    @contextmanager
    def _in_progress(self, on_settled: OnSettled) -> Iterator[None]:
        """Count what is being sent or settled as in flight; at the end of all, see to refusals."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
        if self._refused and not self._in_flight:
            self._send_refused_again(on_settled)
        if not self._in_flight:
            self._has_deleted = False

    def _send_refused_again(self, on_settled: OnSettled) -> None:
        """Send refused deletes again if others have succeeded since; otherwise settle them."""
        refused, self._refused = self._refused, []
        may_succeed, self._has_deleted = self._has_deleted, False
        if may_succeed:
            with self._in_progress(on_settled):
                self._send_each([record for record, _ in refused], on_settled)
        else:
            for _, result in refused:
                on_settled(result)
