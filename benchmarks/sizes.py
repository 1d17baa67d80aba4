"""Sizes of the measured runs, and the folder they use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path


@dataclass(frozen=True)
class Sizes:
    """Sizes of the measured runs.

    Attributes:
        counted: Records of the runs whose calls are counted.
        repetitions: Of everything timed, up to `repeat_to` records.
        repeat_to: Runs of more records are made once.
        records: Numbers of records of the runs in which everything is unchanged.
        refreshed: Records of the full refresh at the allowed rate.
        inserted: Records of the insert whose CPU time is compared.
        late: Records of the insert at 0.3 s latency.
        speed: How many times as fast as real the clock of the rate's runs goes.
        minutes: By that clock, how long they last.
        starts: Repetitions of what is over at once.
        writes: Calls by which the tenant's own speed is measured.
    """

    counted: int
    repetitions: int
    repeat_to: int
    records: tuple[int, ...]
    refreshed: int
    inserted: int
    late: int
    speed: int
    minutes: int
    starts: int
    writes: int


FULL = Sizes(
    counted=1000,
    repetitions=3,
    repeat_to=200_000,
    records=(10_000, 200_000, 1_000_000),
    refreshed=1_000_000,
    inserted=50_000,
    late=10_000,
    speed=6,
    minutes=6,
    starts=11,
    writes=3000,
)
QUICK = Sizes(
    counted=1000,
    repetitions=3,
    repeat_to=100_000,
    records=(10_000, 50_000),
    refreshed=500_000,
    inserted=20_000,
    late=2000,
    speed=20,
    minutes=4,
    starts=5,
    writes=1000,
)
TINY = Sizes(
    counted=100,
    repetitions=1,
    repeat_to=0,
    records=(100, 200),
    refreshed=200,
    inserted=100,
    late=100,
    speed=120,
    minutes=2,
    starts=1,
    writes=20,
)


@dataclass
class Bench:
    """One run of the benchmarks.

    Attributes:
        folder: Where everything goes.
        sizes: How much is measured.
    """

    folder: Path
    sizes: Sizes
    _numbers: Iterator[int] = field(default_factory=count)

    def place(self) -> Path:
        """Give out a folder that does not exist yet."""
        return self.folder / str(next(self._numbers))

    def repetitions(self, records: int) -> range:
        """Return the repetitions of a run of so many records."""
        return range(self.sizes.repetitions if records <= self.sizes.repeat_to else 1)
