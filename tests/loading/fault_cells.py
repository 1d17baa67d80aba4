"""Plays one cell of the fault matrix: a job whose calls to one endpoint meet one fault.

After the run the fault is over, commits that come late have come, and what the run left is done:
the records after its last state are read again, its open rejects are replayed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from fault_columns import COLUMNS, Column
from fault_jobs import JOBS, UNLIMITED, Endpoint, Job
from late_calls import AlarmClock, LateCalls
from singer_messages import Message
from singer_runs import TargetRun, Tenant

from target_gainsight.loading.rejects.folder import list_runs, read_open_rejects
from target_gainsight.sandbox import Fault, RunningSandbox, start_sandbox
from target_gainsight.sandbox.config.faults import FaultPlan

STATUS = "/v1.0/admin/connector/job/bulkimport/status"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        job: The operation.
        endpoint: Whose calls meet the fault.
        column: The fault; None for none.
        lasting: Whether every call meets it, or the first one only.
    """

    job: Job
    endpoint: Endpoint
    column: Column | None
    lasting: bool = False

    def __str__(self) -> str:
        how_often = "lasting" if self.lasting else "once"
        what = self.column.name if self.column else "nothing"
        return f"{how_often}: {self.job.operation}, {self.endpoint.name}, {what}"

    def put_in(self, tenant: FaultPlan, wire: FaultPlan) -> None:
        """Inject the fault into the calls to come."""
        endpoint, times = self.endpoint, None if self.lasting else 1
        if endpoint.lost is not None:
            tenant.add(Fault("reset_after_commit", method="POST", path=endpoint.lost, times=1))
        if self.column is not None:
            plan = wire if self.column.by_clock else tenant
            plan.add(*self.column.on(endpoint, times))


CELLS = tuple(
    Cell(job, endpoint, column, lasting)
    for lasting in (False, True)
    for job in JOBS
    for endpoint in job.endpoints
    for column in COLUMNS
)


@dataclass(frozen=True)
class Played:
    """Outcome of a cell.

    Attributes:
        run: The run that met the fault.
        seconds: How long it took by the fake clock.
        tries: How often each method and path was called.
        held: Key and values of every row after it, commits that came late included.
        finally_held: The same after what it left was done.
        later: The runs that did it.
    """

    run: TargetRun
    seconds: float
    tries: Counter[tuple[str, str]]
    held: Counter[tuple[Any, ...]]
    finally_held: Counter[tuple[Any, ...]]
    later: list[TargetRun]

    @property
    def covered(self) -> int:
        """Return the number of records that the last state covers."""
        read: int = self.run.states[-1]["read"] if self.run.states else 0
        return read

    def tries_at(self, endpoint: Endpoint) -> int:
        probe = Fault("pass", method=endpoint.method, path=endpoint.path)
        return sum(count for call, count in self.tries.items() if probe.matches(*call))

    @property
    def texts(self) -> str:
        """Log lines and reject reasons."""
        reasons = [json.dumps(line["gainsight_reject"]) for line in self.run.rejects]
        return "\n".join([*self.run.log, *reasons])


class _Stage:
    """A tenant, the clock and the wire to it, on which a job is run."""

    def __init__(
        self,
        job: Job,
        sandbox: RunningSandbox,
        clock: AlarmClock,
        folder: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self.wire = LateCalls(clock)
        self.tenant = sandbox.tenant
        self.tenant.seed(job.object_name, job.known)
        self._job = job
        self._clock = clock
        self._tenant = Tenant(sandbox, clock, folder, caplog)

    def load(self, *messages: Message) -> TargetRun:
        target = self._tenant.target(
            http=self.wire.session(), **self._job.settings, max_concurrency=1
        )
        return self._tenant.run(target, *messages)

    def end_faults(self) -> None:
        self.tenant.faults.clear()
        self.wire.plan.clear()
        self._clock.advance(86_400)

    def do_what_is_left(self, covered: int) -> Iterator[TargetRun]:
        self._answer_for_uploads()
        if covered < len(self._job.records):
            yield self.load(*self._job.messages(covered))
        if open_rejects := self._open_rejects():
            yield self.load(self._job.schema, *open_rejects)

    def _open_rejects(self) -> list[Message]:
        folder = self._tenant.folder / "rejects"
        rejects = (each for run in list_runs(folder) for each in read_open_rejects(folder, run))
        return [json.loads(each.line) for each in rejects]

    def _answer_for_uploads(self) -> None:
        """Act as the user of a run that asks whether the job has the file."""
        for note in (self._tenant.folder / "rejects" / "bulk").glob("*.upload.json"):
            text = note.read_text(encoding="utf-8")
            if '"sending"' not in text:
                continue
            if self._end_jobs():
                note.write_text(text.replace('"sending"', '"completed"'), encoding="utf-8")
            else:
                note.unlink()

    def _end_jobs(self) -> bool:
        """Let the jobs run; whether there was one."""
        files = self.tenant.store.rows('SELECT id FROM "_bulk_files"')
        headers = {"accesskey": self._tenant.sandbox.access_key}
        for (status_id,) in files:
            url = f"{self._tenant.sandbox.base_url}{STATUS}/{status_id}"
            while "COMPLETED" not in requests.get(url, headers=headers, timeout=60).text:
                self._clock.advance(1)
        return bool(files)


def play(cell: Cell, folder: Path, caplog: pytest.LogCaptureFixture) -> Played:
    """Run the job of a cell with its fault, and do what it leaves.

    Args:
        cell: The cell.
        folder: Where the files go.
        caplog: Records the log of each run.
    """
    clock, job = AlarmClock(), cell.job
    described = {"limits": UNLIMITED, **job.described}
    sandbox = start_sandbox(folder / "tenant.db", config=described, clock=clock.now)
    try:
        stage = _Stage(job, sandbox, clock, folder, caplog)
        cell.put_in(sandbox.tenant.faults, stage.wire.plan)
        began = clock.now()
        run = stage.load(*job.messages())
        seconds, tries = clock.now() - began, Counter(stage.wire.tries)
        stage.end_faults()
        held = job.held(sandbox.tenant)
        covered = run.states[-1]["read"] if run.states else 0
        later = list(stage.do_what_is_left(covered))
        return Played(run, seconds, tries, held, job.held(sandbox.tenant), later)
    finally:
        stage.wire.close()
        sandbox.stop()
