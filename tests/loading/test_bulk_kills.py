"""After a kill during a bulk job, a re-run uploads nothing twice and loses nothing."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from singer_messages import Message, record, schema, state
from singer_runs import clean_environment, command_line, lines_of
from watched_sandbox import SECONDS, WatchedSandbox, watched_sandbox

from target_gainsight.loading.csv_files import UploadJournal
from target_gainsight.loading.outcomes import RunStoppedError

JOBS = {"insert": {"object": "company", "operation": "insert"}}


class BulkRuns:
    """Runs of the target in processes of their own, against one tenant.

    Rows are inserted, so that one that is sent twice is there twice.
    """

    def __init__(self, sandbox: WatchedSandbox, folder: Path) -> None:
        self._watch = sandbox.watch
        self.tenant = sandbox.tenant
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        self._settings = {
            "base_url": sandbox.base_url,
            "access_key": sandbox.access_key,
            "rejects_path": str(folder / "rejects"),
            "summary_path": str(folder / "summary.json"),
            "streams": {
                "accounts": {
                    "object_type": "company",
                    "transport": "bulk",
                    "bulk_job_id": "insert",
                }
            },
        }

    def start(
        self, messages: Sequence[Message], most_bytes: int | None = None
    ) -> subprocess.Popen[str]:
        """Start a run over some messages."""
        settings = dict(self._settings)
        if most_bytes is not None:
            settings["bulk_max_file_bytes"] = most_bytes
        command = command_line(self.folder, settings)
        path = self.folder / "messages"
        path.write_text(lines_of(messages), encoding="utf-8")
        with path.open("rb") as source:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=clean_environment(),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        self.started.append(process)
        return process

    def kill(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def end(self, process: subprocess.Popen[str]) -> tuple[int, list[Message], str]:
        """Wait for the end: exit code, states and log."""
        output, log = process.communicate(timeout=SECONDS)
        return process.returncode, [json.loads(line) for line in output.splitlines()], log

    def calls(self, kind: str) -> int:
        return sum(call.kind == kind for call in self.tenant.calls())

    def wait_for(self, kind: str, count: int) -> None:
        self._watch.until(lambda: self.calls(kind) >= count)

    def names(self) -> Counter[str]:
        return Counter(row["Name"] for row in self.tenant.rows("company"))

    @property
    def summary(self) -> Message:
        text = (self.folder / "summary.json").read_text(encoding="utf-8")
        counts: Message = json.loads(text)["streams"]["accounts"]["by_file"]
        return counts


def companies(numbers: range) -> list[Message]:
    return [record(Name=f"C{number}", Employees=number) for number in numbers]


@pytest.fixture
def start_runs(tmp_path: Path) -> Iterator[Callable[..., BulkRuns]]:
    with ExitStack() as stack:

        def start(**switches: Any) -> BulkRuns:
            limits = dict.fromkeys(
                ("calls_per_minute", "calls_per_day", "bulk_calls_per_hour", "bulk_calls_per_day"),
                0,
            )
            config = {"bulk_jobs": JOBS, "limits": limits, "switches": switches}
            sandbox = stack.enter_context(watched_sandbox(tmp_path / "tenant.db", config))
            runs = BulkRuns(sandbox, tmp_path)
            stack.callback(runs.kill)
            return runs

        yield start


@pytest.mark.e2e
def test_run_killed_during_a_job_uploads_nothing_twice(
    start_runs: Callable[..., BulkRuns],
) -> None:
    runs = start_runs(bulk_questions=2)
    messages = [schema(), *companies(range(50)), state(read=50)]
    killed = runs.start(messages)
    runs.wait_for("job status", 1)
    killed.kill()
    code, states, _ = runs.end(killed)
    assert (code, states) == (-signal.SIGKILL, [])
    again = runs.start([*messages, *companies(range(50, 60)), state(read=60)])
    code, states, log = runs.end(again)
    assert (code, states[-1]) == (0, {"read": 60})
    assert "waiting for the job to process them" in log
    assert runs.names() == Counter(f"C{number}" for number in range(60))
    assert runs.calls("upload") == 2
    assert (runs.summary["repeated"], runs.summary["rows"]) == (50, 10)
    assert not list((runs.folder / "rejects" / "bulk").glob("*.json"))


@pytest.mark.e2e
def test_run_resumed_within_a_file_sends_only_unsent_rows(
    start_runs: Callable[..., BulkRuns],
) -> None:
    runs = start_runs(bulk_questions=1)
    messages = [schema(), *companies(range(100)), state(read=100)]
    killed = runs.start(messages, most_bytes=700)
    runs.wait_for("job status", 3)
    killed.kill()
    runs.end(killed)
    again = runs.start([schema(), *companies(range(20, 100)), state(read=100)], most_bytes=1_000)
    code, states, _ = runs.end(again)
    assert (code, states) == (0, [{"read": 100}])
    assert runs.names() == Counter(f"C{number}" for number in range(100))
    assert runs.summary["repeated"] > 0


@pytest.mark.e2e
def test_next_run_waits_for_the_job_of_a_stopped_run(
    start_runs: Callable[..., BulkRuns],
) -> None:
    runs = start_runs(bulk_questions=2)
    messages = [schema(), *companies(range(5)), state(read=5)]
    stopped = runs.start(messages)
    runs.wait_for("job status", 1)
    stopped.terminate()
    code, states, _ = runs.end(stopped)
    assert (code, states) == (128 + signal.SIGTERM, [])
    code, states, _ = runs.end(runs.start(messages))
    assert (code, states) == (0, [{"read": 5}])
    assert runs.calls("upload") == 1


def test_concurrent_runs_do_not_upload_the_same_stream(tmp_path: Path) -> None:
    first = UploadJournal(tmp_path, "tenant", "run-1")
    second = UploadJournal(tmp_path, "tenant", "run-2")
    first.begin("accounts")
    first.begin("accounts")
    second.begin("contacts")
    with pytest.raises(RunStoppedError, match="another run is uploading stream"):
        second.begin("accounts")
    first.close()
    second.begin("accounts")
    second.close()
