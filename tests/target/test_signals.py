"""A signal stops a run in order: what is in flight is settled, and the state says so."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from singer_messages import record, schema, state
from singer_runs import Tenant, clean_environment, command_line, lines_of

from target_gainsight.sandbox import Fault
from target_gainsight.singer.signals import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 60
INSERTS = {"sync_mode": "insert", "batch_size_rows": 1, "read_group_size": 1}


@contextmanager
def running(tenant: Tenant, folder: Path, **settings: object) -> Iterator[subprocess.Popen[str]]:
    """Run the command with a standard input that stays open."""
    process = subprocess.Popen(
        command_line(folder, tenant.settings | settings),
        cwd=folder,
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


def write(process: subprocess.Popen[str], *messages: dict[str, object]) -> None:
    assert process.stdin is not None
    process.stdin.write(lines_of(messages))
    process.stdin.flush()


def wait_until(happened: Callable[[], object]) -> None:
    """Wait for another process; nothing can wake us."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def states_of(process: subprocess.Popen[str]) -> list[object]:
    assert process.stdout is not None
    return [json.loads(line) for line in process.stdout.read().splitlines()]


def test_a_run_that_does_not_end_in_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    exited, stopped = [], threading.Event()
    monkeypatch.setattr("os._exit", exited.append)
    monkeypatch.setattr("target_gainsight.singer.signals.SECONDS_TO_STOP", 0)
    Interruption(stopped.set).take(signal.SIGTERM)
    wait_until(lambda: exited)
    assert (exited, stopped.is_set()) == ([143], True)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_silence_ends_the_run_with_the_covered_state(
    tenant: Tenant, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    with running(tenant, tmp_path, **INSERTS) as process:
        write(process, schema(), record(Name="A"), state(at=1), record(Name="B"), state(at=2))
        write(process, record(Name="C"))  # once it has landed, the state before it was read
        wait_until(lambda: tenant.names() == ["A", "B", "C"])
        process.send_signal(number)
        assert process.wait(SECONDS) == exit_code
        assert states_of(process)[-1] == {"at": 2}
        assert process.stderr is not None
        log = process.stderr.read()
    assert "Traceback" not in log
    assert f"stopped by signal {number.value}; the state covers what is settled" in log


def test_a_signal_while_a_call_is_in_flight_waits_for_its_answer(
    tenant: Tenant, tmp_path: Path
) -> None:
    tenant.sandbox.tenant.faults.add(Fault("latency", method="POST", seconds=1.0))
    with running(tenant, tmp_path, **INSERTS, max_concurrency=1) as process:
        names = [f"C{number}" for number in range(20)]
        numbered = enumerate(names, start=1)
        pairs = ((record(Name=name), state(at=number)) for number, name in numbered)
        write(process, schema(), *(message for pair in pairs for message in pair))
        wait_until(tenant.names)
        process.terminate()
        assert process.wait(SECONDS) == 143
        states = states_of(process)
    written = len(tenant.names())
    assert 1 <= written < 20
    assert states[-1] == {"at": written}


def test_a_signal_while_buffered_records_wait_leaves_them_to_the_next_run(
    tenant: Tenant, tmp_path: Path
) -> None:
    with running(tenant, tmp_path) as process:
        write(process, state(at=0), schema(), record(Name="A"), state(at=1))
        wait_until(lambda: tenant.calls("describe"))
        process.terminate()
        assert process.wait(SECONDS) == 143
        assert states_of(process) == [{"at": 0}]
    assert tenant.names() == []


def test_a_second_signal_ends_the_run_at_once(tenant: Tenant, tmp_path: Path) -> None:
    tenant.sandbox.tenant.faults.add(Fault("latency", method="POST", seconds=SECONDS))
    with running(tenant, tmp_path, **INSERTS) as process:
        write(process, schema(), record(Name="A"), state(at=1))
        wait_until(tenant.names)
        process.terminate()
        threading.Event().wait(0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(SECONDS) == 130
        assert time.monotonic() - began < 5
        assert states_of(process) == []
