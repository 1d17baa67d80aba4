"""The logs of places in the allowed rate, as every store keeps them, and those of one process.

Knows nothing of shares or of waiting: the rates are handed in, and what a full log means for a call
the pacer decides.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pyrate_limiter import AbstractBucket, FixedWindow, InMemoryBucket, Rate, RateItem


class RollingBucket(AbstractBucket):
    """A pyrate-limiter bucket whose places can move to the time of their answer."""

    @abstractmethod
    def restamp(self, name: str, timestamp: int) -> None:
        """Move the place of this name to another time (epoch milliseconds)."""


class InMemoryRollingBucket(InMemoryBucket, RollingBucket):
    """The short window's places of one process. Guarded by the pacer's lock."""

    def restamp(self, name: str, timestamp: int) -> None:
        """Move a place to the end of the log; one that has expired is entered again."""
        for index in range(len(self.items) - 1, -1, -1):
            if self.items[index].name == name:
                del self.items[index]
                break
        self.items.append(RateItem(name, timestamp))


@dataclass(frozen=True)
class Buckets:
    """Where the places of the short window and of the day are logged; some have no day."""

    rolling: RollingBucket
    day: AbstractBucket | None


MakeBuckets: TypeAlias = Callable[[Rate, Rate | None], Buckets]


def in_memory_buckets(rolling: Rate, day: Rate | None) -> Buckets:
    """Logs for one process: a sliding window, and the UTC day in a fixed one."""
    return Buckets(
        InMemoryRollingBucket([rolling]),
        None if day is None else InMemoryBucket([day], algorithm=FixedWindow()),
    )
