"""A signal stops a run in order: calls in flight are settled, and the state covers them."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest
from fake_clock import FakeClock
from singer_messages import record, schema, state
from singer_runs import DESCRIBED, clean_environment, command_line, lines_of, settings_into
from watched_sandbox import SECONDS, WatchedSandbox, watched_sandbox

from target_gainsight.target import TargetGainsight

COMPANIES = "/v1/data/objects/company"
INSERTS = {"sync_mode": "insert", "batch_size_rows": 1, "read_group_size": 1}


class WatchedTenant:
    """A tenant, and runs of the command that it can wait for."""

    def __init__(self, sandbox: WatchedSandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.watch = sandbox.watch
        self.folder = folder

    def names(self) -> list[str]:
        return sorted(row["Name"] for row in self.sandbox.tenant.rows("company"))

    @contextmanager
    def running(self, **settings: object) -> Iterator[subprocess.Popen[str]]:
        """Run the command with a standard input that stays open."""
        process = subprocess.Popen(
            command_line(self.folder, settings_into(self.sandbox, self.folder) | settings),
            cwd=self.folder,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock) -> Iterator[WatchedTenant]:
    with watched_sandbox(tmp_path / "tenant.db", DESCRIBED, clock.now) as sandbox:
        yield WatchedTenant(sandbox, tmp_path)


def write(process: subprocess.Popen[str], *messages: dict[str, object]) -> None:
    assert process.stdin is not None
    process.stdin.write(lines_of(messages))
    process.stdin.flush()


def wait_for_signal(process: subprocess.Popen[str]) -> None:
    """Read the log until the first signal is reported."""
    assert process.stderr is not None
    assert any("Received SIG" in line for line in process.stderr)


def states_of(process: subprocess.Popen[str]) -> list[object]:
    assert process.stdout is not None
    return [json.loads(line) for line in process.stdout.read().splitlines()]


def test_run_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    stopped, exited = threading.Event(), SimpleQueue[int]()
    settings = {"domain": "sandbox", "object_type": "company", "rejects_path": str(tmp_path)}
    target = TargetGainsight(config=settings | {"summary_path": str(tmp_path / "summary.json")})
    target.session.on_signal(signal.SIGTERM, stopped.set, 0, exited.put)
    assert exited.get(timeout=SECONDS) == 143
    assert stopped.is_set()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["status"], summary["exit_code"]) == ("interrupted", 143)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_without_input_ends_run_with_covered_state(
    tenant: WatchedTenant, number: signal.Signals, exit_code: int
) -> None:
    with tenant.running(**INSERTS) as process:
        write(process, schema(), record(Name="A"), state(at=1), record(Name="B"), state(at=2))
        write(process, record(Name="C"))  # once it has landed, the state before it was read
        tenant.watch.until(lambda: tenant.names() == ["A", "B", "C"])
        process.send_signal(number)
        assert process.wait(SECONDS) == exit_code
        assert states_of(process)[-1] == {"at": 2}
        assert process.stderr is not None
        log = process.stderr.read()
    assert "Traceback" not in log
    assert "The run was stopped. The state covers all settled records." in log


def test_signal_during_a_call_waits_for_its_response(tenant: WatchedTenant) -> None:
    tenant.watch.hold(COMPANIES)
    with tenant.running(**INSERTS, max_concurrency=1) as process:
        names = [f"C{number}" for number in range(20)]
        pairs = ((state(at=number), record(Name=name)) for number, name in enumerate(names))
        write(process, schema(), *(message for pair in pairs for message in pair))
        tenant.watch.until(tenant.names)
        process.terminate()
        wait_for_signal(process)
        tenant.watch.release()
        assert process.wait(SECONDS) == 143
        states = states_of(process)
    written = len(tenant.names())
    assert 1 <= written < 20
    assert states[-1]["at"] in (written - 1, written)  # the state after the last one may be unread


def test_signal_leaves_buffered_records_to_next_run(tenant: WatchedTenant) -> None:
    with tenant.running() as process:
        write(process, state(at=0), schema(), record(Name="A"), state(at=1))
        tenant.watch.until(tenant.sandbox.tenant.calls)
        process.terminate()
        assert process.wait(SECONDS) == 143
        assert states_of(process) == [{"at": 0}]
    assert tenant.names() == []


def test_second_signal_ends_run_at_once(tenant: WatchedTenant) -> None:
    tenant.watch.hold(COMPANIES)
    with tenant.running(**INSERTS) as process:
        write(process, schema(), record(Name="A"), state(at=1))
        tenant.watch.until(tenant.names)
        process.terminate()
        wait_for_signal(process)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert states_of(process) == []
