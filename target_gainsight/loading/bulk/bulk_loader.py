"""Loads one stream through a bulk job: rows → CSV files → uploads, one job at a time.

A file is uploaded when the job before it has ended, so that later rows are written later; reading
goes on meanwhile. Rows that an earlier run has uploaded are not sent again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO

from target_gainsight.api import (
    BulkApi,
    Clock,
    GainsightError,
    PayloadTooLargeError,
    RefusedError,
    UnknownOutcomeError,
)
from target_gainsight.loading.bulk.csv_file import CsvFile
from target_gainsight.loading.bulk.job_poller import JobPoller
from target_gainsight.loading.bulk.upload_journal import UploadJournal, UploadNote, row_digest
from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.loading_streams import LoadingStreams
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.mapping.errors import display, display_path

logger = logging.getLogger(__name__)

MAX_ROWS = 1_000_000
"""Rows of a file, however short: the memory that each takes must stay bounded."""


@dataclass(kw_only=True)
class BulkLoader:
    """Loads one stream through one bulk job.

    Attributes:
        header: The first line of every file.
        object_name: The object that the job changes.
        streams: Settles other streams of the object before a file is sent.
        plan: Records the files in a dry run, which sends nothing.
        max_bytes: Every file stays below it.
        job: Follows the jobs of the files, one after the other.

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
    job: JobPoller = field(init=False)
    _full_at: int = field(init=False)
    _file: CsvFile | None = field(default=None, init=False)
    _file_began: float = field(default=0.0, init=False)
    _waiting: deque[CsvFile] = field(default_factory=deque, init=False)
    _uploaded: Iterator[int] = field(default_factory=lambda: iter(()), init=False)
    """The digests of the rows that earlier runs have uploaded, from the last recognised one on."""

    def __post_init__(self) -> None:
        self._full_at = self.max_bytes
        self.job = JobPoller(
            api=self.api,
            journal=self.journal,
            ledger=self.ledger,
            counts=self.counts,
            clock=self.clock,
            object_name=self.object_name,
            lookups=self.lookups,
        )

    def begin(self) -> None:
        """Wait for the job of an earlier run, and read which rows earlier runs have uploaded."""
        if self.plan is None:
            self.journal.begin(self.stream)
        for note in self.journal.earlier(self.stream):
            if note.phase == "sending":
                raise self.journal.unknown_outcome(note, "the run ended before the response")
            if note.phase == "sent" and self.plan is None:
                logger.warning(
                    "stream %s: an earlier run has sent %s rows to bulk job %s; waiting for it to "
                    "be done with them (status id %s)",
                    display(self.stream),
                    f"{note.rows:,}",
                    display(note.job_id),
                    display(note.status_id),
                )
                self.job.begin(note, None)
                self.job.finish()
        self._uploaded = self.journal.uploaded_rows(self.stream, self.job_id, self.header.decode())

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
        file = self._file
        if file and (file.size + len(line) >= self._full_at or file.rows >= MAX_ROWS):
            self.send()
        if self._file is None:
            self._file_began = self.clock.now()
            records = self.ledger.file_contents(self.stream)
            dry_run = self.plan is not None
            self._file = self.journal.new_file(self.stream, self.header, records, dry_run=dry_run)
        file = self._file
        if file.size + len(line) >= self.max_bytes:
            message = (
                f"stream {display(self.stream)}: one row has {len(line):,} bytes, but a file of a "
                f"bulk job must stay below {self.max_bytes:,}"
            )
            raise RunStoppedError(message)
        file.add(line)
        file.records.add(source)

    def send_older_than(self, seconds: float) -> None:
        """Poll the job if that is due, and send the file if it has grown for some seconds."""
        self.job.poll()
        if self._file is not None and self.clock.now() - self._file_began >= seconds:
            self.send()

    def send(self) -> None:
        """Send the rows added so far, once the job before has ended."""
        if self._file is None:
            return
        self.streams.settle_object(self.object_name)
        file, self._file = self._file, None
        if self.plan is None:
            self._waiting.append(file)
            self._send_waiting()
            return
        self.plan.record_file(self.stream, file.size, f"bulk job {self.job_id}", is_upload=True)
        self.counts.files += 1
        self.counts.rows += file.rows
        self.ledger.record_file(file.records)

    def abandon(self) -> None:
        """Delete rows that will not be sent; the note of a job in progress stays."""
        for file in (*self._waiting, *([self._file] if self._file else [])):
            file.discard()
        self._waiting.clear()
        self._file = None

    def remove_notes(self) -> None:
        """Delete the stream's notes, after the last state is written."""
        for note in self.journal.notes(self.stream) if self.plan is None else ():
            self.journal.remove(note)

    def _send_waiting(self) -> None:
        """Send a file, halved as often as the tenant refuses it as too large."""
        while self._waiting:
            self.job.finish()
            file = self._waiting.popleft()
            try:
                note = self._upload(file)
            except PayloadTooLargeError as error:
                self._halve_waiting(file, error)
                continue
            self.counts.files += 1
            self.counts.rows += note.rows
            self.job.begin(note, file.records)

    def _halve_waiting(self, refused: CsvFile, error: PayloadTooLargeError) -> None:
        """Halve a refused file and those that wait behind it, in their order."""
        if refused.rows == 1:
            message = (
                f"stream {display(self.stream)}: bulk job {display(self.job_id)} refuses a file "
                f"of one row ({refused.size:,} bytes) as too large: {error}. Shorten the row's "
                "texts in a stream map and run again; the rows from here on will be re-sent."
            )
            raise RunStoppedError(message)
        self._waiting.appendleft(refused)
        for _ in range(len(self._waiting)):
            self._waiting += self._halve(self._waiting[0])
            self._waiting.popleft()
        self._full_at = max(file.size for file in self._waiting) + 1
        logger.warning(
            "stream %s: the tenant refuses a file of %s bytes as too large (%s); it is sent in "
            "parts, and later files stay below %s bytes",
            display(self.stream),
            f"{refused.size:,}",
            error,
            f"{self._full_at:,}",
        )

    def _halve(self, whole: CsvFile) -> list[CsvFile]:
        """Replace a file by two with half of its rows each; one row stays one file."""
        whole.complete()
        halves = []
        with closing(whole.read_rows()) as rows:
            next(rows)
            for records in whole.records.split((whole.rows + 1) // 2):
                half = self.journal.new_file(self.stream, self.header, records)
                for row in islice(rows, len(records.sequences)):
                    half.add(row)
                halves.append(half)
        whole.discard()
        return halves

    def _upload(self, file: CsvFile) -> UploadNote:
        """Upload a file; its note is on disk before its first byte is sent."""
        path = file.path
        file.complete()
        note = self.journal.new_note(file, self.stream, self.job_id, self.header)

        def open_file() -> BinaryIO:
            nonlocal note
            note = replace(note, sent_at=self.clock.now())
            self.journal.write(note)
            return path.open("rb")

        try:
            response = self.api.upload(self.job_id, path.name, open_file)
        except UnknownOutcomeError as error:
            raise self.journal.unknown_outcome(note, str(error)) from error
        except GainsightError as error:
            self.journal.remove(note)
            if isinstance(error, PayloadTooLargeError):
                raise
            if isinstance(error, RefusedError):
                raise self._refused(note, error) from error
            path.unlink(missing_ok=True)
            raise
        if response.status_id is None:
            why = f"the response has no status id (request id {response.request_id})"
            raise self.journal.unknown_outcome(note, why)
        note = replace(note, phase="sent", status_id=response.status_id)
        self.journal.write(note)
        logger.info(
            "stream %s: %s rows (%s bytes) are sent to bulk job %s, status id %s",
            display(self.stream),
            f"{note.rows:,}",
            f"{note.size:,}",
            display(self.job_id),
            display(response.status_id),
        )
        return note

    def _refused(self, note: UploadNote, error: RefusedError) -> RunStoppedError:
        return RunStoppedError(
            f"stream {display(self.stream)}: bulk job {display(self.job_id)} refuses the file "
            f"{display_path(self.journal.path(note))}: {error}. Check bulk_job_id, and that "
            f"the job's columns are those of the file's first line "
            f"({self.header.decode().strip()}). Then run again; the rows will be re-sent."
        )
