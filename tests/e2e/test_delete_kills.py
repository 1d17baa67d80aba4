"""A run that is killed or stopped in the middle of its deletes loses and repeats nothing."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import NO_LIMITS, clean_environment, command_line, lines_of, settings_into
from watched_sandbox import SECONDS, WatchedSandbox, watched_sandbox

pytestmark = pytest.mark.e2e

ROWS = 60
PATH = "/v1/data/objects/company/"


class DeleteRuns:
    """Runs of the command that delete rows of one tenant."""

    def __init__(self, sandbox: WatchedSandbox, folder: Path) -> None:
        self.watch = sandbox.watch
        self.tenant = sandbox.tenant
        self.gsids = sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(ROWS)])
        self.folder = folder
        self._settings = {
            **settings_into(sandbox, folder),
            "deletes": "delete",
            "read_group_size": 20,
            "max_concurrency": 3,
            "summary_path": str(folder / "summary.json"),
        }

    def start(self, read: int = 0) -> subprocess.Popen[str]:
        """Start a run over the records after some position; a state follows each record."""
        path = self.folder / "messages"
        lines: list[Message] = [schema(columns={"Name": TEXT})]
        for number in range(read, ROWS):
            deleted_at = "2026-01-01T00:00:00Z"
            lines += [record(Name=f"C{number}", _sdc_deleted_at=deleted_at), state(read=number + 1)]
        path.write_text(lines_of(lines), encoding="utf-8")
        with path.open("rb") as source:
            return subprocess.Popen(
                command_line(self.folder, self._settings),
                cwd=self.folder,
                env=clean_environment(),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    @property
    def deletes(self) -> list[int]:
        """The HTTP statuses of the delete calls so far."""
        return [call.status for call in self.tenant.calls("DELETE")]

    def left(self) -> int:
        return self.tenant.count("company")

    def saved(self) -> set[str]:
        """The GSIDs of the rows in the files of deleted rows."""
        lines = [
            json.loads(line)
            for path in (self.folder / "rejects").glob("*.deleted.singer")
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        records = [line for line in lines if line["type"] == "RECORD"]
        return {line["gainsight_deleted"]["gsid"] for line in records}


def end(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Wait for the end of a run; return its exit code and the records that its state covers."""
    output, _ = process.communicate(timeout=SECONDS)
    states = [json.loads(line) for line in output.splitlines()]
    return process.returncode, states[-1]["read"] if states else 0


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[DeleteRuns]:
    with watched_sandbox(tmp_path / "tenant.db", {"limits": NO_LIMITS}) as sandbox:
        yield DeleteRuns(sandbox, tmp_path)


def finish(runs: DeleteRuns, covered: int) -> Message:
    """Run again from a state, to the end; return the counts of the stream."""
    gone_before = ROWS - runs.left()
    assert covered <= gone_before, "the state is ahead"
    code, read = end(runs.start(covered))
    assert (code, max(covered, read)) == (0, ROWS)
    counts: Message = json.loads((runs.folder / "summary.json").read_text(encoding="utf-8"))
    accounts: Message = counts["streams"]["accounts"]
    assert (runs.left(), runs.deletes) == (0, [200] * ROWS)
    assert runs.saved() == set(runs.gsids)
    assert accounts["skipped_because"].get("no_match", 0) == gone_before - covered
    assert accounts["deleted"] == ROWS - gone_before
    return accounts


@pytest.mark.parametrize("kill_after", [1, 7, 25, 40, 59])
def test_killed_run_loses_and_repeats_no_delete(runs: DeleteRuns, kill_after: int) -> None:
    killed = runs.start()
    try:
        runs.watch.until(lambda: len(runs.deletes) >= kill_after)
        killed.kill()
        code, covered = end(killed)
    finally:
        killed.kill()
    assert code in {-signal.SIGKILL, 0}
    finish(runs, covered)


def test_delete_whose_response_a_kill_lost_is_not_repeated(runs: DeleteRuns) -> None:
    runs.watch.hold(PATH + runs.gsids[30].lower())
    killed = runs.start()
    try:
        runs.watch.until(lambda: ROWS - runs.left() == 40)
        killed.kill()
        code, covered = end(killed)
    finally:
        killed.kill()
    runs.watch.release()
    assert (code, covered <= 30) == (-signal.SIGKILL, True)
    assert finish(runs, covered)["skipped"] >= 10


def test_stopped_run_settles_the_deletes_in_flight(runs: DeleteRuns) -> None:
    runs.watch.hold(PATH + runs.gsids[30].lower())
    stopped = runs.start()
    try:
        runs.watch.until(lambda: ROWS - runs.left() == 40)
        stopped.terminate()
        assert stopped.stderr is not None
        assert any("Received SIG" in line for line in stopped.stderr)
        runs.watch.release()
        code, covered = end(stopped)
    finally:
        stopped.kill()
    assert (code, covered) == (128 + signal.SIGTERM, 40)
    finish(runs, covered)
