"""Counts the calls of a run, for its summary and for the SDK's metrics."""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from singer_sdk import metrics

from target_gainsight.api import CallEvent, RateLimitGroup, ThrottledError
from target_gainsight.loading.storage.source_json import utc_time

MAX_MINUTES = 1440
"""The newest minutes whose calls are kept, so that a run of weeks stays small."""

MAX_WAITS = 1000
"""The newest waits that a further one may overlap."""


class CallCounts:
    """The calls of a run.

    Attributes:
        by_group: Calls by rate limit group; token requests have none.
        seconds_waited: In which at least one call waited for the rate or for a retry.
        allowed_per_minute: Of the groups with such a limit.
    """

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
        """Count a wait as far as no other call waited then; waits may come in any order."""
        if start >= end:
            return
        joined = [each for each in self._waits if each[0] <= end and each[1] >= start]
        apart = [each for each in self._waits if each not in joined]
        self.seconds_waited -= sum(end - start for start, end in joined)
        start = min([start, *(each[0] for each in joined)])
        end = max([end, *(each[1] for each in joined)])
        self.seconds_waited += end - start
        self._waits = [*apart[-MAX_WAITS:], (start, end)]

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
