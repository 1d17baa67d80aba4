"""The numbers of the records in a file, which are settled with it, kept as ranges."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from target_gainsight.loading.records import SourceRecord, Watermark
from target_gainsight.loading.rejects.reject_id import RejectId


class IntRanges:
    """Ascending whole numbers, kept as ranges."""

    def __init__(self) -> None:
        self._starts = array("q")
        self._ends = array("q")

    def add(self, number: int) -> None:
        """Add a number that is larger than all before."""
        if self._ends and number == self._ends[-1] + 1:
            self._ends[-1] = number
            return
        self._starts.append(number)
        self._ends.append(number)

    def __len__(self) -> int:
        return sum(self._ends) - sum(self._starts) + len(self._starts)

    def __iter__(self) -> Iterator[int]:
        for start, end in zip(self._starts, self._ends, strict=True):
            yield from range(start, end + 1)


@dataclass
class FileContents:
    """The records of one stream that one file holds.

    Attributes:
        stream: The stream's name as it comes out of the stream maps.
        watermark: The watermark of its sink instance.
        positions: The records' positions in that sink instance.
        sequences: The records' positions in the input.
        retires: The older rejects that the records retire.
    """

    stream: str
    watermark: Watermark
    positions: IntRanges = field(default_factory=IntRanges)
    sequences: IntRanges = field(default_factory=IntRanges)
    retires: list[RejectId] = field(default_factory=list)

    def add(self, source: SourceRecord, retires: Iterable[RejectId]) -> None:
        """Add a record and the older rejects that it retires."""
        self.positions.add(source.position)
        self.sequences.add(source.sequence)
        self.retires += retires

    def __len__(self) -> int:
        return len(self.positions)

    def split(self, count: int) -> list[FileContents]:
        """Split off the first ``count`` records; no part is empty.

        Older rejects retire with the last part.
        """
        parts = [FileContents(self.stream, self.watermark) for _ in range(2)]
        for number, (position, sequence) in enumerate(
            zip(self.positions, self.sequences, strict=True)
        ):
            part = parts[number >= count]
            part.positions.add(position)
            part.sequences.add(sequence)
        filled = [part for part in parts if len(part)]
        filled[-1].retires = self.retires
        return filled
