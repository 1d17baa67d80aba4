"""Which Singer state is covered by settled records.

A STATE is covered once every record that was read before it has its outcome. Only the newest
covered one is of interest. Knows nothing of what an outcome is.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_WAITING_STATES = 1000


class Checkpoint:
    """Holds STATE messages back until they are covered.

    Args:
        emit: Writes one state for good.
        now: The time in seconds.
        interval: Seconds between two states at least; the last one is always written.
    """

    def __init__(
        self, emit: Callable[[Mapping[str, Any]], None], now: Callable[[], float], interval: float
    ) -> None:
        self._emit = emit
        self._now = now
        self._interval = interval
        self._watermarks: list[Watermark] = []
        self._waiting: deque[tuple[tuple[tuple[Watermark, int], ...], Mapping[str, Any]]] = deque()
        self._covered: Mapping[str, Any] | None = None
        self._emitted_at: float | None = None

    def open(self) -> Watermark:
        """Begin to watch one more sink instance."""
        watermark = Watermark()
        self._watermarks.append(watermark)
        return watermark

    def add(self, state: Mapping[str, Any]) -> None:
        """Take a STATE message at its place in the input.

        Args:
            state: Its value.
        """
        open_ends = tuple(
            (watermark, watermark.received)
            for watermark in self._watermarks
            if watermark.settled < watermark.received
        )
        self._waiting.append((open_ends, state))
        if len(self._waiting) > MOST_WAITING_STATES:
            self._thin_out()
        self.advance()

    def advance(self) -> None:
        """Write the newest covered state, unless one was written within the interval."""
        self._find_covered()
        if self._covered is None:
            return
        due = self._emitted_at is None or self._now() - self._emitted_at >= self._interval
        if due:
            self._write()

    def finish(self) -> None:
        """Write the newest covered state now."""
        self._find_covered()
        if self._covered is not None:
            self._write()

    def _find_covered(self) -> None:
        while self._waiting and _is_covered(self._waiting[0][0]):
            self._covered = self._waiting.popleft()[1]

    def _write(self) -> None:
        state, self._covered = self._covered, None
        self._emitted_at = self._now()
        if state is not None:
            self._emit(state)

    def _thin_out(self) -> None:
        """Forget every other waiting state but the newest: a coarser state is still true."""
        newest = self._waiting.pop()
        self._waiting = deque(list(self._waiting)[1::2])
        self._waiting.append(newest)


def _is_covered(open_ends: tuple[tuple[Watermark, int], ...]) -> bool:
    return all(watermark.settled >= position for watermark, position in open_ends)
