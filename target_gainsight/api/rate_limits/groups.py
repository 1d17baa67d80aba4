"""The rate limit groups of a tenant, each counted apart: their limits, and what calls have used."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

RateLimitGroup: TypeAlias = Literal["synchronous", "timeline", "bulk"]

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class RateLimits:
    """The calls of a group per window of the server and per UTC day, and our share of them."""

    per_window: int = 100
    per_day: int | None = 50_000
    quota_percent: int = 90
    window_seconds: float = 60
    unit: str = "calls"

    @property
    def allowed_per_window(self) -> int:
        """The calls we may make per window."""
        return max(1, self.per_window * self.quota_percent // 100)

    @property
    def allowed_per_day(self) -> int | None:
        """The calls we may make per UTC day."""
        return self.per_day and max(1, self.per_day * self.quota_percent // 100)


DOCUMENTED_LIMITS: Mapping[RateLimitGroup, RateLimits] = {
    "synchronous": RateLimits(per_window=100, per_day=50_000),
    "timeline": RateLimits(per_window=200, per_day=None, unit="Timeline calls"),
    "bulk": RateLimits(per_window=10, per_day=100, window_seconds=3600, unit="bulk uploads"),
}
"""The limits of a tenant that has not bought more (Company API, Timeline APIs and Bulk API,
"Limits")."""


class Usage(msgspec.Struct):
    """What the calls of one group have used: `calls` on a UTC `day`, and when permits end."""

    day: int = 0
    calls: int = 0
    ends: dict[str, float] = {}

    def take(self, permit: str, limits: RateLimits, now: float) -> float | None:
        """Count a permit, once, and return 0; it ends by itself after one window.

        If the limits are used up, return the seconds until a permit is released; None for the day.
        """
        window, today = limits.window_seconds, int(now // DAY_SECONDS)
        if permit in self.ends:
            return 0.0
        if today != self.day:
            self.day, self.calls = today, 0
        if limits.allowed_per_day is not None and self.calls >= limits.allowed_per_day:
            return None
        if len(self.ends) >= limits.allowed_per_window:
            self.ends = {each: end for each, end in self.ends.items() if 0 < end - now < 2 * window}
        excess = len(self.ends) - limits.allowed_per_window
        if excess >= 0:
            return sorted(self.ends.values())[excess] - now
        self.calls += 1
        self.release(permit, limits, now)
        return 0.0

    def release(self, permit: str, limits: RateLimits, now: float) -> None:
        """Let a permit end one window from now, even if it has ended already."""
        self.ends[permit] = now + limits.window_seconds


Change: TypeAlias = Callable[[Usage], "float | None"]


def change_stored(change: Change, stored: bytes | None) -> tuple[float | None, bytes]:
    """Change a usage as a store holds it; return the result, and what the store is to hold."""
    usage = msgspec.json.decode(stored, type=Usage) if stored else Usage()
    return change(usage), msgspec.json.encode(usage)


class PermitStore:
    """Keeps the usage of each group, for one process. One thread at a time updates it."""

    seconds_ahead = 0.0  # of our clock

    def __init__(self) -> None:
        self._usage: defaultdict[RateLimitGroup, Usage] = defaultdict(Usage)

    def update(self, group: RateLimitGroup, change: Change) -> float | None:
        """Change the usage of a group, with no change by other processes in between."""
        return change(self._usage[group])

    def close(self) -> None:
        """Close the store; may be called twice."""
