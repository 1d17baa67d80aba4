"""Rows → CSV files → a bulk job → settled files. What a job makes of a file it tells in counts.

One job of a stream is in progress at a time, so that what came later is written later; reading
goes on meanwhile. Records are settled by their file, and only once its job is COMPLETED.
"""

from __future__ import annotations

import logging
from array import array
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, BinaryIO

from target_gainsight.api import (
    MAX_FILE_BYTES,
    GainsightError,
    NotFoundError,
    OutcomeUnclearError,
    RefusedError,
    RejectRecordsError,
    StoppedError,
)
from target_gainsight.loading.filed import FiledRecords
from target_gainsight.loading.files import CountedFile, SpooledFile
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.uploads import advanced, row_digest
from target_gainsight.mapping.field_errors import shown, shown_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_gainsight.api import BulkApi, Clock, JobStatus
    from target_gainsight.loading.checkpoint import Watermark
    from target_gainsight.loading.ledger import Ledger
    from target_gainsight.loading.outcomes import Arrival
    from target_gainsight.loading.plan import Plan
    from target_gainsight.loading.summary import FileCounts
    from target_gainsight.loading.uploads import UploadNote, UploadNotes

logger = logging.getLogger(__name__)

MOST_ROWS = 1_000_000
"""Rows of a file, however short they are: what is remembered of each must stay bounded."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
MOST_JOB_SECONDS = 6 * 3600.0
COMPLETED = "COMPLETED"
IN_PROGRESS = ("INIT", "IN_PROGRESS")
FAILED = ("FAIL", "ERROR", "ABORT", "CANCEL")


@dataclass
class RunningJob:
    """A file that a job is at work on.

    Attributes:
        note: The file's note.
        since: When waiting for it began.
        records: What the file holds; None for one of an earlier run.
        pause: Seconds between the last question and the next.
        due: When to ask next.
        told: Whether an unknown state was told of.
    """

    note: UploadNote
    since: float
    records: FiledRecords | None
    pause: float = FIRST_PAUSE_SECONDS
    due: float = 0.0
    told: bool = False


class BulkLoader:
    """Loads one stream through one bulk job.

    Args:
        stream: The stream.
        job_id: The job.
        header: The first line of every file.
        api: Calls the tenant.
        notes: What is written down about uploads.
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
        notes: UploadNotes,
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
        self._notes = notes
        self._watermark = watermark
        self._ledger = ledger
        self._counts = counts
        self._clock = clock
        self._settle_others = settle_others
        self._wrote = wrote
        self._plan = plan
        self._most_bytes = most_bytes
        self._file: SpooledFile | CountedFile | None = None
        self._note: UploadNote | None = None
        self._records = FiledRecords(stream, watermark)
        self._digests = array("Q")
        self._began = 0.0
        self._job: RunningJob | None = None

    def begin(self) -> None:
        """Wait for what an earlier run has left in progress, and learn which rows it has sent.

        Raises:
            RunStoppedError: It cannot be told whether a file was taken.
        """
        if self._plan is None:
            self._notes.begin(self._stream)
        for note in self._notes.earlier(self._stream):
            self._resume(note)
        earlier = self._notes.earlier(self._stream)
        self._earlier = self._notes.rows(earlier, self._job_id, self._header.decode())

    def add(self, line: bytes, arrival: Arrival) -> None:
        """Take one row.

        Args:
            line: The row as a line of CSV.
            arrival: The record that it was.

        Raises:
            RunStoppedError: It cannot be spooled, or a full file is not taken.
        """
        digest = row_digest(line)
        retires = self._ledger.retired_by(arrival)
        if self._earlier.take(digest):
            self._counts.repeated += 1
            self._ledger.enter_repeated(arrival, retires)
            return
        if self._file is not None and self._is_full(self._file, line):
            self.send()
        file = self._file or self._new_file()
        if file.size + len(line) >= self._most_bytes:
            message = (
                f"stream {shown(self._stream)}: one row has {len(line):,} bytes, and a file of a "
                f"bulk job stays below {self._most_bytes:,}"
            )
            raise RunStoppedError(message)
        file.add(line)
        self._records.add(arrival, retires)
        self._digests.append(digest)

    def send_older_than(self, seconds: float) -> None:
        """Send a file that has waited too long, and see how far the job is.

        Args:
            seconds: How long a file may grow.
        """
        if self._job is not None and self._clock.now() >= self._job.due:
            self._ask(self._job)
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
        self.finish()
        file, note, records, digests = self._file, self._note, self._records, self._digests
        self._file, self._note = None, None
        self._records, self._digests = FiledRecords(self._stream, self._watermark), array("Q")
        if isinstance(file, SpooledFile) and note is not None:
            self._job = self._running(self._send_file(file, note, digests), records)
        else:
            self._plan_file(file, records)

    def finish(self) -> None:
        """Wait until the job in progress has ended.

        Raises:
            RunStoppedError: It failed, or takes too long.
            StoppedError: The run is being stopped.
        """
        while self._job is not None:
            if self._clock.wait(max(0.0, self._job.due - self._clock.now())):
                raise StoppedError
            self._ask(self._job)

    def abandon(self) -> None:
        """Take away rows that will not be sent any more; a job in progress stays noted."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def forget(self) -> None:
        """Take the stream's notes away: the last state is out."""
        if self._plan is None:
            self._notes.forget_stream(self._stream)

    def _is_full(self, file: SpooledFile | CountedFile, line: bytes) -> bool:
        return file.size + len(line) >= self._most_bytes or file.rows >= MOST_ROWS

    def _new_file(self) -> SpooledFile | CountedFile:
        self._began = self._clock.now()
        if self._plan is not None:
            self._file = CountedFile(self._header)
            return self._file
        note = self._notes.new_note(self._stream, self._job_id, self._header.decode())
        spooled = SpooledFile(self._notes.csv_path(note), self._header)
        self._file, self._note = spooled, note
        return spooled

    def _plan_file(self, file: SpooledFile | CountedFile, records: FiledRecords) -> None:
        self._count_file(file)
        if self._plan is not None:
            self._plan.note_file(self._stream, file.size, f"bulk job {self._job_id}", upload=True)
        self._ledger.enter_file(records, failed=0)

    def _send_file(self, file: SpooledFile, note: UploadNote, digests: array[int]) -> UploadNote:
        file.complete()
        note = replace(note, rows=file.rows, size=file.size, sha256=file.sha256)
        self._notes.write_digests(note, digests)
        note = self._upload(note)
        self._count_file(file)
        return note

    def _count_file(self, file: SpooledFile | CountedFile) -> None:
        self._counts.files += 1
        self._counts.rows += file.rows

    def _upload(self, note: UploadNote) -> UploadNote:
        """Send a file and write down by what its progress is asked."""
        noted = note

        def open_file() -> BinaryIO:
            nonlocal noted
            noted = replace(note, sent_at=self._clock.now())
            self._notes.write(noted)
            return self._notes.csv_path(note).open("rb")

        try:
            answer = self._api.upload(self._job_id, f"{note.name}.csv", open_file)
        except OutcomeUnclearError as error:
            raise RunStoppedError(self._unclear(noted, str(error))) from error
        except RefusedError as error:
            self._notes.forget(note)
            raise RunStoppedError(self._refused(note, error)) from error
        except GainsightError:
            self._notes.forget(note)
            self._notes.csv_path(note).unlink(missing_ok=True)
            raise
        if answer.status_id is None:
            told = f"the answer names no status id (request id {answer.request_id})"
            raise RunStoppedError(self._unclear(noted, told))
        noted = advanced(noted, "sent", answer.status_id)
        self._notes.write(noted)
        logger.info(
            "stream %s: %s rows (%s bytes) are sent to bulk job %s, status id %s",
            shown(self._stream),
            f"{note.rows:,}",
            f"{note.size:,}",
            shown(self._job_id),
            shown(answer.status_id),
        )
        return noted

    def _running(self, note: UploadNote, records: FiledRecords | None) -> RunningJob:
        now = self._clock.now()
        return RunningJob(note, now, records, due=now + FIRST_PAUSE_SECONDS)

    def _resume(self, note: UploadNote) -> None:
        """Deal with a file of an earlier run."""
        if note.phase == "sending":
            raise RunStoppedError(self._unclear(note, "the run ended before it was answered"))
        if note.phase == "sent" and self._plan is None:
            logger.warning(
                "stream %s: an earlier run has sent %s rows to bulk job %s; waiting for it to be "
                "done with them (status id %s)",
                shown(self._stream),
                f"{note.rows:,}",
                shown(note.job_id),
                shown(note.status_id),
            )
            self._job = self._running(note, None)
            self.finish()

    def _ask(self, job: RunningJob) -> None:
        """Ask how far the job is, and settle its file if it is done."""
        try:
            status = self._api.status(job.note.status_id)
        except (RejectRecordsError, NotFoundError) as error:
            raise RunStoppedError(self._unclear(job.note, str(error))) from error
        if status.state == COMPLETED:
            self._complete(job, status)
        elif any(word in status.state for word in FAILED):
            raise self._failed(job.note, f"ended as {status.state}")
        else:
            self._wait_on(job, status)

    def _wait_on(self, job: RunningJob, status: JobStatus) -> None:
        if status.state not in IN_PROGRESS and not job.told:
            job.told = True
            logger.warning(
                "bulk job %s is %s, which is not known; waiting for %s",
                shown(self._job_id),
                shown(status.state),
                COMPLETED,
            )
        now = self._clock.now()
        if now - job.since > MOST_JOB_SECONDS:
            message = (
                f"stream {shown(self._stream)}: bulk job {shown(job.note.job_id)} is still "
                f"{status.state} after {MOST_JOB_SECONDS / 3600:.0f} hours (status id "
                f"{shown(job.note.status_id)}). See its log in Gainsight; the next run goes on "
                "waiting for it and sends nothing twice"
            )
            raise RunStoppedError(message)
        job.pause = min(job.pause * 2, LONGEST_PAUSE_SECONDS)
        job.due = now + job.pause

    def _complete(self, job: RunningJob, status: JobStatus) -> None:
        """Count what became of a file, and settle its records."""
        note, self._job = job.note, None
        self._wrote()
        if status.failed and status.accepted == 0:
            raise self._failed(note, f"wrote none of the {note.rows:,} rows")
        self._notes.write(advanced(note, "completed"))
        self._count(note, status)
        path = self._notes.csv_path(note)
        if status.failed == 0:
            path.unlink(missing_ok=True)
        elif path.exists():
            self._keep(note, status)
        if job.records is not None:
            self._ledger.enter_file(job.records, status.failed or 0)

    def _count(self, note: UploadNote, status: JobStatus) -> None:
        if status.accepted is None or status.failed is None:
            self._counts.unknown += note.rows
        self._counts.accepted += status.accepted or 0
        self._counts.failed += status.failed or 0
        told = (status.accepted or 0) + (status.failed or 0)
        if None not in {status.accepted, status.failed} and told != note.rows:
            logger.warning(
                "bulk job %s tells of %s rows, and %s has %s: see the job's log in Gainsight "
                "(status id %s)",
                shown(note.job_id),
                f"{told:,}",
                shown_path(self._notes.csv_path(note)),
                f"{note.rows:,}",
                shown(note.status_id),
            )

    def _keep(self, note: UploadNote, status: JobStatus) -> None:
        path = self._notes.csv_path(note)
        self._counts.kept.append(path)
        failed = "an unknown number" if status.failed is None else f"{status.failed:,}"
        logger.warning(
            "stream %s: %s of %s rows failed in bulk job %s (status id %s). No call lists them: "
            "the job's log in Gainsight does; the file is kept in %s",
            shown(self._stream),
            failed,
            f"{note.rows:,}",
            shown(note.job_id),
            shown(note.status_id),
            path,
        )

    def _failed(self, note: UploadNote, what: str) -> RunStoppedError:
        """Say that a job has not written a file; its rows may be sent again."""
        self._job = None
        self._notes.forget(note)
        message = (
            f"stream {shown(self._stream)}: bulk job {shown(note.job_id)} {what} (status id "
            f"{shown(note.status_id)}). Its log in Gainsight says why; the file is kept in "
            f"{shown_path(self._notes.csv_path(note))}. The state stays before these rows: mend "
            "the job or the mapping and run again"
        )
        return RunStoppedError(message)

    def _refused(self, note: UploadNote, error: RefusedError) -> str:
        return (
            f"stream {shown(self._stream)}: bulk job {shown(self._job_id)} does not take the file "
            f"{shown_path(self._notes.csv_path(note))}: {error}. Check bulk_job_id, and that the "
            f"job's columns are those of the file's first line ({self._header.decode().strip()}); "
            "the state stays before its rows"
        )

    def _unclear(self, note: UploadNote, why: str) -> str:
        sent = datetime.fromtimestamp(note.sent_at, tz=timezone.utc)
        return (
            f"stream {shown(self._stream)}: whether bulk job {shown(note.job_id)} has taken the "
            f"file {shown_path(self._notes.csv_path(note))} ({note.rows:,} rows, sent "
            f"{sent:%Y-%m-%d %H:%M:%S} UTC) is not known: {why}. Look into the job's log in "
            'Gainsight. If it has run with this file, put "phase": "completed" into '
            f"{shown_path(self._notes.note_path(note))}: the rows are not sent again. If it has "
            "not, delete that note: they are. Then run again"
        )
