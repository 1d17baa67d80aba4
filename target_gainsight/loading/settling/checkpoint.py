"""Holds Singer states back until every record that was read before them is settled."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Checkpoint:
    """Holds STATE messages back until they are covered.

    Attributes:
        emit: Writes one state, after bringing what it covers to disk.
        interval: Minimal seconds between two states; the last one is always written.
        max_waiting: If more states are waiting, every other one is dropped.
        settled: The watermark: how far the records, at positions from 1 on, are settled without a
            gap.
    """

    emit: Callable[[Mapping[str, Any]], None]
    now: Callable[[], float]
    interval: float
    max_waiting: int = 1000
    received: int = 0
    settled: int = 0
    _bounds: list[int] = field(default_factory=lambda: [0, 1])
    """Where ranges of settled positions begin and end in turn: one record may wait for minutes
    while very many after it are settled."""
    _waiting: deque[tuple[int, Mapping[str, Any]]] = field(default_factory=deque)
    _covered: Mapping[str, Any] | None = None
    _emitted_at: float = -math.inf

    def register(self) -> int:
        """Take one more record and return its position."""
        self.received += 1
        return self.received

    def settle(self, position: int) -> None:
        """Note that the record at a position is settled, which it must not be already."""
        bounds = self._bounds
        index = bisect_right(bounds, position)
        if index % 2 or position > self.received:
            message = f"position {position} of {self.received} cannot be settled (again)"
            raise ValueError(message)
        joins_before = bounds[index - 1] == position
        joins_after = bounds[index : index + 1] == [position + 1]
        added = [] if joins_before else [position]
        if not joins_after:
            added.append(position + 1)
        bounds[index - joins_before : index + joins_after] = added
        self.settled = bounds[1] - 1

    def add(self, state: Mapping[str, Any]) -> None:
        """Add the value of a STATE message at its position in the input."""
        self._waiting.append((self.received, state))
        if len(self._waiting) > self.max_waiting:  # a coarser state is still true
            newest = self._waiting.pop()
            self._waiting = deque([*list(self._waiting)[1::2], newest])
        self.advance()

    def advance(self, *, final: bool = False) -> None:
        """Write the newest covered state; within the interval after another only if final."""
        while self._waiting and self._waiting[0][0] <= self.settled:
            _, self._covered = self._waiting.popleft()
        now = self.now()
        if self._covered is not None and (final or now - self._emitted_at >= self.interval):
            self.emit(self._covered)
            self._covered, self._emitted_at = None, now
