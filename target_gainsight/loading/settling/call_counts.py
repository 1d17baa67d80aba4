"""Counts the calls of a run, for its summary and for the SDK's metrics."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from singer_sdk import metrics

from target_gainsight.api import CallEvent, RateLimitGroup

MAX_MINUTES = 1440
"""The newest minutes whose calls are kept, so that a run of weeks stays small."""

MAX_SPANS = 1000


class TimeSpans:
    """Measures how long at least one of several threads did something.

    Args:
        max_spans: Of more separate spans the earliest are closed: a later span adds nothing to
            the time before their end.
    """

    def __init__(self, max_spans: int = MAX_SPANS) -> None:
        self._max_spans = max_spans
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._closed_seconds = 0.0
        self._closed_until = float("-inf")

    def add(self, start: float, end: float) -> None:
        """Add a span, which may overlap others and come in any order."""
        start = max(start, self._closed_until)
        if start >= end:
            return
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last], self._ends[first:last] = [start], [end]
        if len(self._starts) > self._max_spans:
            self._closed_until = self._ends.pop(0)
            self._closed_seconds += self._closed_until - self._starts.pop(0)

    @property
    def seconds(self) -> float:
        """The length of the union."""
        return self._closed_seconds + sum(self._ends) - sum(self._starts)


class CallCounts:
    """The calls of a run.

    Attributes:
        by_group: Calls by rate limit group; token requests have none.
        waits: The times at which at least one call waited for the rate or for a retry.
        per_minute: Calls by rate limit group, by the minute since the epoch.
        allowed_per_minute: Of the groups with such a limit.
    """

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_group: Counter[RateLimitGroup | None] = Counter()
        self.throttled = 0
        self.retried = 0
        self.waits = TimeSpans()
        self.per_minute: dict[int, Counter[str]] = {}
        self.rate_used_percent: int | None = None
        self.allowed_per_minute: Mapping[str, int] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """All calls sent."""
        return sum(self.by_kind.values())

    def count(self, event: CallEvent) -> None:
        """Count one attempt of a call; may be called from any thread."""
        kind, group = event.call.kind, event.call.group
        with self._lock:
            self.by_group[group] += 1
            self.by_kind[kind] += 1
            self.throttled += event.outcome == "throttled"
            self.retried += event.attempt > 1
            self.waits.add(event.sent_at - event.waited, event.sent_at)
            self._seconds[kind] += event.seconds
            if group is not None:
                minute = int(event.sent_at // 60)
                self.per_minute.setdefault(minute, Counter())[group] += 1
                if len(self.per_minute) > MAX_MINUTES:
                    del self.per_minute[min(self.per_minute)]

    def count_resends(self, pauses: Iterable[tuple[float, float]]) -> None:
        """Count creates that were sent again after their response was lost, and their waits."""
        with self._lock:
            for start, end in pauses:
                self.retried += 1
                self.waits.add(start, end)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        minutes = []
        for number, counts in sorted(self.per_minute.items()):
            minute = datetime.fromtimestamp(number * 60, tz=timezone.utc)
            minutes.append({"minute": minute.isoformat(timespec="minutes"), **counts})
        return {
            "total": self.total,
            "by_kind": dict(self.by_kind),
            "throttled": self.throttled,
            "retried": self.retried,
            "seconds_waited": round(self.waits.seconds, 1),
            "rate_used_percent": self.rate_used_percent,
            "allowed_per_minute": dict(self.allowed_per_minute),
            "calls_per_minute": minutes,
        }

    def to_text(self) -> str:
        """Return the counts for a person to read."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.by_kind.items()))
        if self.rate_used_percent is not None:
            kinds += f"; {self.rate_used_percent}% of the allowed rate"
        return (
            f"calls: {self.total} ({kinds or 'none'}); throttled {self.throttled}, "
            f"retried {self.retried}, waited {self.waits.seconds:.1f} s"
        )

    def write_metrics(self, logger: logging.Logger) -> None:
        """Write ``http_request_count`` and ``http_request_duration``, a point per kind of call."""
        for kind, count in self.by_kind.items():
            tags: dict[str, Any] = {metrics.Tag.ENDPOINT: kind}
            for metric_type, metric, value in (
                ("counter", metrics.Metric.HTTP_REQUEST_COUNT, count),
                ("timer", metrics.Metric.HTTP_REQUEST_DURATION, self._seconds[kind]),
            ):
                metrics.log(logger, metrics.Point(metric_type, metric, value, tags))
