"""The sinks of streams that go into CSV files: bulk jobs and the import of Surveys.

Files are settled, not single records: a job reports only counts, and an import by hand reports
nothing.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from typing_extensions import override

from target_gainsight.api import JobStatus, errors
from target_gainsight.loading.csv_files import CsvFile, UploadNote, file_name, row_digest
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.loading.storage.private_file import PART, remove_leftovers
from target_gainsight.mapping.columns import columns_of
from target_gainsight.mapping.csv_columns import CsvPlan, plan_job_columns, plan_survey
from target_gainsight.mapping.errors import counted, display, display_path
from target_gainsight.mapping.escaping import csv_text, one_line
from target_gainsight.sinks.stream import StreamSink

LINE_END = b"\r\n"
"""The end of a line of CSV (RFC 4180)."""
MAX_ROWS = 1_000_000
"""Rows of a file, however short: the memory that each takes must stay bounded."""
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0
MAX_JOB_HOURS = 6
COMPLETED = "COMPLETED"
FAILED = ("FAIL", "ERROR", "ABORT", "CANCEL")
CHECK_LOG = "Read the reason in its log in Gainsight, fix the job or the mapping"

NO_COLUMN = "the CSV has no column for them"


class FileSink(StreamSink):
    """Turns the records of one stream into the rows of CSV files."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's
        super().__init__(*args, **kwargs)
        self.file_counts = self.counts.by_file = self.counts.by_file or FileCounts()
        self.files: list[CsvFile] = []
        self.plan = self._plan()
        self.header = csv_text(self.plan.header).encode() + LINE_END
        self.report_columns(self.plan.unmapped, NO_COLUMN)

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        plan = self._plan()
        further = [name for name in plan.header if name not in self.plan.header]
        if further:
            self.logger.warning(
                "stream %s: later records have columns that the CSV lacks: %s. A new file is "
                "started for them. Let the tap declare all columns in its first SCHEMA message to "
                "get one file",
                display(self.stream_name),
                one_line(", ".join(further)),
            )
        if plan.header != self.plan.header:
            return False
        self.plan = plan
        self.report_columns(plan.unmapped, NO_COLUMN)
        return True

    @abstractmethod
    def _plan(self) -> CsvPlan: ...

    @abstractmethod
    def _add_row(self, line: bytes, sequence: int, retires: list[str]) -> None: ...

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        line = csv_text(self.plan.row(record)).encode() + LINE_END
        retires = self.ledger.rejects.take_retired(source, source.sequence)
        with self.streams.loading(self):
            self._add_row(line, source.sequence, retires)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing: rows are written as they arrive."""

    def count_file(self, file: CsvFile, destination: str, *, is_upload: bool = False) -> None:
        """Count a complete file; in a dry run, add it to the plan."""
        self.file_counts.files += 1
        self.file_counts.rows += file.rows
        if self.context.plan is not None:
            plan, name = self.context.plan, self.stream_name
            plan.record_file(name, file.size, destination, is_upload=is_upload)

    @override
    def abandon(self) -> None:
        """Delete rows that will not be sent; the note of a job in progress stays."""
        for file in self.files:
            file.discard()
        self.files = []


class SurveyCsvSink(FileSink):
    """Writes the records of one stream into a file that an administrator imports into Surveys.

    There is one per run, complete or not there at all; a dry run writes none.
    """

    @override
    def _plan(self) -> CsvPlan:
        return plan_survey(columns_of(self.schema), self.stream, stream=self.stream_name)

    @override
    def _add_row(self, line: bytes, sequence: int, retires: list[str]) -> None:
        if not self.files:
            folder, name = self.context.settings.survey_path, file_name(self.stream_name)
            dry_run = self.context.plan is not None
            if not dry_run:
                remove_leftovers(folder, f"{name}-*.csv{PART}")
            # A stream whose columns change during a run gets a further file.
            further = f"-{self.file_counts.files + 1}" if self.file_counts.files else ""
            path = folder / f"{name}-{self.context.summary.run}{further}.csv"
            self.files = [CsvFile(path, self.header, dry_run=dry_run)]
        self.files[0].add(line, sequence, retires)

    @override
    def settle(self) -> None:
        """Give the file its name and settle its records."""
        for file in self.files:
            file.complete()
            self.count_file(file, "a survey import")
            if self.context.plan is None:
                self.file_counts.written.append(str(file.path))
                self.logger.info("%s responses are in %s", f"{file.rows:,}", file.path)
            self.ledger.record_file(self.file_counts, file.sequences, file.retires)
        self.files = []


class BulkCsvSink(FileSink):
    """Loads one stream through one bulk job; in a dry run, nothing is written or sent.

    A file is uploaded when the job before it has ended, so that later rows are written later;
    reading goes on meanwhile. Its records are settled once its job is COMPLETED. Rows that an
    earlier run has uploaded are not sent again.

    Raises:
        RunStoppedError: By every method that writes or sends: the disk or the job refuses a file,
            a job has failed, or it is unknown whether it has taken a file.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's
        """Wait for the job of an earlier run, and read which rows earlier runs have uploaded."""
        super().__init__(*args, **kwargs)
        context = self.context
        self._job_id = self.stream.bulk_job_id
        self._api, self._journal, self._clock = context.client.bulk, context.uploads, context.clock
        self._max_bytes = self._split_at_bytes = context.settings.limits.bulk_max_file_bytes
        self._file_started_at = 0.0
        self._job: Iterator[float] = iter(())
        self._next_poll_at: float | None = None
        journal, name = self._journal, self.stream_name
        if context.plan is None:
            journal.begin(name)
        earlier = [note for note in journal.notes(name) if note.run != journal.run]
        for note in earlier:
            if note.phase == "sending":
                raise journal.unknown_outcome(note, "the run ended before the response")
            if note.phase == "sent" and context.plan is None:
                text = "%s: an earlier run uploaded %s rows; waiting for the job to process them"
                self.logger.warning(text, note, f"{note.rows:,}")
                self._start_polling(note, None)
                self._poll(until_ended=True)
        target = self._job_id, self.header.decode()
        # The digests of the rows uploaded earlier, from the last recognised one on.
        self._uploaded = journal.row_digests(n for n in earlier if (n.job_id, n.header) == target)
        self.streams.add(self)

    @override
    def _plan(self) -> CsvPlan:
        schema = self.context.schemas.get_if_readable(self.object_name)
        self.knows_fields = schema is not None
        columns, name, keys = columns_of(self.schema), self.stream_name, self.key_properties
        return plan_job_columns(columns, schema, self.stream, stream=name, keys=keys)

    @override
    def _add_row(self, line: bytes, sequence: int, retires: list[str]) -> None:
        # A row is recognised if it follows, at whatever distance, the one recognised before it. The
        # first unknown row ends this: the rows after it may be newer than those uploaded.
        if row_digest(line) in self._uploaded:
            self.file_counts.repeated += 1
            self.ledger.record_file(self.file_counts, [sequence], retires)
            return
        newest = self.files[-1] if self.files else None
        if (
            newest is None
            or newest.size + len(line) >= self._split_at_bytes
            or newest.rows >= MAX_ROWS
        ):
            self._start_file()
        self.files[-1].add(line, sequence, retires)
        self._send(keep=1)

    @override
    def send_older_than(self, seconds: float) -> None:
        """Poll the job, and send a file that is old enough for uploads to go on all day."""
        limits = self.context.settings.limits
        share = limits.quota_percent / 100
        hourly = 3600 / max(1.0, limits.bulk_calls_per_hour * share)
        daily = 86_400 / max(1.0, limits.bulk_calls_per_day * share)
        with self.streams.loading(self):
            self._poll()
            age = self._clock.now() - self._file_started_at
            if self.files and age >= max(seconds, hourly, daily):
                self._send()

    @override
    def settle(self) -> None:
        with self.streams.loading(self):
            self._send()
            self._poll(until_ended=True)

    @override
    def forget_progress(self) -> None:
        for note in self._journal.notes(self.stream_name) if self.context.plan is None else ():
            self._journal.remove(note)

    def _start_file(self) -> None:
        dry_run = self.context.plan is not None
        self.files.append(self._journal.new_file(self.stream_name, self.header, dry_run=dry_run))
        self._file_started_at = self._clock.now()

    def _send(self, *, keep: int = 0) -> None:
        """Send all files but the newest few, each once the job before has ended."""
        if len(self.files) > keep:
            self.streams.settle_object(self.object_name)
        while len(self.files) > keep:
            self._poll(until_ended=True)
            file = self.files.pop(0)
            if file.rows == 1 and file.size >= self._max_bytes:
                raise self._row_too_large(file, f"a file stays below {self._max_bytes:,} bytes")
            if self.context.plan is not None:
                self.ledger.record_file(self.file_counts, file.sequences, file.retires)
            elif not self._upload(file):
                continue
            self.count_file(file, f"bulk job {self._job_id}", is_upload=True)

    def _start_polling(self, note: UploadNote, file: CsvFile | None) -> None:
        self._job = self._poll_until_ended(note, file)
        self._next_poll_at = next(self._job)

    def _poll(self, *, until_ended: bool = False) -> None:
        """Poll the job if that is due, or until it has ended, unless the run is being stopped."""
        while self._next_poll_at is not None and (
            until_ended or self._clock.now() >= self._next_poll_at
        ):
            if self._clock.wait(max(0.0, self._next_poll_at - self._clock.now())):
                raise errors.StoppedError
            self._next_poll_at = next(self._job, None)

    def _upload(self, file: CsvFile) -> bool:
        """Upload a file, whose note is on disk before its first byte is sent.

        Returns False if the tenant refuses it as too large; then it is replaced by its halves.
        """
        file.complete()
        note = self._journal.new_note(file, self.stream_name, self._job_id)

        def open_file() -> BinaryIO:
            nonlocal note
            note = replace(note, sent_at=self._clock.now())
            self._journal.write(note)
            return file.path.open("rb")

        try:
            status_id = self._api.upload(self._job_id, file.path.name, open_file)
        except errors.UnknownOutcomeError as error:
            raise self._journal.unknown_outcome(note, str(error)) from error
        except errors.PayloadTooLargeError as error:
            self._journal.remove(note)
            self._halve(file, error)
            return False
        except errors.RefusedError as error:
            columns = self.header.decode().strip()
            advice = f"Check bulk_job_id, and that the job's columns are {columns}"
            raise self._job_error(note, f"refuses the file: {error}", advice) from error
        except errors.GainsightError:
            self._journal.remove(note)
            file.discard()
            raise
        if status_id is None:
            raise self._journal.unknown_outcome(note, "the response has no status id")
        note = replace(note, phase="sent", status_id=status_id)
        self._journal.write(note)
        self.logger.info("%s: uploaded %s (%d bytes)", note, counted(note.rows, "row"), note.size)
        self._start_polling(note, file)
        return True

    def _halve(self, refused: CsvFile, error: errors.PayloadTooLargeError) -> None:
        """Replace the refused file, and those that wait behind it, by two each."""
        if refused.rows == 1:
            raise self._row_too_large(refused, str(error))
        files, self.files = [refused, *self.files], []
        try:
            for file in files:
                file.complete()
                rows = zip(file.read_rows(), file.sequences, strict=True)
                for number, (row, sequence) in enumerate(rows):
                    if number in {0, (file.rows + 1) // 2}:
                        self._start_file()
                    self.files[-1].add(row, sequence)
                self.files[-1].retires = file.retires  # once all rows are settled
        finally:
            for file in files:
                file.discard()
        self._split_at_bytes = max(file.size for file in self.files) + 1
        self.logger.warning(
            "stream %s: the tenant refuses a file of %s bytes as too large (%s); it is sent in "
            "parts, and later files stay below %s bytes",
            display(self.stream_name),
            f"{refused.size:,}",
            error,
            f"{self._split_at_bytes:,}",
        )

    def _row_too_large(self, file: CsvFile, why: str) -> RunStoppedError:
        file.discard()
        return RunStoppedError(
            f"stream {display(self.stream_name)}: one row of {file.size:,} bytes is too large for "
            f"bulk job {display(self._job_id)}: {why}. Shorten its texts in a stream map and run "
            "again; the rows from here on will be re-sent."
        )

    def _poll_until_ended(self, note: UploadNote, file: CsvFile | None) -> Iterator[float]:
        """Poll a job and settle its file, None for one of an earlier run; yield before each poll.

        Yields when the poll is due.
        """
        began, pause = self._clock.now(), FIRST_PAUSE_SECONDS
        while True:
            yield self._clock.now() + pause
            try:
                status = self._api.status(note.status_id)
            except (errors.RefusedError, errors.NotFoundError) as error:
                raise self._journal.unknown_outcome(note, str(error)) from error
            if status.state == COMPLETED:
                self._complete(note, file, status)
                return
            if any(word in status.state for word in FAILED):
                raise self._job_error(note, f"ended as {status.state}", CHECK_LOG)
            if self._clock.now() - began > MAX_JOB_HOURS * 3600:
                message = (
                    f"{note} is still {status.state} after {MAX_JOB_HOURS} hours. Check its log in "
                    "Gainsight. The next run goes on waiting for it and sends nothing twice."
                )
                raise RunStoppedError(message)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _complete(self, note: UploadNote, file: CsvFile | None, status: JobStatus) -> None:
        """Count the rows of a file and settle its records; keep the file if rows failed."""
        self.context.lookups.on_create(self.object_name)  # look again for what was not found before
        if status.failed and status.accepted == 0:
            raise self._job_error(note, f"wrote none of the {note.rows:,} rows", CHECK_LOG)
        self._journal.write(replace(note, phase="completed"))
        accepted, failed, path = status.accepted, status.failed, self._journal.path(note)
        self.file_counts.accepted += accepted or 0
        self.file_counts.failed += failed or 0
        if accepted is None or failed is None:
            self.file_counts.unknown += note.rows
        if (accepted, failed) == (note.rows, 0):
            path.unlink(missing_ok=True)
        else:
            place = ""
            if path.exists():
                self.file_counts.kept.append(str(path))
                place = f"; the file is kept in {display_path(path)}"
            shown = ["an unknown number" if each is None else each for each in (accepted, failed)]
            text = "%s: of %s rows, %s are accepted and %s failed. Only its log in Gainsight lists "
            text += "the failed ones%s"
            self.logger.warning(text, note, note.rows, *shown, place)
        if file is not None:
            self.ledger.record_file(self.file_counts, file.sequences, file.retires, failed or 0)

    def _job_error(self, note: UploadNote, problem: str, advice: str) -> RunStoppedError:
        """Return the error for a file that was not written; its rows may be sent again."""
        self._journal.remove(note)
        return RunStoppedError(
            f"{note} {problem}. {advice}, and run again; the rows will be re-sent. The file is "
            f"kept in {display_path(self._journal.path(note))}."
        )
