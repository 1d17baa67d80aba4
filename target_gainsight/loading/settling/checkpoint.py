"""Holds Singer states back until every record that was read before them is settled."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from target_gainsight.loading.records import Watermark

MAX_WAITING_STATES = 1000


class Checkpoint:
    """Holds STATE messages back until they are covered.

    Args:
        emit: Writes one state.
        now: Returns the time in seconds.
        interval: Minimal seconds between two states; the last one is always written.
        max_waiting: Of more waiting states every other one is dropped.
    """

    def __init__(
        self,
        emit: Callable[[Mapping[str, Any]], None],
        now: Callable[[], float],
        interval: float,
        max_waiting: int = MAX_WAITING_STATES,
    ) -> None:
        self._emit = emit
        self._now = now
        self.interval = interval
        self._max_waiting = max_waiting
        self._watermarks: list[Watermark] = []
        self._waiting: deque[tuple[list[tuple[Watermark, int]], Mapping[str, Any]]] = deque()
        self._covered: Mapping[str, Any] | None = None
        self._emitted_at = -math.inf

    def open(self) -> Watermark:
        """Return the watermark of one more sink instance."""
        watermark = Watermark()
        self._watermarks.append(watermark)
        return watermark

    def add(self, state: Mapping[str, Any]) -> None:
        """Add the value of a STATE message at its position in the input."""
        open_ends = [
            (watermark, watermark.received)
            for watermark in self._watermarks
            if watermark.settled < watermark.received
        ]
        self._waiting.append((open_ends, state))
        if len(self._waiting) > self._max_waiting:  # a coarser state is still true
            newest = self._waiting.pop()
            self._waiting = deque([*list(self._waiting)[1::2], newest])
        self.advance()

    def advance(self, *, final: bool = False) -> None:
        """Write the newest covered state; within the interval after another only if final."""
        while self._waiting:
            open_ends, state = self._waiting[0]
            if any(watermark.settled < position for watermark, position in open_ends):
                break
            self._waiting.popleft()
            self._covered = state
        now = self._now()
        if self._covered is not None and (final or now - self._emitted_at >= self.interval):
            state, self._covered = self._covered, None
            self._emitted_at = now
            self._emit(state)
