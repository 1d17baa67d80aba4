"""Singer messages, and the target run over them: in this process or as the installed command."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from fake_clock import FakeClock
from singer_messages import Message

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.sandbox import RunningSandbox, start_sandbox
from target_gainsight.target import TargetGainsight

COMMAND = Path(sys.executable).parent / "target-gainsight"
COMMAND_SECONDS = 60
INT_DIGITS = 4_300
KEY = "k3y-of-the-t3nant"
NO_LIMITS = {"calls_per_minute": 0, "calls_per_day": 0}
DESCRIBED = {
    "limits": NO_LIMITS,
    "objects": {
        "Order__gc": {
            "fields": {
                "orderId__gc": {"type": "NUMBER"},
                "buyer__gc": {"type": "STRING"},
                "placedAt__gc": {"type": "DATETIME"},
                "sequence__gc": {"type": "NUMBER"},
            }
        },
        "Result__gc": {
            "fields": {
                "id__gc": {"type": "STRING", "length": 100},
                "number__gc": {"type": "NUMBER"},
                "flag__gc": {"type": "BOOLEAN"},
                "at__gc": {"type": "DATETIME"},
                "day__gc": {"type": "DATE"},
                "text__gc": {"type": "STRING", "length": 500},
            }
        },
    },
}


def lines_of(messages: Iterable[Message | str]) -> str:
    """Messages as a tap writes them; text stands for a line as it is."""
    texts = (each if isinstance(each, str) else json.dumps(each) for each in messages)
    return "".join(f"{text}\n" for text in texts)


def settings_into(sandbox: RunningSandbox, folder: Path) -> Message:
    """Settings that load companies into a tenant as fast as it takes them, whatever is rejected."""
    return {
        "base_url": sandbox.base_url,
        "access_key": sandbox.access_key,
        "object_type": "company",
        "rejects_path": str(folder / "rejects"),
        "calls_per_minute": 100_000,
        "calls_per_day": 1_000_000,
        "max_reject_percent": 100,
    }


@dataclass(frozen=True)
class TargetRun:
    """Results of a run in this process.

    Attributes:
        exit_code: As the shell sees it.
        output: The standard output.
        logged: Level and message of each log line, from INFO on.
        reject_lines: The messages of the reject file.
        reject_path: The reject file, which exists if something was rejected.
        target: The target that ran.
    """

    exit_code: int
    output: str
    logged: list[tuple[int, str]]
    reject_lines: list[Message]
    reject_path: Path
    target: TargetGainsight

    @property
    def states(self) -> list[Message]:
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def summary(self) -> Message:
        """The summary of the run as JSON."""
        return self.target.summary.document({}, 0.0)

    @property
    def log(self) -> list[str]:
        """The warnings and errors."""
        return [text for level, text in self.logged if level >= logging.WARNING]

    @property
    def errors(self) -> list[str]:
        return [text for level, text in self.logged if level == logging.ERROR]

    @property
    def warnings(self) -> list[str]:
        return [text for level, text in self.logged if level == logging.WARNING]

    @property
    def error(self) -> str:
        """The error that ended the run."""
        return self.errors[-1]

    @property
    def rejects(self) -> list[Message]:
        """Source record and reason of each reject."""
        return [line for line in self.reject_lines if line["type"] == "RECORD"]

    @property
    def codes(self) -> list[str]:
        """The reason of each reject, in file order."""
        return [line["gainsight_reject"]["code"] for line in self.rejects]

    def outcomes(self, stream: str = "accounts") -> dict[str, int]:
        """The number of records of a stream by outcome, without zeros."""
        counts = self.summary["streams"].get(stream, {})
        names = [outcome.value for outcome in Outcome]
        return {name: counts[name] for name in names if counts.get(name)}


class WatchedOutput(io.StringIO):
    """Standard output that calls a function with each state before it is written."""

    def __init__(self, on_state: Callable[[Message], None]) -> None:
        super().__init__()
        self._on_state = on_state

    def write(self, text: str) -> int:
        for line in text.splitlines():
            self._on_state(json.loads(line))
        return super().write(text)


class LineByLine(io.BytesIO):
    """An input that delivers one line at a time, and ends once it may."""

    def __init__(self, messages: Iterable[Message | str]) -> None:
        super().__init__(lines_of(messages).encode())
        self.may_end = threading.Event()
        self.may_end.set()

    def read1(self, _: int | None = -1) -> bytes:
        line = self.readline()
        if not line and not self.may_end.wait(COMMAND_SECONDS):
            pytest.fail("The input had to wait for its end.")
        return line


def advance_with_input(target: TargetGainsight, clock: FakeClock, seconds: float) -> None:
    """Let ``seconds`` pass after each line that the target reads."""
    on_tick, lines_read = target.reader.on_tick, 0

    def tick() -> None:
        nonlocal lines_read
        clock.advance(seconds * (target.reader.line_number - lines_read))
        lines_read = target.reader.line_number
        on_tick()

    target.reader.on_tick = tick


class Tenant:
    """A sandbox, and runs that load companies into it by default.

    Args:
        sandbox: The sandbox.
        clock: The clock of tenant and target.
        folder: Where reject files go.
        caplog: Records the log of each run.
    """

    def __init__(
        self,
        sandbox: RunningSandbox,
        clock: FakeClock,
        folder: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.folder = folder
        self._caplog = caplog

    @property
    def settings(self) -> Message:
        return settings_into(self.sandbox, self.folder)

    def target(self, *, http: requests.Session | None = None, **settings: Any) -> TargetGainsight:
        """Make a target; a setting of None is left out."""
        given = self.settings | settings
        config = {name: value for name, value in given.items() if value is not None}
        return TargetGainsight(config=config, clock=self.clock, http=http)

    def load(self, *messages: Message | str, **settings: Any) -> TargetRun:
        """Run a target over some messages."""
        return self.load_text(lines_of(messages), **settings)

    def load_text(self, text: str | bytes, **settings: Any) -> TargetRun:
        """Run a target over an input as it is; bytes are read as standard input is."""
        self._caplog.clear()
        data = io.BytesIO(text.encode() if isinstance(text, str) else text)
        return self.run_over(self.target(**settings), data)

    def run(
        self,
        target: TargetGainsight,
        *messages: Message | str,
        output: io.StringIO | None = None,
    ) -> TargetRun:
        """Run this target over some messages."""
        self._caplog.clear()
        return self.run_over(target, io.BytesIO(lines_of(messages).encode()), output)

    def run_over(
        self, target: TargetGainsight, data: io.BytesIO, output: io.StringIO | None = None
    ) -> TargetRun:
        """Run this target over an input of the test's own."""
        output = output or io.StringIO()
        with (
            contextlib.redirect_stdout(output),
            io.TextIOWrapper(data, encoding="utf-8") as source,
        ):
            exit_code = target.run_to_end(source)
        return TargetRun(
            exit_code,
            output=output.getvalue(),
            logged=[(entry.levelno, entry.getMessage()) for entry in self._caplog.records],
            reject_lines=_lines_in(target.session.ledger.rejects.path),
            reject_path=target.session.ledger.rejects.path,
            target=target,
        )

    def rows(self, object_name: str = "Company", **filters: Any) -> list[Message]:
        return self.sandbox.tenant.rows(object_name, **filters)

    def names(self, object_name: str = "Company") -> list[str]:
        return sorted(row["Name"] for row in self.rows(object_name))

    def count_names(self, object_name: str = "Company") -> Counter[str]:
        """Count the names of an object's rows; a duplicate counts twice."""
        return Counter(row["Name"] for row in self.rows(object_name))

    def delete(self, object_name: str, **filters: Any) -> None:
        """Delete rows as an administrator would."""
        model = self.sandbox.tenant.named_object(object_name)
        for row in self.rows(object_name, **filters):
            self.sandbox.tenant.store.delete(model, row["Gsid"])

    def calls(self, kind: str) -> list[SentCall]:
        """Return the calls of a kind that the tenant received."""
        found = [call for call in self.sandbox.tenant.calls() if call.kind == kind]
        return [SentCall(call.method, call.path, call.records, call.request) for call in found]

    def count_calls(self) -> Counter[str]:
        """Count the calls of each kind since the last count."""
        kinds = Counter(call.kind for call in self.sandbox.tenant.calls())
        self.sandbox.tenant.reset_calls()
        return kinds


def _lines_in(path: Path) -> list[Message]:
    if not path.exists():
        return []
    return [
        json.loads(line, parse_int=_number)
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def _number(digits: str) -> int | Decimal:
    """Return a whole number; Python refuses to read very long ones as `int`."""
    return int(digits) if len(digits) < INT_DIGITS else Decimal(digits)


@dataclass(frozen=True)
class SentCall:
    """A call as the tenant saw it; long bodies are cut short."""

    method: str
    path: str
    size: int
    request: str | None

    @property
    def body(self) -> Any:
        return json.loads(self.request or "null")


@contextlib.contextmanager
def embedded_tenant(
    folder: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> Iterator[Tenant]:
    """Serve a tenant without limits, by a clock that jumps."""
    caplog.set_level(logging.INFO)
    path = folder / "tenant.db"
    with start_sandbox(path, config=DESCRIBED, access_key=KEY, clock=clock.now) as sandbox:
        yield Tenant(sandbox, clock, folder, caplog)


@contextlib.contextmanager
def signals_as_they_were() -> Iterator[None]:
    """Give back the signals that a target takes for itself."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def run_command(
    *arguments: str,
    folder: Path,
    messages: Iterable[Message | str] = (),
    settings: Mapping[str, Any] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run the installed command to its end.

    Args:
        arguments: What stands on the command line besides the configuration.
        folder: Where it runs.
        messages: Its standard input.
        settings: Its configuration file; None for no such file.
        environment: Variables beside those of this process.
    """
    return subprocess.run(
        [*command_line(folder, settings), *arguments],
        input=lines_of(messages),
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def command_line(folder: Path, settings: Mapping[str, Any] | None) -> list[str]:
    if settings is None:
        return [str(COMMAND)]
    path = folder / "config.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return [str(COMMAND), "--config", str(path)]


def clean_environment() -> dict[str, str]:
    """Return the environment without the variables that the shell exports for a tenant."""
    foreign = ("TARGET_GAINSIGHT_", "MELTANO_", "LOGLEVEL", "SINGER_SDK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def errors_in(log: str) -> list[str]:
    """The messages of the errors in a command's log."""
    return [line.split("|", 3)[3].strip() for line in log.splitlines() if "| ERROR " in line]
