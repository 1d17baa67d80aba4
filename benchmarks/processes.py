"""Runs a target or a tenant in a process of its own, and measures it. Knows no comparison."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
COMMANDS = Path(sys.executable).parent
OURS = (str(COMMANDS / "target-gainsight"),)
PLAIN = (sys.executable, str(HERE / "plain_target.py"))
NOTHING = (sys.executable, str(HERE / "noop_target.py"))
UNLIMITED = {"calls_per_minute": 0, "calls_per_day": 0}
WITH_BYTECODE = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}
"""Modules compiled anew at every start would be most of what a start costs."""

KIBIBYTES = 1 if sys.platform == "darwin" else 1024


class BenchmarkError(Exception):
    """Something that is measured did not do what it should."""


@dataclass(frozen=True)
class Measured:
    """Resources that a process used.

    Attributes:
        seconds: From its start to its end.
        cpu: Seconds of both kinds of its CPU time.
        peak: Bytes of memory at most.
    """

    seconds: float
    cpu: float
    peak: int


def run(
    command: Sequence[str],
    *,
    folder: Path,
    config: Mapping[str, Any] | None = None,
    source: Path | None = None,
    exit_code: int = 0,
) -> Measured:
    """Run a command to its end.

    Args:
        command: The command.
        folder: Where its configuration and its output go.
        config: Its configuration.
        source: Its standard input.
        exit_code: What it must end with.

    Returns:
        What it took.

    Raises:
        BenchmarkError: It ended otherwise.
    """
    arguments = list(command)
    if config is not None:
        path = folder / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        arguments += ["--config", str(path)]
    log = folder / "log.txt"
    with (source or Path(os.devnull)).open("rb") as given, log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=output,
            cwd=folder,
            env=WITH_BYTECODE,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != exit_code:
        message = f"exit {process.returncode} of {arguments[0]}:\n{log.read_text()[-2000:]}"
        raise BenchmarkError(message)
    return Measured(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * KIBIBYTES)


class AnsweredCall(NamedTuple):
    """A call as the tenant logged it.

    Attributes:
        kind: What it was for.
        status: HTTP status; None when the connection was reset.
        at: Seconds since the epoch by the tenant's clock.
        milliseconds: The time that the tenant took.
    """

    kind: str
    status: int | None
    at: float
    milliseconds: float


@dataclass(frozen=True)
class TenantProcess:
    """A tenant that is served by a process of its own.

    Attributes:
        base_url: Where.
        access_key: Its key.
        database: Its file.
    """

    base_url: str
    access_key: str
    database: Path

    def ours(self, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - settings as they are
        """Return our configuration, without rate limits by default."""
        return {
            "base_url": self.base_url,
            "access_key": self.access_key,
            "object_type": "company",
            "calls_per_minute": 1_000_000,
            "calls_per_day": 1_000_000_000,
            "rejects_path": str(self.database.parent / "rejects"),
            **settings,
        }

    def plain(self, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - settings as they are
        """The plain target's configuration."""
        return {"base_url": self.base_url, "access_key": self.access_key, **settings}

    def answered(self) -> list[AnsweredCall]:
        """Every call so far, in order."""
        with sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True) as file:
            query = 'SELECT kind, status, at, milliseconds FROM "_calls" ORDER BY id'
            found = [AnsweredCall(*row) for row in file.execute(query)]
        file.close()
        return found

    def calls(self) -> Counter[str]:
        """Count the calls of each kind."""
        return Counter(call.kind for call in self.answered())

    def count(self, object_name: str) -> int:
        """Count the rows of an object."""
        with sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True) as file:
            number: int = file.execute(f'SELECT count(*) FROM "{object_name}"').fetchone()[0]  # noqa: S608
        file.close()
        return number


@contextmanager
def tenant(
    folder: Path,
    *,
    described: Mapping[str, Any] | None = None,
    held: tuple[str, Path, int] | None = None,
) -> Iterator[TenantProcess]:
    """Serve a tenant.

    Args:
        folder: Where its file goes; must not hold one.
        described: Its description; without limits by default.
        held: An object, and the Singer file whose records it holds: every n-th.
    """
    folder.mkdir(parents=True)
    database = folder / "tenant.db"
    if held is not None:
        object_name, source, step = held
        seeded = (sys.executable, str(HERE / "seeding.py"), str(database))
        run((*seeded, object_name, str(source), str(step)), folder=folder)
    config = folder / "tenant.json"  # JSON is YAML
    config.write_text(json.dumps({"limits": UNLIMITED, **(described or {})}), encoding="utf-8")
    command = (str(COMMANDS / "gainsight"), "sandbox", "serve", "--port", "0")
    process = subprocess.Popen(
        (*command, "--db", str(database), "--config", str(config)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=WITH_BYTECODE,
    )
    try:
        yield TenantProcess(*_address(process), database.resolve())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def _address(process: subprocess.Popen[str]) -> tuple[str, str]:
    output = process.stdout
    if output is None:
        raise BenchmarkError
    url = output.readline().rpartition(" at ")[2].strip()
    key = output.readline().rpartition(": ")[2].strip()
    if not url or not key:
        message = "the tenant did not print its address"
        raise BenchmarkError(message)
    return url, key
