"""Permits of a group of calls, counted in this process; other stores share them with others."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from target_gainsight.api.rate_limits.groups import DAY_SECONDS, RateLimitGroup, RateLimits


class Usage(msgspec.Struct):
    """What the calls of one group have used: `calls` on a UTC `day`, and when permits end."""

    day: int = 0
    calls: int = 0
    ends: dict[str, float] = {}

    def take(self, permit: str, limits: RateLimits, now: float) -> float | None:
        """Count a permit, once, if the limits allow it; it ends by itself after one window.

        Returns:
            0 if it is counted, else the seconds until the next one is released, or None if the
            day's quota is used up.
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


class PermitStore:
    """Keeps the usage of each group of calls to one tenant; this one for one process.

    A store's clock may be `seconds_ahead` of ours.
    """

    seconds_ahead = 0.0

    def __init__(self) -> None:
        self._usage: defaultdict[RateLimitGroup, Usage] = defaultdict(Usage)
        self._lock = threading.Lock()

    def update(self, group: RateLimitGroup, change: Change) -> float | None:
        """Change the usage of a group, with no change by others in between."""
        with self._lock:
            return change(self._usage[group])

    def close(self) -> None:
        """Close the store. May be called twice."""


def decode_usage(stored: bytes | None) -> Usage:
    """Return the usage that a store holds."""
    return msgspec.json.decode(stored, type=Usage) if stored else Usage()
