"""Watermarks: how far the records of one sink instance are settled without a gap."""

from __future__ import annotations

from bisect import bisect_right


class Watermark:
    """The position up to which every record has its outcome.

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

    def register(self) -> int:
        """Take one more record and return its position."""
        self.received += 1
        return self.received

    def settle(self, position: int) -> None:
        """Note that the record at a position is settled.

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
