"""A bulk job at work on a file: how far it is, and what it has made of the rows.

That it tells in counts: records are settled by their file, and only once the job is COMPLETED.
Knows nothing of how the file came together or was sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_gainsight.api import NotFoundError, RejectRecordsError, StoppedError
from target_gainsight.loading.bulk.upload_journal import with_phase
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import shown, shown_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_gainsight.api import BulkApi, Clock, JobStatus
    from target_gainsight.loading.bulk.upload_journal import UploadJournal, UploadNote
    from target_gainsight.loading.settling.file_contents import FileContents
    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.settling.summary import FileCounts

logger = logging.getLogger(__name__)

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
        warned: Whether an unknown state was told of.
    """

    note: UploadNote
    since: float
    records: FileContents | None
    pause: float = FIRST_PAUSE_SECONDS
    due: float = 0.0
    warned: bool = False


class JobPoller:
    """The one job of a stream that is in progress, if there is one.

    Args:
        api: Calls the tenant.
        journal: What is written down about uploads.
        ledger: Takes the settled files.
        counts: Takes the counts.
        clock: Tells the time and waits.
        wrote: Is told when the object has changed.
    """

    def __init__(
        self,
        *,
        api: BulkApi,
        journal: UploadJournal,
        ledger: Ledger,
        counts: FileCounts,
        clock: Clock,
        wrote: Callable[[], None],
    ) -> None:
        self._api = api
        self._journal = journal
        self._ledger = ledger
        self._counts = counts
        self._clock = clock
        self._wrote = wrote
        self._job: RunningJob | None = None

    def begin(self, note: UploadNote, records: FileContents | None) -> None:
        """Take note of a file that a job has begun to work on.

        Args:
            note: The file's note.
            records: What the file holds; None for one of an earlier run.
        """
        now = self._clock.now()
        self._job = RunningJob(note, now, records, due=now + FIRST_PAUSE_SECONDS)

    def poll(self) -> None:
        """See how far the job is, if it is time to ask.

        Raises:
            RunStoppedError: It failed, or takes too long.
        """
        if self._job is not None and self._clock.now() >= self._job.due:
            self._fetch_status(self._job)

    def finish(self) -> None:
        """Wait until the job has ended.

        Raises:
            RunStoppedError: It failed, or takes too long.
            StoppedError: The run is being stopped.
        """
        while self._job is not None:
            if self._clock.wait(max(0.0, self._job.due - self._clock.now())):
                raise StoppedError
            self._fetch_status(self._job)

    def _fetch_status(self, job: RunningJob) -> None:
        """Ask how far the job is, and settle its file if it is done."""
        try:
            status = self._api.status(job.note.status_id)
        except (RejectRecordsError, NotFoundError) as error:
            raise RunStoppedError(
                self._journal.unknown_outcome_message(job.note, str(error))
            ) from error
        if status.state == COMPLETED:
            self._complete(job, status)
        elif any(word in status.state for word in FAILED):
            raise self._failed(job.note, f"ended as {status.state}")
        else:
            self._wait_on(job, status)

    def _wait_on(self, job: RunningJob, status: JobStatus) -> None:
        if status.state not in IN_PROGRESS and not job.warned:
            job.warned = True
            logger.warning(
                "bulk job %s is %s, which is not known; waiting for %s",
                shown(job.note.job_id),
                shown(status.state),
                COMPLETED,
            )
        now = self._clock.now()
        if now - job.since > MOST_JOB_SECONDS:
            message = (
                f"stream {shown(job.note.stream)}: bulk job {shown(job.note.job_id)} is still "
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
        self._journal.write(with_phase(note, "completed"))
        self._count(note, status)
        path = self._journal.csv_path(note)
        if status.failed == 0:
            path.unlink(missing_ok=True)
        elif path.exists():
            self._keep(note, status)
        if job.records is not None:
            self._ledger.record_file(job.records, status.failed or 0)

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
                shown_path(self._journal.csv_path(note)),
                f"{note.rows:,}",
                shown(note.status_id),
            )

    def _keep(self, note: UploadNote, status: JobStatus) -> None:
        path = self._journal.csv_path(note)
        self._counts.kept.append(path)
        failed = "an unknown number" if status.failed is None else f"{status.failed:,}"
        logger.warning(
            "stream %s: %s of %s rows failed in bulk job %s (status id %s). No call lists them: "
            "the job's log in Gainsight does; the file is kept in %s",
            shown(note.stream),
            failed,
            f"{note.rows:,}",
            shown(note.job_id),
            shown(note.status_id),
            shown_path(path),
        )

    def _failed(self, note: UploadNote, what: str) -> RunStoppedError:
        """Say that a job has not written a file; its rows may be sent again."""
        self._job = None
        self._journal.remove(note)
        message = (
            f"stream {shown(note.stream)}: bulk job {shown(note.job_id)} {what} (status id "
            f"{shown(note.status_id)}). Its log in Gainsight says why; the file is kept in "
            f"{shown_path(self._journal.csv_path(note))}. The state stays before these rows: mend "
            "the job or the mapping and run again"
        )
        return RunStoppedError(message)
