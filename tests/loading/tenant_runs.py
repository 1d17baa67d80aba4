"""Whole runs of the target in this process, against an embedded tenant, by a clock that jumps."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_messages import Message, record, schema
from singer_runs import settings_into

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.target import TargetGainsight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fake_clock import FakeClock

    from target_gainsight.sandbox import RunningSandbox, Tenant

NOTES = {"objects": {"Note__gc": {"fields": {"Text__gc": {"type": "STRING"}}}}}
"""The description of a tenant with an object that has no natural key."""

NOTE_SETTINGS = {
    "object_type": "custom_object",
    "custom_object_name": "Note__gc",
    "sync_mode": "insert",
}


def companies(numbers: Iterable[int], **fields: Any) -> list[Message]:
    """Records of companies C0, C1, …"""
    return [record(Name=f"C{number}", **fields) for number in numbers]


def notes(numbers: Iterable[int]) -> list[Message]:
    """A stream without keys: N0, N1, …"""
    columns = {"Text__gc": {"type": "string"}}
    lines = [record("notes", Text__gc=f"N{number}") for number in numbers]
    return [schema("notes", columns, keys=[]), *lines]


@dataclass(frozen=True)
class LoadRun:
    """What a run left behind.

    Attributes:
        exit_code: As the shell sees it.
        states: Every state written, in order.
        summary: The run's summary as JSON.
        reject_lines: The messages of the reject file.
        log: The warnings and errors.
        target: The target that ran.
    """

    exit_code: int
    states: list[Message]
    summary: Message
    reject_lines: list[Message]
    log: list[str]
    target: TargetGainsight

    @property
    def rejects(self) -> list[Message]:
        """The rejected RECORD messages."""
        return [line for line in self.reject_lines if line["type"] == "RECORD"]

    @property
    def codes(self) -> list[str]:
        """Why each listed record was rejected, in file order."""
        return [line["gainsight_reject"]["code"] for line in self.rejects]

    def outcomes(self, stream: str = "accounts") -> dict[str, int]:
        """How many records of a stream ended as what; what never happened is left out."""
        counts = self.summary["streams"].get(stream, {})
        names = [outcome.value for outcome in Outcome]
        return {name: counts[name] for name in names if counts.get(name)}


class Loading:
    """An embedded tenant and the runs that load into it.

    Args:
        sandbox: The tenant.
        clock: The time of tenant and target alike.
        folder: Where reject files go.
        warnings: Hands out what was logged since it was last asked.
    """

    def __init__(
        self,
        sandbox: RunningSandbox,
        clock: FakeClock,
        folder: Path,
        warnings: Callable[[], list[str]],
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.folder = folder
        self._warnings = warnings

    @property
    def tenant(self) -> Tenant:
        return self.sandbox.tenant

    def target(self, **settings: Any) -> TargetGainsight:
        config = settings_into(self.sandbox, self.folder) | settings
        return TargetGainsight(
            config={name: value for name, value in config.items() if value is not None},
            clock=self.clock,
        )

    def load(self, messages: Iterable[Message], **settings: Any) -> LoadRun:
        """Run a target over some messages."""
        return self.run(self.target(**settings), messages)

    def run(self, target: TargetGainsight, messages: Iterable[Message]) -> LoadRun:
        self._warnings()
        lines = "".join(json.dumps(message) + "\n" for message in messages)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exit_code = target.run_to_end(io.StringIO(lines))
        return LoadRun(
            exit_code,
            states=[json.loads(line) for line in output.getvalue().splitlines()],
            summary=target.summary.to_json(),
            reject_lines=list(self._reject_lines(target)),
            log=self._warnings(),
            target=target,
        )

    def _reject_lines(self, target: TargetGainsight) -> Iterator[Message]:
        path = target.session.ledger.rejects.path
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)

    def calls(self) -> Counter[str]:
        """How many calls of each kind the tenant answered since it was last asked."""
        kinds = Counter(call.kind for call in self.tenant.calls())
        self.tenant.reset_calls()
        return kinds

    def names(self, object_name: str = "company") -> Counter[str]:
        """The names of an object's rows; a twin counts twice."""
        return Counter(row["Name"] for row in self.tenant.rows(object_name))
