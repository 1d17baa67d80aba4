"""Which Singer state is covered by settled records.

A STATE is covered once every record that was read before it has its outcome. Only the newest
covered one is of interest. Knows nothing of what an outcome is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_WAITING_STATES = 1000


class Watermark:
    """How far one sink instance is settled without a gap.

    What is settled beyond a gap is kept as ranges, because one record may wait for minutes while
    very many after it are settled.

    Attributes:
        received: Records taken so far; positions run from 1 to this.
        settled: The position up to which every record is settled.
    """

    def __init__(self) -> None:
        self.received = 0
        self.settled = 0
        self._starts: list[int] = []
        self._ends: list[int] = []

    def arrive(self) -> int:
        """Take one more record and return its position."""
        self.received += 1
        return self.received

    def settle(self, position: int) -> None:
        """Note that the record at a position is settled.

        Args:
            position: A position that ``arrive`` gave out.

        Raises:
            ValueError: It is settled already or was never given out.
        """
        if position == self.settled + 1 and not self._starts and position <= self.received:
            self.settled = position
            return
        before = bisect_right(self._starts, position) - 1
        settled = self._ends[before] if before >= 0 else self.settled
        if position <= settled or position > self.received:
            message = f"position {position} of {self.received} cannot be settled (again)"
            raise ValueError(message)
        if before >= 0 and position == settled + 1:
            self._ends[before] = position
        else:
            before += 1
            self._starts.insert(before, position)
            self._ends.insert(before, position)
        self._close_gap_after(before)
        if self._starts[0] == self.settled + 1:
            self.settled = self._ends.pop(0)
            del self._starts[0]

    def _close_gap_after(self, place: int) -> None:
        """Join a range with its successor, if nothing lies between them."""
        if self._starts[place + 1 : place + 2] == [self._ends[place] + 1]:
            del self._starts[place + 1]
            del self._ends[place]


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
