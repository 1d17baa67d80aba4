"""The union of spans of time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

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
