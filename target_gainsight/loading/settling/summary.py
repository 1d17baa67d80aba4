"""The counts of a run: outcomes per stream, rejects per code, calls and waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.settling.time_spans import TimeSpans
from target_gainsight.mapping.errors import counted, display, json_value
from target_gainsight.mapping.escaping import one_line

MAX_MINUTES = 1440
"""The newest minutes whose calls are kept, so that a run of weeks stays small."""

MAX_EXAMPLES = 3
"""The rejects of one code that the summary shows."""


@dataclass
class FileCounts:
    """The counts of a stream that is loaded by files.

    Attributes:
        files: Files that were sent, or written.
        accepted: Rows that a job has written.
        failed: Rows that a job has not written.
        unknown: Rows of files whose job reports no counts.
        repeated: Records that an earlier run has sent; they are settled, too.
        kept: Files that are kept because rows failed.
        written: Files to be imported by hand.
    """

    files: int = 0
    rows: int = 0
    accepted: int = 0
    failed: int = 0
    unknown: int = 0
    repeated: int = 0
    settled: int = 0
    kept: list[Path] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            name: [str(path) for path in value] if isinstance(value, list) else value
            for name, value in vars(self).items()
        }

    def to_text(self) -> str:
        """Return the counts for a person to read."""
        parts = [counted(self.files, "file"), counted(self.rows, "row")]
        named = {
            "accepted": self.accepted,
            "failed": self.failed,
            "without a count of failures": self.unknown,
            "sent by an earlier run": self.repeated,
        }
        return ", ".join([*parts, *(f"{count:,} {name}" for name, count in named.items() if count)])


@dataclass
class StreamCounts:
    """The counts of one stream.

    Attributes:
        read: Records that reached the stream's sink.
        skips: Skipped records by reason code.
        cleared: Fields that a null emptied.
        found_by_fallback: Updated rows that were found by fallback keys.
        changed: Updated rows by changed field.
        by_file: The counts of records that are settled by file; None if each has an outcome.
        columns_reported: The columns that were reported as not sent.
    """

    read: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    cleared: int = 0
    found_by_fallback: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    by_file: FileCounts | None = None
    columns_reported: set[str] = field(default_factory=set)

    @property
    def settled(self) -> int:
        """Records that have an outcome, or whose file is settled."""
        by_file = self.by_file.settled if self.by_file else 0
        return sum(self.outcomes.values()) + by_file


@dataclass
class CallCounts:
    """The calls of a run.

    Attributes:
        throttled: Calls refused as too many.
        retried: Calls that were sent again.
        waits: The times at which at least one call waited for the rate or for a retry.
        per_minute: Calls by rate limit group, by the minute since the epoch.
        lock: Held while counts change: calls are counted in worker threads, resends are not.
    """

    by_kind: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    retried: int = 0
    waits: TimeSpans = field(default_factory=TimeSpans)
    per_minute: dict[int, Counter[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count_resends(self, pauses: Iterable[tuple[float, float]]) -> None:
        """Count creates that were sent again after their response was lost, and their waits."""
        with self.lock:
            for start, end in pauses:
                self.retried += 1
                self.waits.add(start, end)

    def count_minute(self, sent_at: float, group: str) -> None:
        """Count a call in its minute, and forget the oldest of too many minutes."""
        minute = int(sent_at // 60)
        self.per_minute.setdefault(minute, Counter())[group] += 1
        if len(self.per_minute) > MAX_MINUTES:
            del self.per_minute[min(self.per_minute)]

    @property
    def total(self) -> int:
        """All calls sent."""
        return sum(self.by_kind.values())


@dataclass(frozen=True)
class RejectExample:
    """One reject: its stream, its key properties and the reason."""

    stream: str
    key: Mapping[str, Any]
    reason: Reason

    def to_json(self) -> dict[str, Any]:
        """Return the reject as JSON values."""
        reason = self.reason
        return {
            "stream": self.stream,
            "key": {name: json_value(value) for name, value in self.key.items()},
            "field": reason.field,
            "value": json_value(reason.value),
            "message": reason.message,
            "suggestion": reason.hint,
        }


@dataclass
class RejectCounts:
    """The number of rejects with one code, and the first of them."""

    count: int = 0
    examples: list[RejectExample] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return count and examples as JSON values."""
        first = self.examples[0]
        return {
            "count": self.count,
            "stream": first.stream,
            "example": str(first.reason),
            "suggestion": first.reason.hint,
            "examples": [example.to_json() for example in self.examples],
        }


class Summary:
    """The counts of the run with some name.

    Attributes:
        left_unread: Records that were not taken, because ``max_calls_per_run`` was reached.
        allowed_per_minute: Allowed calls in a minute, of the groups with such a limit.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.streams: dict[str, StreamCounts] = {}
        self.left_unread = 0
        self.calls = CallCounts()
        self.rejects: dict[str, RejectCounts] = {}
        self.files: dict[str, Path] = {}
        self.rate_used_percent: int | None = None
        self.allowed_per_minute: Mapping[str, int] = {}

    def stream(self, name: str) -> StreamCounts:
        """Return the counts of a stream, by its name as it comes out of the stream maps."""
        counts = self.streams.get(name)
        if counts is None:
            counts = self.streams[name] = StreamCounts()
        return counts

    def count_reason(
        self, stream: str, key: Mapping[str, Any], outcome: Outcome, reason: Reason
    ) -> None:
        """Count a skipped or rejected record by its reason."""
        if outcome is Outcome.SKIPPED:
            self.stream(stream).skips[reason.code] += 1
        if outcome is Outcome.REJECTED:
            counts = self.rejects.setdefault(reason.code, RejectCounts())
            counts.count += 1
            if len(counts.examples) < MAX_EXAMPLES:
                counts.examples.append(RejectExample(stream, key, reason))

    def total(self, outcome: Outcome) -> int:
        """Count an outcome over all streams."""
        return sum(counts.outcomes[outcome] for counts in self.streams.values())

    @property
    def read(self) -> int:
        """Records read over all streams."""
        return sum(counts.read for counts in self.streams.values())

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "run": self.run,
            "without_outcome": self.without_outcome,
            "streams": {name: _counts_json(counts) for name, counts in self.streams.items()},
            "calls": {
                "total": self.calls.total,
                "by_kind": dict(self.calls.by_kind),
                "throttled": self.calls.throttled,
                "retried": self.calls.retried,
                "seconds_waited": round(self.calls.waits.seconds, 1),
                "rate_used_percent": self.rate_used_percent,
                "allowed_per_minute": dict(self.allowed_per_minute),
                "calls_per_minute": [
                    {"minute": _minute(minute), **counts}
                    for minute, counts in sorted(self.calls.per_minute.items())
                ],
            },
            "rejects": {code: counts.to_json() for code, counts in self.rejects.items()},
            "files": {name: str(path) for name, path in self.files.items()},
        }

    @property
    def settled(self) -> int:
        """Records that have an outcome, over all streams."""
        return sum(counts.settled for counts in self.streams.values())

    @property
    def without_outcome(self) -> int:
        """Records that a run which ended early left to the next one."""
        return self.left_unread + self.read - self.settled

    def table(self) -> str:
        """Return the counts per stream as a table."""
        names = [outcome.value for outcome in Outcome]
        rows: list[tuple[str, ...]] = [("stream", "read", *names, "cleared")]
        for stream, counts in self.streams.items():
            outcomes = [counts.outcomes[outcome] for outcome in Outcome]
            numbers = (counts.read, *outcomes, counts.cleared)
            rows.append((display(stream), *map(str, numbers)))
        first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for name, *cells in rows:
            justified = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
            lines.append(f" {name.ljust(first)}   {'   '.join(justified)}")
        return "\n".join([lines[0], f" {'─' * (len(lines[0]) - 1)}", *lines[1:]])

    def file_lines(self) -> list[str]:
        """Return a line per stream that is loaded by files, and one per file that is kept."""
        lines = []
        for name, counts in self.streams.items():
            if counts.by_file:
                lines.append(f"{display(name)} by file: {counts.by_file.to_text()}")
                lines += [f"  rows failed of {path}" for path in counts.by_file.kept]
                lines += [f"  to be imported: {path}" for path in counts.by_file.written]
        return lines

    def reject_lines(self) -> list[str]:
        """Return a line per code of rejects, with an example."""
        lines = []
        for name, counts in self.rejects.items():
            code, first = one_line(name), counts.examples[0]
            example = str(first.reason).removeprefix(f"{code}: ")
            lines.append(
                f"rejects {code}: {counts.count}, such as in {one_line(first.stream)}: {example}"
            )
        return lines

    def to_text(self) -> str:
        """Return the summary for a person to read."""
        lines = [self.table() if self.read else "no records were read", *self.file_lines()]
        lines += [
            f"{display(name)}: {counted(counts.found_by_fallback, 'row')} found by fallback_keys"
            for name, counts in self.streams.items()
            if counts.found_by_fallback
        ]
        calls = ", ".join(f"{count} {kind}" for kind, count in sorted(self.calls.by_kind.items()))
        if self.rate_used_percent is not None:
            calls += f"; {self.rate_used_percent}% of the allowed rate"
        lines.append(
            f"calls: {self.calls.total} ({calls or 'none'}); throttled {self.calls.throttled}, "
            f"retried {self.calls.retried}, waited {self.calls.waits.seconds:.1f} s"
        )
        lines += self.reject_lines()
        lines += [f"{name}: {path}" for name, path in self.files.items()]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()


def _counts_json(counts: StreamCounts) -> dict[str, Any]:
    by_file = {"by_file": counts.by_file.to_json()} if counts.by_file else {}
    return {
        "read": counts.read,
        **{outcome.value: counts.outcomes[outcome] for outcome in Outcome},
        "skipped_because": dict(counts.skips),
        "fields_cleared": counts.cleared,
        "found_by_fallback": counts.found_by_fallback,
        "fields_changed": dict(counts.changed.most_common()),
        **by_file,
    }


def _minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, tz=timezone.utc).isoformat(timespec="minutes")
