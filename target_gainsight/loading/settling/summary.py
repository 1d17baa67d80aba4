"""The counts of a run: outcomes per stream, rejects per code, calls and waits."""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from singer_sdk import metrics

from target_gainsight.api import CallEvent, RateLimitGroup, ThrottledError
from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.storage.source_json import utc_time
from target_gainsight.mapping.errors import counted, display, json_value
from target_gainsight.mapping.escaping import one_line

MAX_EXAMPLES = 3
"""The rejects of one code that the summary shows."""

MAX_MINUTES = 1440
"""The newest minutes whose calls are kept, so that a run of weeks stays small."""

MAX_WAITS = 1000
"""The newest waits that a further one may overlap."""


@dataclass
class FileCounts:
    """The counts of a stream that is loaded by files.

    Attributes:
        unknown: Rows of files whose job reports no counts of accepted and failed rows.
        repeated: Records that an earlier run has sent; they are settled, too.
        kept, written: Paths of files with failed rows, and of those to be imported by hand.
    """

    files: int = 0
    rows: int = 0
    accepted: int = 0
    failed: int = 0
    unknown: int = 0
    repeated: int = 0
    settled: int = 0
    kept: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def to_text(self) -> str:
        """Return the counts for a person to read."""
        parts = [counted(self.files, "file"), counted(self.rows, "row")]
        named = ("accepted", "failed", "unknown", "repeated")
        counts = {name: getattr(self, name) for name in named}
        parts += [f"{count:,} {name}" for name, count in counts.items() if count]
        return ", ".join(parts)


@dataclass
class StreamCounts:
    """The counts of one stream; ``by_file`` is None if each record has an outcome of its own."""

    read: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    cleared: int = 0
    found_by_fallback: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    by_file: FileCounts | None = None
    columns_reported: set[str] = field(default_factory=set)
    written_reported: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "read": self.read,
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "skipped_because": dict(self.skips),
            "fields_cleared": self.cleared,
            "found_by_fallback": self.found_by_fallback,
            "fields_changed": dict(self.changed.most_common()),
            **({"by_file": asdict(self.by_file)} if self.by_file else {}),
        }


@dataclass
class RejectCounts:
    """The rejects with one code: their number, the first in words, the first few as JSON values."""

    stream: str
    example: str
    suggestion: str
    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


class CallCounts:
    """The calls of a run; ``seconds_waited`` counts time in which at least one call waited."""

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_group: Counter[RateLimitGroup | None] = Counter()
        self.throttled = 0
        self.retried = 0
        self.seconds_waited = 0.0
        self.rate_used_percent: int | None = None
        self.allowed_per_minute: Mapping[str, int] = {}
        self._per_minute: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._waits: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """All calls sent."""
        return self.by_kind.total()

    def count(self, event: CallEvent) -> None:
        """Count one attempt of a call; may be called from any thread."""
        kind, group = event.call.kind, event.call.group
        with self._lock:
            self.by_group[group] += 1
            self.by_kind[kind] += 1
            self.throttled += isinstance(event.error, ThrottledError)
            self.retried += event.attempt > 1
            self._add_wait(event.sent_at - event.waited, event.sent_at)
            self._seconds[kind] += event.seconds
            if group is not None:
                self._per_minute[utc_time(event.sent_at, "minutes")][group] += 1
                if len(self._per_minute) > MAX_MINUTES:
                    del self._per_minute[min(self._per_minute)]

    def count_resends(self, pauses: Iterable[tuple[float, float]]) -> None:
        """Count creates that were sent again after their response was lost, and their waits."""
        with self._lock:
            for start, end in pauses:
                self.retried += 1
                self._add_wait(start, end)

    def _add_wait(self, start: float, end: float) -> None:
        """Add the time of a wait in which no other call waited; waits may come in any order."""
        if start >= end:
            return
        joined = [each for each in self._waits if each[0] <= end and each[1] >= start]
        apart = [each for each in self._waits if each not in joined]
        starts, ends = zip((start, end), *joined, strict=True)
        self._waits = [*apart[-MAX_WAITS:], (min(starts), max(ends))]
        self.seconds_waited += max(ends) - min(starts) - sum(ends[1:]) + sum(starts[1:])

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "total": self.total,
            "by_kind": dict(self.by_kind),
            "throttled": self.throttled,
            "retried": self.retried,
            "seconds_waited": round(self.seconds_waited, 1),
            "rate_used_percent": self.rate_used_percent,
            "allowed_per_minute": dict(self.allowed_per_minute),
            "calls_per_minute": [
                {"minute": minute, **counts} for minute, counts in sorted(self._per_minute.items())
            ],
        }

    def to_text(self) -> str:
        """Return the counts for a person to read."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.by_kind.items()))
        if self.rate_used_percent is not None:
            kinds += f"; {self.rate_used_percent}% of the allowed rate"
        return (
            f"calls: {self.total} ({kinds or 'none'}); throttled {self.throttled}, "
            f"retried {self.retried}, waited {self.seconds_waited:.1f} s"
        )

    def write_metrics(self, logger: logging.Logger) -> None:
        """Write ``http_request_count`` and ``http_request_duration``, a point per kind of call."""
        count, duration = metrics.Metric.HTTP_REQUEST_COUNT, metrics.Metric.HTTP_REQUEST_DURATION
        for kind, calls in self.by_kind.items():
            tags: dict[str, Any] = {metrics.Tag.ENDPOINT: kind}
            metrics.log(logger, metrics.Point("counter", count, calls, tags))
            metrics.log(logger, metrics.Point("timer", duration, self._seconds[kind], tags))


@dataclass
class Summary:
    """The facts and counts of a run.

    Attributes:
        tenant: The tenant's host, or `sandbox`; None if the settings do not name one.
        left_unread: Records that were not taken, because ``max_calls_per_run`` was reached.
    """

    run: str
    started_at: float = 0.0
    version: str = ""
    tenant: str | None = None
    dry_run: bool = False
    left_unread: int = 0
    calls: CallCounts = field(default_factory=CallCounts)
    streams: defaultdict[str, StreamCounts] = field(
        default_factory=lambda: defaultdict(StreamCounts)
    )
    rejects: dict[str, RejectCounts] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def count_reject(self, source: SourceRecord, reason: Reason) -> None:
        """Count a reject by its reason."""
        new = RejectCounts(source.alias, str(reason), reason.hint)
        rejects = self.rejects.setdefault(reason.code, new)
        rejects.count += 1
        if rejects.count <= MAX_EXAMPLES:
            example = {
                "stream": source.alias,
                "key": {name: json_value(value) for name, value in source.key.items()},
                "field": reason.field,
                "value": json_value(reason.value),
                "message": reason.message,
                "suggestion": reason.hint,
            }
            rejects.examples.append(example)

    @property
    def read(self) -> int:
        """Records read over all streams."""
        return sum(counts.read for counts in self.streams.values())

    @property
    def settled(self) -> int:
        """Records that have an outcome, or whose file is settled, over all streams."""
        by_file = sum(each.by_file.settled for each in self.streams.values() if each.by_file)
        return by_file + sum(each.outcomes.total() for each in self.streams.values())

    @property
    def failed_by_file(self) -> int:
        """Rows that bulk jobs have not written, over all streams."""
        return sum(each.by_file.failed for each in self.streams.values() if each.by_file)

    @property
    def without_outcome(self) -> int:
        """Records that a run which ended early left to the next one."""
        return self.left_unread + self.read - self.settled

    def document(self, end: Mapping[str, Any], ended_at: float) -> dict[str, Any]:
        """Return the summary document: status, exit code and error as given, facts and counts."""
        return {
            "run": self.run,
            **end,
            "started_at": utc_time(self.started_at, "seconds"),
            "ended_at": utc_time(ended_at, "seconds"),
            "duration_seconds": round(ended_at - self.started_at, 1),
            "version": self.version,
            "tenant": self.tenant,
            "dry_run": self.dry_run,
            "without_outcome": self.without_outcome,
            "streams": {name: counts.to_json() for name, counts in self.streams.items()},
            "calls": self.calls.to_json(),
            "rejects": {code: asdict(counts) for code, counts in self.rejects.items()},
            "files": {name: str(path) for name, path in self.files.items()},
        }

    def table(self) -> str:
        """Return the counts per stream as a table."""
        if not self.read:
            return "no records were read"
        rows = [["stream", "read", *(outcome.value for outcome in Outcome), "cleared"]]
        for stream, counts in self.streams.items():
            outcomes = [counts.outcomes[outcome] for outcome in Outcome]
            rows.append([display(stream), *map(str, (counts.read, *outcomes, counts.cleared))])
        first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        form = f" {{:<{first}}}" + "".join(f"   {{:>{width}}}" for width in widths)
        head, *lines = [form.format(*row) for row in rows]
        return "\n".join([head, f" {'─' * (len(head) - 1)}", *lines])

    def file_lines(self) -> list[str]:
        """Return a line per stream that is loaded by files, and one per file that is kept."""
        lines = []
        for name, counts in self.streams.items():
            if counts.by_file:
                lines.append(f"{display(name)} by file: {counts.by_file.to_text()}")
                lines += [
                    f"  kept, because not all rows are confirmed: {path}"
                    for path in counts.by_file.kept
                ]
                lines += [f"  to be imported by hand: {path}" for path in counts.by_file.written]
        return lines

    def reject_lines(self) -> list[str]:
        """Return a line per code of rejects, with an example."""
        return [
            f"rejects {one_line(code)}: {counts.count}, such as in {one_line(counts.stream)}: "
            + counts.example.removeprefix(f"{one_line(code)}: ")
            for code, counts in self.rejects.items()
        ]

    def __str__(self) -> str:
        """Return the summary for a person to read."""
        lines = [self.table(), *self.file_lines()]
        for name, counts in self.streams.items():
            if counts.skips:
                skipped = ", ".join(f"{code} {count:,}" for code, count in counts.skips.items())
                lines.append(f"{display(name)} skipped: {skipped}")
            if counts.found_by_fallback:
                found = counted(counts.found_by_fallback, "row")
                lines.append(f"{display(name)}: {found} found by fallback_keys")
        lines += [self.calls.to_text(), *self.reject_lines()]
        return "\n".join([*lines, *(f"{name}: {path}" for name, path in self.files.items())])
