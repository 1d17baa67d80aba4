"""The counts of a run: outcomes per stream, rejects per code, calls and waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.escaping import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from target_gainsight.loading.outcomes import Reason


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
        merged: Records merged into a later one with the same key.
        cleared: Fields that a null emptied.
        found_by_fallback: Updated rows that were found by fallback keys.
        by_file: The counts of records that are settled by file; None if each has an outcome.
        columns_reported: The columns that were reported as not sent.
    """

    read: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    merged: int = 0
    cleared: int = 0
    found_by_fallback: int = 0
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
        waited: Seconds spent waiting for the rate and for retries.
    """

    by_kind: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    retried: int = 0
    waited: float = 0.0

    @property
    def total(self) -> int:
        """All calls sent."""
        return sum(self.by_kind.values())


@dataclass
class RejectExample:
    """The number of rejects with one code, and the stream and reason of the first one."""

    count: int
    stream: str
    message: str


class Summary:
    """The counts of the run with some name."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.streams: dict[str, StreamCounts] = {}
        self.calls = CallCounts()
        self.rejects: dict[str, RejectExample] = {}
        self.files: dict[str, Path] = {}
        self.rate_used_percent: int | None = None

    def stream(self, name: str) -> StreamCounts:
        """Return the counts of a stream, by its name as it comes out of the stream maps."""
        counts = self.streams.get(name)
        if counts is None:
            counts = self.streams[name] = StreamCounts()
        return counts

    def count_reason(self, stream: str, outcome: Outcome, reason: Reason) -> None:
        """Count a skipped or rejected record by its reason."""
        if outcome is Outcome.SKIPPED:
            self.stream(stream).skips[reason.code] += 1
        if outcome is Outcome.REJECTED:
            example = self.rejects.setdefault(reason.code, RejectExample(0, stream, str(reason)))
            example.count += 1

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
            "streams": {name: _counts_json(counts) for name, counts in self.streams.items()},
            "calls": {
                "total": self.calls.total,
                "by_kind": dict(self.calls.by_kind),
                "throttled": self.calls.throttled,
                "retried": self.calls.retried,
                "seconds_waited": round(self.calls.waited, 1),
                "rate_used_percent": self.rate_used_percent,
            },
            "rejects": {
                code: {"count": e.count, "stream": e.stream, "example": e.message}
                for code, e in self.rejects.items()
            },
            "files": {name: str(path) for name, path in self.files.items()},
        }

    @property
    def settled(self) -> int:
        """Records that have an outcome, over all streams."""
        return sum(counts.settled for counts in self.streams.values())

    def table(self) -> str:
        """Return the counts per stream as a table."""
        names = [outcome.value for outcome in Outcome]
        rows: list[tuple[str, ...]] = [("stream", "read", *names, "merged", "cleared")]
        for stream, counts in self.streams.items():
            outcomes = [counts.outcomes[outcome] for outcome in Outcome]
            numbers = (counts.read, *outcomes, counts.merged, counts.cleared)
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
        return [
            f"rejects {one_line(code)}: {e.count}, such as in {one_line(e.stream)}: {e.message}"
            for code, e in self.rejects.items()
        ]

    def to_text(self) -> str:
        """Return the summary for a person to read."""
        lines = [self.table() if self.read else "no records were read", *self.file_lines()]
        calls = ", ".join(f"{count} {kind}" for kind, count in sorted(self.calls.by_kind.items()))
        if self.rate_used_percent is not None:
            calls += f"; {self.rate_used_percent}% of the allowed rate"
        lines.append(
            f"calls: {self.calls.total} ({calls or 'none'}); throttled {self.calls.throttled}, "
            f"retried {self.calls.retried}, waited {self.calls.waited:.1f} s"
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
        "merged": counts.merged,
        "fields_cleared": counts.cleared,
        "found_by_fallback": counts.found_by_fallback,
        **by_file,
    }
