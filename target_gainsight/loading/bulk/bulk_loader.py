"""Rows → CSV files → a bulk job, one file after the other; ``job_progress`` settles them.

One job of a stream is in progress at a time, so that what came later is written later; reading
goes on meanwhile. No row is sent that an earlier run has sent.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from target_gainsight.api import (
    MAX_FILE_BYTES,
    GainsightError,
    PayloadTooLargeError,
    RefusedError,
    UnknownOutcomeError,
)
from target_gainsight.loading.bulk.csv_file import CountedFile, SpooledFile
from target_gainsight.loading.bulk.job_poller import JobPoller
from target_gainsight.loading.bulk.upload_file import UploadFile, halve
from target_gainsight.loading.bulk.upload_journal import UploadedRows, row_digest, with_phase
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.settling.file_contents import FileContents
from target_gainsight.mapping.errors import shown, shown_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_gainsight.api import BulkApi, Clock
    from target_gainsight.loading.bulk.upload_journal import UploadJournal, UploadNote
    from target_gainsight.loading.dry_run.plan import Plan
    from target_gainsight.loading.records import SourceRecord
    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.settling.summary import FileCounts
    from target_gainsight.loading.watermark import Watermark

logger = logging.getLogger(__name__)

MOST_ROWS = 1_000_000
"""Rows of a file, however short they are: what is remembered of each must stay bounded."""


class BulkLoader:
    """Loads one stream through one bulk job.

    Args:
        stream: The stream.
        job_id: The job.
        header: The first line of every file.
        api: Calls the tenant.
        journal: What is written down about uploads.
        watermark: How far the stream's sink is settled.
        ledger: Takes the settled files.
        counts: Takes the counts.
        clock: Tells the time and waits.
        settle_others: Settles what other streams hold for the same object.
        wrote: Is told when the object has changed.
        plan: Takes note of the files in a dry run, in which nothing is sent.
        most_bytes: A file stays below it.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that it works with
        self,
        *,
        stream: str,
        job_id: str,
        header: bytes,
        api: BulkApi,
        journal: UploadJournal,
        watermark: Watermark,
        ledger: Ledger,
        counts: FileCounts,
        clock: Clock,
        settle_others: Callable[[], None],
        wrote: Callable[[], None],
        plan: Plan | None = None,
        most_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        self._stream = stream
        self._job_id = job_id
        self._header = header
        self._api = api
        self._journal = journal
        self._watermark = watermark
        self._ledger = ledger
        self._counts = counts
        self._clock = clock
        self._settle_others = settle_others
        self._plan = plan
        self._most_bytes = most_bytes
        self._full_at = most_bytes
        self._file: UploadFile | None = None
        self._waiting: deque[UploadFile] = deque()
        self._began = 0.0
        self._earlier = UploadedRows()
        self._job = JobPoller(
            api=api, journal=journal, ledger=ledger, counts=counts, clock=clock, wrote=wrote
        )

    def begin(self) -> None:
        """Wait for what an earlier run has left in progress, and learn which rows it has sent.

        Raises:
            RunStoppedError: It cannot be told whether a file was taken.
        """
        if self._plan is None:
            self._journal.begin(self._stream)
        for note in self._journal.earlier(self._stream):
            self._resume(note)
        earlier = self._journal.earlier(self._stream)
        self._earlier = self._journal.rows(earlier, self._job_id, self._header.decode())

    def add(self, line: bytes, source: SourceRecord) -> None:
        """Take one row.

        Args:
            line: The row as a line of CSV.
            source: The record that it was.

        Raises:
            RunStoppedError: It cannot be spooled, or a full file is not taken.
        """
        retires = self._ledger.retired_by(source)
        if self._earlier.consume(row_digest(line)):
            self._counts.repeated += 1
            self._ledger.record_repeated(source, retires)
            return
        if self._file is not None and self._is_full(self._file, line):
            self.send()
        self._file = file = self._file or self._new_file()
        if file.csv.size + len(line) >= self._most_bytes:
            message = (
                f"stream {shown(self._stream)}: one row has {len(line):,} bytes, and a file of a "
                f"bulk job stays below {self._most_bytes:,}"
            )
            raise RunStoppedError(message)
        file.add(line, source, retires)

    def send_older_than(self, seconds: float) -> None:
        """Send a file that has waited too long, and see how far the job is.

        Args:
            seconds: How long a file may grow.
        """
        self._job.poll()
        if self._file is not None and self._clock.now() - self._began >= seconds:
            self.send()

    def send(self) -> None:
        """Send the rows taken so far, once the job before has ended.

        Raises:
            RunStoppedError: The job does not take them, or it cannot be told whether it has.
        """
        if self._file is None:
            return
        self._settle_others()
        file, self._file = self._file, None
        if self._plan is None:
            self._waiting.append(file)
            self._send_waiting()
        else:
            self._plan_file(self._plan, file)

    def finish(self) -> None:
        """Wait until the job in progress has ended.

        Raises:
            RunStoppedError: It failed, or takes too long.
            StoppedError: The run is being stopped.
        """
        self._job.finish()

    def abandon(self) -> None:
        """Take away rows that will not be sent any more; a job in progress stays noted."""
        for file in (*self._waiting, *([self._file] if self._file else [])):
            file.csv.discard()
        self._waiting.clear()
        self._file = None

    def remove_notes(self) -> None:
        """Take the stream's notes away: the last state is out."""
        if self._plan is None:
            self._journal.remove_stream(self._stream)

    def _is_full(self, file: UploadFile, line: bytes) -> bool:
        return file.csv.size + len(line) >= self._full_at or file.csv.rows >= MOST_ROWS

    def _new_file(self) -> UploadFile:
        self._began = self._clock.now()
        records = FileContents(self._stream, self._watermark)
        if self._plan is not None:
            return UploadFile(CountedFile(self._header), records)
        note = self._journal.new_note(self._stream, self._job_id, self._header.decode())
        return UploadFile(SpooledFile(self._journal.csv_path(note), self._header), records, note)

    def _plan_file(self, plan: Plan, file: UploadFile) -> None:
        self._count_file(file)
        plan.note_file(self._stream, file.csv.size, f"bulk job {self._job_id}", upload=True)
        self._ledger.record_file(file.records, failed=0)

    def _send_waiting(self) -> None:
        """Send a file, in smaller and smaller parts where the tenant finds it too large."""
        while self._waiting:
            self.finish()
            file = self._waiting.popleft()
            try:
                note = self._send_file(file)
            except PayloadTooLargeError as error:
                self._make_smaller(file, error)
            else:
                self._job.begin(note, file.records)

    def _make_smaller(self, refused: UploadFile, error: PayloadTooLargeError) -> None:
        """Halve a refused file and those that wait behind it, in their order."""
        if refused.csv.rows == 1:
            message = (
                f"stream {shown(self._stream)}: bulk job {shown(self._job_id)} refuses a file of "
                f"one row ({refused.csv.size:,} bytes) as too large: {error}. Shorten the row's "
                "texts in a stream map and run again; the state stays before it"
            )
            raise RunStoppedError(message)
        self._waiting.appendleft(refused)
        for _ in range(len(self._waiting)):
            self._waiting += halve(self._waiting[0], self._header, self._journal)
            self._waiting.popleft()
        self._full_at = max(file.csv.size for file in self._waiting) + 1
        logger.warning(
            "stream %s: the tenant refuses a file of %s bytes as too large (%s); it is sent in "
            "parts, and later files stay below %s bytes",
            shown(self._stream),
            f"{refused.csv.size:,}",
            error,
            f"{self._full_at:,}",
        )

    def _send_file(self, file: UploadFile) -> UploadNote:
        note = file.complete()
        self._journal.write_digests(note, file.digests)
        note = self._upload(note)
        self._count_file(file)
        return note

    def _count_file(self, file: UploadFile) -> None:
        self._counts.files += 1
        self._counts.rows += file.csv.rows

    def _upload(self, note: UploadNote) -> UploadNote:
        """Send a file and write down by what its progress is asked."""
        noted = note

        def open_file() -> BinaryIO:
            nonlocal noted
            noted = replace(note, sent_at=self._clock.now())
            self._journal.write(noted)
            return self._journal.csv_path(note).open("rb")

        try:
            answer = self._api.upload(self._job_id, f"{note.name}.csv", open_file)
        except UnknownOutcomeError as error:
            raise RunStoppedError(
                self._journal.unknown_outcome_message(noted, str(error))
            ) from error
        except PayloadTooLargeError:
            self._journal.remove(note)
            raise
        except RefusedError as error:
            self._journal.remove(note)
            raise RunStoppedError(self._refused(note, error)) from error
        except GainsightError:
            self._journal.remove(note)
            self._journal.csv_path(note).unlink(missing_ok=True)
            raise
        if answer.status_id is None:
            told = f"the answer names no status id (request id {answer.request_id})"
            raise RunStoppedError(self._journal.unknown_outcome_message(noted, told))
        noted = with_phase(noted, "sent", answer.status_id)
        self._journal.write(noted)
        logger.info(
            "stream %s: %s rows (%s bytes) are sent to bulk job %s, status id %s",
            shown(self._stream),
            f"{note.rows:,}",
            f"{note.size:,}",
            shown(self._job_id),
            shown(answer.status_id),
        )
        return noted

    def _resume(self, note: UploadNote) -> None:
        """Deal with a file of an earlier run."""
        if note.phase == "sending":
            raise RunStoppedError(
                self._journal.unknown_outcome_message(note, "the run ended before it was answered")
            )
        if note.phase == "sent" and self._plan is None:
            logger.warning(
                "stream %s: an earlier run has sent %s rows to bulk job %s; waiting for it to be "
                "done with them (status id %s)",
                shown(self._stream),
                f"{note.rows:,}",
                shown(note.job_id),
                shown(note.status_id),
            )
            self._job.begin(note, None)
            self._job.finish()

    def _refused(self, note: UploadNote, error: RefusedError) -> str:
        return (
            f"stream {shown(self._stream)}: bulk job {shown(self._job_id)} does not take the file "
            f"{shown_path(self._journal.csv_path(note))}: {error}. Check bulk_job_id, and that the "
            f"job's columns are those of the file's first line ({self._header.decode().strip()}); "
            "the state stays before its rows"
        )
