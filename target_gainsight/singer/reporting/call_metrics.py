"""Counts the calls of a run for its summary and for the SDK's metrics."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from typing import Any

from singer_sdk import metrics

from target_gainsight.api import CallEvent, RateLimitGroup
from target_gainsight.loading.settling.summary import CallCounts


class CallCounter:
    """Counts every attempt of every call; may be called from any thread.

    Args:
        counts: The counts of the run's summary.

    Attributes:
        by_group: Calls by rate limit group; token requests have none.
    """

    def __init__(self, counts: CallCounts) -> None:
        self.by_group: Counter[RateLimitGroup | None] = Counter()
        self._counts = counts
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def __call__(self, event: CallEvent) -> None:
        """Count one attempt."""
        with self._counts.lock:
            self.by_group[event.group] += 1
            self._counts.by_kind[event.kind] += 1
            self._counts.throttled += event.outcome == "throttled"
            self._counts.retried += event.attempt > 1
            self._counts.waits.add(event.sent_at - event.waited, event.sent_at)
            if event.group is not None:
                self._counts.count_minute(event.sent_at, event.group)
            self._seconds[event.kind] += event.seconds

    def write_metrics(self, logger: logging.Logger) -> None:
        """Write ``http_request_count`` and ``http_request_duration``, a point per kind of call."""
        for kind, count in self._counts.by_kind.items():
            tags: dict[str, Any] = {metrics.Tag.ENDPOINT: kind}
            for metric_type, metric, value in (
                ("counter", metrics.Metric.HTTP_REQUEST_COUNT, count),
                ("timer", metrics.Metric.HTTP_REQUEST_DURATION, self._seconds[kind]),
            ):
                metrics.log(logger, metrics.Point(metric_type, metric, value, tags))
