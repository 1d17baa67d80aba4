"""After a kill at any moment, a run from the last written state loses and doubles nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from singer_messages import schema, state
from tenant_runs import companies

from target_gainsight.sandbox import Fault, ServerRule, start_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from singer_messages import Message

    from target_gainsight.sandbox import RunningSandbox

COUNT = 600
STATE_EVERY = 10
REFUSED = "refused by a rule of the tenant"
MOST_SECONDS = 60

LAUNCHER = """
import json, os, sys
from target_gainsight.target import TargetGainsight

TargetGainsight.STATE_INTERVAL_SECONDS = 0.0
for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if not pid:
        os.dup2(os.open(order["input"], os.O_RDONLY), 0)
        os.dup2(os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        with open(0, encoding="utf-8", closefd=False) as messages:
            os._exit(TargetGainsight(config=order["config"]).run_to_end(messages))
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Makes a process of its own for each run, without importing everything each time."""


class KilledLoad:
    """Loads companies into a tenant by runs that may be killed.

    Args:
        sandbox: The tenant.
        folder: Where the files of the runs go.
        launcher: Starts the runs.
    """

    def __init__(
        self, sandbox: RunningSandbox, folder: Path, launcher: subprocess.Popen[str]
    ) -> None:
        self.tenant = sandbox.tenant
        self.states: list[int] = []
        self._input, self._output = folder / "messages", folder / "states"
        self._rejects = folder / "rejects"
        self._launcher = launcher
        self._calls = 0
        self._count_calls()
        self._config = {
            "base_url": sandbox.base_url,
            "access_key": sandbox.access_key,
            "object_type": "company",
            "rejects_path": str(self._rejects),
            "read_group_size": 40,
            "batch_size_rows": 20,
            "calls_per_minute": 100_000,
            "calls_per_day": 1_000_000,
        }

    def run(self, *, calls: int | None = None, seconds: float = 0.0) -> int:
        """Run the target over what the last state leaves; kill it after some calls.

        Args:
            calls: Calls after which it is killed; None lets it end.
            seconds: How much longer it lives.
        """
        lines = "".join(json.dumps(line) + "\n" for line in self._source())
        self._input.write_text(lines, encoding="utf-8")
        order = {"config": self._config, "input": str(self._input), "output": str(self._output)}
        assert self._launcher.stdin
        assert self._launcher.stdout
        self._calls = 0
        self._launcher.stdin.write(json.dumps(order) + "\n")
        self._launcher.stdin.flush()
        pid = int(self._launcher.stdout.readline())
        if calls is not None:
            self._kill(pid, calls, seconds)
        exit_code = int(self._launcher.stdout.readline())
        self._take_states()
        return exit_code

    def _kill(self, pid: int, calls: int, seconds: float) -> None:
        until = time.monotonic() + MOST_SECONDS
        while self._calls < calls and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)

    def _source(self) -> list[Message]:
        """What the tap feeds: the records after the last state, each known by its number."""
        lines = [schema()]
        for number in range(self.states[-1] if self.states else 0, COUNT):
            industry = REFUSED if number in REFUSED_NUMBERS else f"industry {number}"
            lines += companies([number], Industry=industry, Employees=number)
            if (number + 1) % STATE_EVERY == 0:
                lines.append(state(read=number + 1))
        return lines

    def _take_states(self) -> None:
        *lines, _cut_off = self._output.read_text(encoding="utf-8").split("\n")
        self.states += [json.loads(line)["read"] for line in lines]

    def _count_calls(self) -> None:
        record = self.tenant.record

        def count(call: Any) -> None:
            self._calls += 1
            record(call)

        self.tenant.record = count  # type: ignore[method-assign]

    def missing(self) -> set[int]:
        """Records before the last state that are neither in the tenant nor in a reject file."""
        read = self.states[-1] if self.states else 0
        return set(range(read)) - set(self.held()) - self.rejected()

    def held(self) -> list[int]:
        return sorted(row["Employees"] for row in self.tenant.rows("company"))

    def rejected(self) -> set[int]:
        found = set()
        for path in self._rejects.glob("*.singer"):
            *lines, rest = path.read_bytes().split(b"\n")
            assert not rest
            messages = [json.loads(line) for line in lines]
            found |= {m["record"]["Employees"] for m in messages if m["type"] == "RECORD"}
        return found


REFUSED_NUMBERS = frozenset(range(5, COUNT, 97))


@pytest.fixture
def load(tmp_path: Path) -> Iterator[KilledLoad]:
    limits = {"calls_per_minute": 0, "calls_per_day": 0}
    config = {"limits": limits}
    with (
        start_sandbox(tmp_path / "tenant.db", config=config) as sandbox,
        subprocess.Popen(
            [sys.executable, "-c", LAUNCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as launcher,
    ):
        faults = sandbox.tenant.faults
        faults.rules.append(ServerRule("company", "Industry", REFUSED))
        faults.add(Fault("latency", method="POST", path="/v1/data/*", seconds=(0.0, 0.01)))
        yield KilledLoad(sandbox, tmp_path, launcher)


def kill_again_and_again(load: KilledLoad, chance: random.Random, moments: int) -> None:
    for _ in range(moments):
        exit_code = load.run(calls=chance.randint(1, 7), seconds=chance.random() * 0.02)
        assert exit_code == -signal.SIGKILL
        assert load.missing() == set()
    assert load.run() == 0
    wanted = set(range(COUNT)) - REFUSED_NUMBERS
    assert load.held() == sorted(wanted)
    assert load.rejected() == REFUSED_NUMBERS
    assert load.states == sorted(load.states)
    assert load.states[-1] == COUNT


@pytest.mark.parametrize("seed", range(2))
def test_runs_killed_at_random_moments_lose_and_double_nothing(load: KilledLoad, seed: int) -> None:
    kill_again_and_again(load, random.Random(seed), moments=6)


@pytest.mark.e2e
@pytest.mark.parametrize("seed", range(100, 110))
def test_runs_killed_at_fifty_moments_lose_and_double_nothing(load: KilledLoad, seed: int) -> None:
    kill_again_and_again(load, random.Random(seed), moments=5)
