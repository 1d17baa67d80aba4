"""``python -m benchmarks.soak``: kills the target at random times, again and again.

Each round loads several streams with lookups into two tenants: into one undisturbed, into the other
by runs that are ended with ``kill -9`` at random times and started again from the last state that
was written. In the end both tenants must hold the same rows and the same records must be rejected;
at any time, what the last state covers must be in the tenant or in a reject file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.forked_targets import EAGER
from benchmarks.processes import HERE
from benchmarks.soak_input import FIELDS, KEYS, REFUSED, SETTINGS, TENANT, SoakInput
from target_gainsight.loading.rejects.folder import list_runs, read_open_rejects
from target_gainsight.sandbox import Fault, RunningSandbox, ServerRule, start_sandbox

MOST_SECONDS_OF_A_RUN = 120
MOST_CALLS = 80
"""A killed run lives for as many calls at most, out of some hundred that a round takes."""

FRUITLESS_KILLS = 4
"""After so many without a new state, runs live longer: what waits for a parent holds the state."""

Rows = dict[str, Counter[tuple[Any, ...]]]


class SoakError(Exception):
    """A record was lost or duplicated; the message names it."""


@dataclass
class Counts:
    """Work done so far."""

    rounds: int = 0
    kills: int = 0


class Loaded:
    """A tenant, and the runs that load one input into it.

    Args:
        sandbox: The tenant.
        folder: Where the files of the runs go.
        source: The input.
        launcher: Makes the processes.
    """

    def __init__(
        self,
        sandbox: RunningSandbox,
        folder: Path,
        source: SoakInput,
        launcher: subprocess.Popen[str],
    ) -> None:
        self.states: list[int] = []
        self._tenant = sandbox.tenant
        self._source = source
        self._input, self._output = folder / "input", folder / "output"
        self._rejects = folder / "rejects"
        self._launcher = launcher
        self._calls = 0
        self._count_calls()
        address = {"base_url": sandbox.base_url, "access_key": sandbox.access_key}
        self._config = {**SETTINGS, **address, "rejects_path": str(folder / "rejects")}

    @property
    def covered(self) -> int:
        """Number of records that the last state covers."""
        return self.states[-1] if self.states else 0

    def run(self, calls: int | None = None, seconds: float = 0.0) -> int:
        """Run the target over what the last state leaves.

        Args:
            calls: Kill it after so many calls; None lets it end.
            seconds: Let it live so much longer.

        Returns:
            Its exit code.
        """
        lines = (json.dumps(each) + "\n" for each in self._source.messages(self.covered))
        self._input.write_text("".join(lines), encoding="utf-8")
        self._calls = 0
        pid = int(self._order())
        if calls is not None:
            self._kill(pid, calls, seconds)
        exit_code = int(self._told())
        *states, _cut_off = self._output.read_text(encoding="utf-8").split("\n")
        self.states += [json.loads(state)["read"] for state in states]
        return exit_code

    def rows(self) -> Rows:
        """Return the tenant's rows, lookups as the names of the rows they point to."""
        names = {
            row["Gsid"]: row[name]
            for object_name, name in (("company", "Name"), ("person", "Email"))
            for row in self._tenant.rows(object_name)
        }
        return {
            object_name: Counter(
                tuple(names.get(row[field], row[field]) for field in fields)
                for row in self._tenant.rows(object_name)
            )
            for object_name, fields in FIELDS.items()
        }

    def rejected(self) -> set[tuple[str, str]]:
        """Stream and key of every open reject."""
        runs = list_runs(self._rejects)
        rejects = [each for run in runs for each in read_open_rejects(self._rejects, run)]
        sources = [each.source for each in rejects]
        return {(each.alias, str(each.message["record"][KEYS[each.alias]])) for each in sources}

    def check(self) -> None:
        """Compare what the last state covers with the tenant and the reject files.

        Raises:
            SoakError: Something is missing, or there twice, or the states go back.
        """
        objects = dict(
            zip(KEYS, [name for name in FIELDS if name != "company_person"], strict=True)
        )
        rows = self.rows()
        held = {
            stream: Counter(row[0] for row in rows[objects[stream]].elements()) for stream in KEYS
        }
        doubled = {key for keys in held.values() for key, times in keys.items() if times > 1}
        rejected = self.rejected()
        covered = (each for each in self._source.records[: self.covered])
        keys = {(each["stream"], each["record"][KEYS[each["stream"]]]) for each in covered}
        missing = {(s, key) for s, key in keys if key not in held[s] and (s, key) not in rejected}
        if missing or doubled or self.states != sorted(self.states):
            message = f"missing {sorted(missing)}, doubled {sorted(doubled)}, states {self.states}"
            raise SoakError(message)

    def _order(self) -> str:
        order = {"config": self._config, "input": str(self._input), "output": str(self._output)}
        if self._launcher.stdin is None:
            raise SoakError
        self._launcher.stdin.write(json.dumps(order) + "\n")
        self._launcher.stdin.flush()
        return self._told()

    def _told(self) -> str:
        if self._launcher.stdout is None:
            raise SoakError
        return self._launcher.stdout.readline()

    def _kill(self, pid: int, calls: int, seconds: float) -> None:
        until = time.monotonic() + MOST_SECONDS_OF_A_RUN
        while self._calls < calls and time.monotonic() < until and _lives(pid):
            time.sleep(0.001)
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _count_calls(self) -> None:
        record = self._tenant.record

        def count(call: Any) -> None:  # noqa: ANN401 - handed on as it is
            self._calls += 1
            record(call)

        self._tenant.record = count  # type: ignore[method-assign]


def _lives(pid: int) -> bool:
    """Return whether a process exists; the launcher reaps its children, so none is a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def _loaded(
    folder: Path, source: SoakInput, launcher: subprocess.Popen[str], *, seed: int | None
) -> Iterator[Loaded]:
    """Start a tenant, a troubled one if there is a seed for its faults."""
    folder.mkdir(parents=True)
    sandbox = start_sandbox(folder / "tenant.db", config=TENANT)
    sandbox.tenant.faults.rules.append(ServerRule("company", "Industry", REFUSED))
    if seed is not None:
        sandbox.tenant.faults.seed(seed)
        sandbox.tenant.faults.add(
            Fault("latency", seconds=(0.0, 0.01)),
            Fault("reset_before_commit", path="/v1/data/*", probability=0.01),
            Fault("reset_after_commit", path="/v*", probability=0.01),
        )
    try:
        yield Loaded(sandbox, folder, source, launcher)
    finally:
        sandbox.stop()


def soak_once(
    folder: Path, launcher: subprocess.Popen[str], *, records: int, seed: int, counts: Counts
) -> None:
    """One round.

    Args:
        folder: Where its files go.
        launcher: Makes the processes.
        records: How many are loaded.
        seed: Of all chance.
        counts: Takes what was done.

    Raises:
        SoakError: Something was lost or doubled.
    """
    source, chance = SoakInput(records, seed), random.Random(seed)  # noqa: S311 - repeatable
    with (
        _loaded(folder / "undisturbed", source, launcher, seed=None) as undisturbed,
        _loaded(folder / "killed", source, launcher, seed=seed) as killed,
    ):
        _expect_end(undisturbed.run(), undisturbed, records)
        exit_code, fruitless = -signal.SIGKILL, 0
        while exit_code == -signal.SIGKILL:
            covered, most = killed.covered, MOST_CALLS * (1 + fruitless // FRUITLESS_KILLS)
            exit_code = killed.run(chance.randint(1, most), chance.random() * 0.02)
            counts.kills += exit_code == -signal.SIGKILL
            fruitless = 0 if killed.covered > covered else fruitless + 1
            killed.check()
        _expect_end(exit_code, killed, records)
        _compare(undisturbed, killed)
        counts.rounds += 1


def _expect_end(exit_code: int, loaded: Loaded, records: int) -> None:
    """Raise unless a run succeeded, or failed only because all remaining records were rejected."""
    if exit_code == 0 or (exit_code == 1 and loaded.covered == records):
        return
    message = f"a run that was not killed exited with {exit_code}, its state at {loaded.covered}"
    raise SoakError(message)


def _compare(undisturbed: Loaded, killed: Loaded) -> None:
    wanted, held = undisturbed.rows(), killed.rows()
    for object_name, rows in wanted.items():
        lost, more = rows - held[object_name], held[object_name] - rows
        if lost or more:
            message = f"{object_name}: missing {dict(lost)}, too many {dict(more)}"
            raise SoakError(message)
    if undisturbed.rejected() != killed.rejected():
        message = f"rejected {sorted(undisturbed.rejected() ^ killed.rejected())} only once"
        raise SoakError(message)


def main() -> int:
    """Soak until the rounds or the seconds are over."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311
    parser.add_argument("--rounds", type=int, default=20, help="most rounds")
    parser.add_argument("--seconds", type=float, default=3600.0, help="begin no round after these")
    parser.add_argument("--records", type=int, default=600, help="of each round")
    parser.add_argument(EAGER, action="store_true", help="break the target's promise: must fail")
    asked = parser.parse_args()
    counts, began = Counts(), time.monotonic()
    command = [sys.executable, str(HERE / "forked_targets.py"), *([EAGER] if asked.eager else [])]
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        Path(folder, "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as launcher,
    ):
        for seed in range(asked.seed, asked.seed + asked.rounds):
            if time.monotonic() - began >= asked.seconds:
                break
            place = Path(folder) / str(seed)
            try:
                soak_once(place, launcher, records=asked.records, seed=seed, counts=counts)
            except SoakError as error:
                print(f"seed {seed}, after {counts.kills} kills: {error}")
                print(*Path(log.name).read_text(encoding="utf-8").splitlines()[-5:], sep="\n")
                return 1
    seconds = time.monotonic() - began
    print(
        f"seed {asked.seed}: {counts.kills} kills in {counts.rounds} rounds of {asked.records} "
        f"records, {seconds:.0f} s: nothing lost, nothing doubled"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
