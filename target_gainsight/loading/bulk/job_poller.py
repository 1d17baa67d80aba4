"""Polls the bulk job that is in progress and settles its file.

A job reports counts only, so records are settled by their file, once the job is COMPLETED.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

from target_gainsight.api import (
    BulkApi,
    Clock,
    JobStatus,
    NotFoundError,
    RefusedError,
    StoppedError,
)
from target_gainsight.loading.bulk.upload_journal import UploadJournal, UploadNote
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.settling.ledger import FileContents, Ledger
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.mapping.errors import display, display_path

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0
MAX_JOB_HOURS = 6
COMPLETED = "COMPLETED"
IN_PROGRESS = ("INIT", "IN_PROGRESS")
FAILED = ("FAIL", "ERROR", "ABORT", "CANCEL")


@dataclass
class RunningJob:
    """A job that is working on a file; the records are None for a file of an earlier run."""

    note: UploadNote
    records: FileContents | None
    began: float
    due: float
    pause: float = FIRST_PAUSE_SECONDS
    warned: bool = False


@dataclass(kw_only=True)
class JobPoller:
    """The job of a stream that is in progress, if there is one; at most one at a time.

    Raises:
        RunStoppedError: By every fetch of its status: the job failed or takes too long.
    """

    api: BulkApi
    journal: UploadJournal
    ledger: Ledger
    counts: FileCounts
    clock: Clock
    object_name: str
    lookups: LookupIndex
    _job: RunningJob | None = field(default=None, init=False)

    def begin(self, note: UploadNote, records: FileContents | None) -> None:
        """Follow a job that has got a file."""
        now = self.clock.now()
        self._job = RunningJob(note, records, began=now, due=now + FIRST_PAUSE_SECONDS)

    def poll(self) -> None:
        """Fetch the job's status if that is due."""
        if self._job is not None and self.clock.now() >= self._job.due:
            self._fetch_status(self._job)

    def finish(self) -> None:
        """Wait until the job has ended, unless the run is being stopped (StoppedError)."""
        while self._job is not None:
            if self.clock.wait(max(0.0, self._job.due - self.clock.now())):
                raise StoppedError
            self._fetch_status(self._job)

    def _fetch_status(self, job: RunningJob) -> None:
        try:
            status = self.api.status(job.note.status_id)
        except (RefusedError, NotFoundError) as error:
            raise self.journal.unknown_outcome(job.note, str(error)) from error
        if status.state == COMPLETED:
            self._complete(job, status)
        elif any(word in status.state for word in FAILED):
            raise self._failed(job.note, f"ended as {status.state}")
        else:
            self._schedule_next_poll(job, status.state)

    def _schedule_next_poll(self, job: RunningJob, state: str) -> None:
        note, now = job.note, self.clock.now()
        if state not in IN_PROGRESS and not job.warned:
            job.warned = True
            logger.warning(
                "bulk job %s is in the unknown state %s; waiting for %s",
                display(note.job_id),
                display(state),
                COMPLETED,
            )
        if now - job.began > MAX_JOB_HOURS * 3600:
            message = (
                f"stream {display(note.stream)}: bulk job {display(note.job_id)} is still {state} "
                f"after {MAX_JOB_HOURS} hours (status id {display(note.status_id)}). Check its log "
                "in Gainsight. The next run goes on waiting for it and sends nothing twice."
            )
            raise RunStoppedError(message)
        job.pause = min(job.pause * 2, MAX_PAUSE_SECONDS)
        job.due = now + job.pause

    def _complete(self, job: RunningJob, status: JobStatus) -> None:
        """Count the rows of a file and settle its records; keep the file if rows failed."""
        note, self._job = job.note, None
        self.lookups.on_create(self.object_name)  # forget what was not found before
        if status.failed and status.accepted == 0:
            raise self._failed(note, f"wrote none of the {note.rows:,} rows")
        self.journal.write(replace(note, phase="completed"))
        self._count(note, status)
        path = self.journal.path(note)
        if status.failed == 0:
            path.unlink(missing_ok=True)
        elif path.exists():
            self.counts.kept.append(str(path))
            logger.warning(
                "stream %s: %s of %s rows failed in bulk job %s (status id %s). Only the job's "
                "log in Gainsight lists them; the file is kept in %s",
                display(note.stream),
                "an unknown number" if status.failed is None else f"{status.failed:,}",
                f"{note.rows:,}",
                display(note.job_id),
                display(note.status_id),
                display_path(path),
            )
        if job.records is not None:
            self.ledger.record_file(job.records, status.failed or 0)

    def _count(self, note: UploadNote, status: JobStatus) -> None:
        accepted, failed = status.accepted or 0, status.failed or 0
        self.counts.accepted += accepted
        self.counts.failed += failed
        if status.accepted is None or status.failed is None:
            self.counts.unknown += note.rows
        elif accepted + failed != note.rows:
            logger.warning(
                "bulk job %s reports %s rows, but %s has %s: check the job's log in Gainsight "
                "(status id %s)",
                display(note.job_id),
                f"{accepted + failed:,}",
                display_path(self.journal.path(note)),
                f"{note.rows:,}",
                display(note.status_id),
            )

    def _failed(self, note: UploadNote, problem: str) -> RunStoppedError:
        """Return the error for a file that was not written; its rows may be sent again."""
        self._job = None
        self.journal.remove(note)
        return RunStoppedError(
            f"stream {display(note.stream)}: bulk job {display(note.job_id)} {problem} (status id "
            f"{display(note.status_id)}). Its log in Gainsight has the reason; the file is kept in "
            f"{display_path(self.journal.path(note))}. Fix the job or the mapping and run "
            "again; the rows will be re-sent."
        )
