"""Loads one stream through a bulk job: rows → CSV files → uploads, one job at a time.

A file is uploaded when the job before it has ended, so that later rows are written later; reading
goes on meanwhile. A job reports counts only, so records are settled by their file, once its job is
COMPLETED. Rows that an earlier run has uploaded are not sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO

from target_gainsight.api import (
    BulkApi,
    Clock,
    GainsightError,
    JobStatus,
    NotFoundError,
    PayloadTooLargeError,
    RefusedError,
    StoppedError,
    UnknownOutcomeError,
)
from target_gainsight.loading.bulk.csv_file import CsvFile, row_digest
from target_gainsight.loading.bulk.upload_journal import UploadJournal, UploadNote
from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.loading_streams import LoadingStreams
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.settling.ledger import FileContents, Ledger
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.mapping.errors import display, display_path

logger = logging.getLogger(__name__)

MAX_ROWS = 1_000_000
"""Rows of a file, however short: the memory that each takes must stay bounded."""
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0
MAX_JOB_HOURS = 6
COMPLETED = "COMPLETED"
FAILED = ("FAIL", "ERROR", "ABORT", "CANCEL")
CHECK_LOG = "Read the reason in its log in Gainsight, fix the job or the mapping"


@dataclass
class RunningJob:
    """A job that is working on a file; the records are None for a file of an earlier run."""

    note: UploadNote
    records: FileContents | None
    began: float
    due: float
    pause: float = FIRST_PAUSE_SECONDS


@dataclass(kw_only=True)
class BulkLoader:
    """Loads one stream through one bulk job; in a dry run, nothing is written or sent.

    Raises:
        RunStoppedError: By every method that writes or sends: the disk or the job refuses a file,
            a job has failed, or it is unknown whether it has taken a file.
    """

    stream: str
    job_id: str
    header: bytes
    api: BulkApi
    journal: UploadJournal
    ledger: Ledger
    counts: FileCounts
    clock: Clock
    object_name: str
    streams: LoadingStreams
    lookups: LookupIndex
    plan: Plan | None = None
    max_bytes: int
    _full_at: int = field(init=False)
    _files: list[CsvFile] = field(default_factory=list, init=False)
    """What is to be sent: the file that grows, or the parts of one that was too large."""
    _file_began: float = field(default=0.0, init=False)
    _job: RunningJob | None = field(default=None, init=False)
    _uploaded: Iterator[int] = field(default_factory=lambda: iter(()), init=False)
    """The digests of the rows that earlier runs have uploaded, from the last recognised one on."""

    def __post_init__(self) -> None:
        self._full_at = self.max_bytes

    def begin(self) -> None:
        """Wait for the job of an earlier run, and read which rows earlier runs have uploaded."""
        if self.plan is None:
            self.journal.begin(self.stream)
        notes = [note for note in self.journal.notes(self.stream) if note.run != self.journal.run]
        for note in notes:
            if note.phase == "sending":
                raise self.journal.unknown_outcome(note, "the run ended before the response")
            if note.phase == "sent" and self.plan is None:
                sent = f"{note.rows:,} rows"
                logger.warning("%s has %s; waiting for it to be done with them", note, sent)
                self._follow(note, None)
                self.finish_job()
        target = self.job_id, self.header.decode()
        self._uploaded = self.journal.rows(n for n in notes if (n.job_id, n.header) == target)

    def add(self, line: bytes, source: SourceRecord) -> None:
        """Add one row, given as a line of CSV."""
        # A row is recognised if it follows, at whatever distance, the one recognised before it. The
        # first unknown row ends this: the rows after it may be newer than those uploaded.
        if row_digest(line) in self._uploaded:
            self.counts.repeated += 1
            repeated = self.ledger.file_contents(self.stream)
            repeated.add(source)
            self.ledger.record_file(repeated)
            return
        if self._files:
            file = self._files[0]
            if file.size + len(line) >= self._full_at or file.rows >= MAX_ROWS:
                self.send()
        if not self._files:
            self._file_began = self.clock.now()
            records, dry_run = self.ledger.file_contents(self.stream), self.plan is not None
            file = self.journal.new_file(self.stream, self.header, records, dry_run=dry_run)
            self._files = [file]
        [file] = self._files
        if file.size + len(line) >= self.max_bytes:
            raise self._row_too_large(len(line), f"a file stays below {self.max_bytes:,} bytes")
        file.add(line)
        file.records.add(source)

    def send_older_than(self, seconds: float) -> None:
        """Poll the job if that is due, and send the file if it has grown for some seconds."""
        self._poll()
        if self._files and self.clock.now() - self._file_began >= seconds:
            self.send()

    def send(self) -> None:
        """Send the rows added so far, once the job before has ended.

        A file is halved as often as the tenant refuses it as too large.
        """
        if self._files:
            self.streams.settle_object(self.object_name)
        while self._files:
            if self.plan is not None:
                file = self._files.pop()
                kind = f"bulk job {self.job_id}"
                self.plan.record_file(self.stream, file.size, kind, is_upload=True)
                self.ledger.record_file(file.records)
            else:
                self.finish_job()
                file = self._files.pop(0)
                try:
                    note = self._upload(file)
                except PayloadTooLargeError as error:
                    self._halve([file, *self._files], error)
                    continue
                self._follow(note, file.records)
            self.counts.files += 1
            self.counts.rows += file.rows

    def finish_job(self) -> None:
        """Wait until the job has ended, unless the run is being stopped (StoppedError)."""
        while self._job is not None:
            if self.clock.wait(max(0.0, self._job.due - self.clock.now())):
                raise StoppedError
            self._poll()

    def abandon(self) -> None:
        """Delete rows that will not be sent; the note of a job in progress stays."""
        for file in self._files:
            file.discard()
        self._files = []

    def remove_notes(self) -> None:
        """Delete the stream's notes, after the last state is written."""
        for note in self.journal.notes(self.stream) if self.plan is None else ():
            self.journal.remove(note)

    def _upload(self, file: CsvFile) -> UploadNote:
        """Upload a file; its note is on disk before its first byte is sent."""
        file.complete()
        note = self.journal.new_note(file, self.stream, self.job_id, self.header)

        def open_file() -> BinaryIO:
            nonlocal note
            note = replace(note, sent_at=self.clock.now())
            self.journal.write(note)
            return file.path.open("rb")

        try:
            status_id = self.api.upload(self.job_id, file.path.name, open_file)
        except UnknownOutcomeError as error:
            raise self.journal.unknown_outcome(note, str(error)) from error
        except GainsightError as error:
            self.journal.remove(note)
            if isinstance(error, PayloadTooLargeError):
                raise
            if isinstance(error, RefusedError):
                columns = self.header.decode().strip()
                advice = f"Check bulk_job_id, and that the job's columns are {columns}"
                raise self._failed(note, f"refuses the file: {error}", advice) from error
            file.discard()
            raise
        if status_id is None:
            raise self.journal.unknown_outcome(note, "the response has no status id")
        note = replace(note, phase="sent", status_id=status_id)
        self.journal.write(note)
        logger.info("%s has %s rows (%s bytes)", note, f"{note.rows:,}", f"{note.size:,}")
        return note

    def _halve(self, files: Sequence[CsvFile], error: PayloadTooLargeError) -> None:
        """Replace the refused file, and those that wait behind it, by two each."""
        self._files = list(files)
        if files[0].rows == 1:
            raise self._row_too_large(files[0].size, str(error))
        halves = []
        for whole in files:
            whole.complete()
            with closing(whole.read_rows()) as rows:
                next(rows)
                for records in whole.records.split((whole.rows + 1) // 2):
                    half = self.journal.new_file(self.stream, self.header, records)
                    for row in islice(rows, len(records.sequences)):
                        half.add(row)
                    halves.append(half)
            whole.discard()
        self._files = halves
        self._full_at = max(file.size for file in halves) + 1
        logger.warning(
            "stream %s: the tenant refuses a file of %s bytes as too large (%s); it is sent in "
            "parts, and later files stay below %s bytes",
            display(self.stream),
            f"{files[0].size:,}",
            error,
            f"{self._full_at:,}",
        )

    def _row_too_large(self, size: int, why: str) -> RunStoppedError:
        return RunStoppedError(
            f"stream {display(self.stream)}: one row of {size:,} bytes is too large for bulk job "
            f"{display(self.job_id)}: {why}. Shorten its texts in a stream map and run again; the "
            "rows from here on will be re-sent."
        )

    def _follow(self, note: UploadNote, records: FileContents | None) -> None:
        """Follow a job that has got a file."""
        now = self.clock.now()
        self._job = RunningJob(note, records, began=now, due=now + FIRST_PAUSE_SECONDS)

    def _poll(self) -> None:
        """Fetch the job's status if that is due."""
        job, now = self._job, self.clock.now()
        if job is None or now < job.due:
            return
        note = job.note
        try:
            status = self.api.status(note.status_id)
        except (RefusedError, NotFoundError) as error:
            raise self.journal.unknown_outcome(note, str(error)) from error
        if status.state == COMPLETED:
            self._complete(job, status)
        elif any(word in status.state for word in FAILED):
            raise self._failed(note, f"ended as {status.state}", CHECK_LOG)
        elif now - job.began > MAX_JOB_HOURS * 3600:
            message = (
                f"{note} is still {status.state} after {MAX_JOB_HOURS} hours. Check its log in "
                "Gainsight. The next run goes on waiting for it and sends nothing twice."
            )
            raise RunStoppedError(message)
        else:
            job.pause = min(job.pause * 2, MAX_PAUSE_SECONDS)
            job.due = self.clock.now() + job.pause

    def _complete(self, job: RunningJob, status: JobStatus) -> None:
        """Count the rows of a file and settle its records; keep the file if rows failed."""
        note, self._job = job.note, None
        self.lookups.on_create(self.object_name)  # look again for what was not found before
        if status.failed and status.accepted == 0:
            raise self._failed(note, f"wrote none of the {note.rows:,} rows", CHECK_LOG)
        self.journal.write(replace(note, phase="completed"))
        accepted, failed, path = status.accepted, status.failed, self.journal.path(note)
        self.counts.accepted += accepted or 0
        self.counts.failed += failed or 0
        if accepted is None or failed is None:
            self.counts.unknown += note.rows
        if (accepted, failed) == (note.rows, 0):
            path.unlink(missing_ok=True)
        elif path.exists():
            self.counts.kept.append(str(path))
            logger.warning(
                "%s: of %s rows, %s are accepted and %s failed. Only its log in Gainsight lists "
                "the failed ones; the file is kept in %s",
                note,
                note.rows,
                "an unknown number" if accepted is None else accepted,
                "an unknown number" if failed is None else failed,
                display_path(path),
            )
        if job.records is not None:
            self.ledger.record_file(job.records, failed or 0)

    def _failed(self, note: UploadNote, problem: str, advice: str) -> RunStoppedError:
        """Return the error for a file that was not written; its rows may be sent again."""
        self._job = None
        self.journal.remove(note)
        return RunStoppedError(
            f"{note} {problem}. {advice}, and run again; the rows will be re-sent. The file is "
            f"kept in {display_path(self.journal.path(note))}."
        )
