"""Where permits are counted: in this process, in a file shared by processes, or in Redis."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Protocol

from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.groups import DAY_SECONDS, RateLimitGroup, RateLimits
from target_gainsight.api.rate_limits.sqlite_store import SqliteStore


class PermitStore(Protocol):
    """Counts the permits of every group, for any number of threads.

    Every method raises `QuotaStoreError` if the store cannot be used.
    """

    def take(
        self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float
    ) -> float | None:
        """Count a permit if the limits allow it.

        A permit lasts one window from now, so that the permit of a process that died comes free;
        `release` extends it. Permits that end later than any clock allows are dropped.

        Returns:
            0 if the permit is counted, else the seconds until the next one is released, or None if
            the day's quota is used up.
        """
        ...

    def release(self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float) -> None:
        """Let a permit end one window from now, even if it has ended already."""
        ...

    def close(self) -> None:
        """Close the store. May be called twice."""
        ...


@dataclass
class _Counts:
    """The permits of one group by the time they end (in that order), and the calls of the day."""

    permits: dict[str, float] = field(default_factory=dict)
    day: int = 0
    calls_today: int = 0


class MemoryStore:
    """Counts the permits of this process only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: defaultdict[RateLimitGroup, _Counts] = defaultdict(_Counts)

    def take(
        self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float
    ) -> float | None:
        """See `PermitStore.take`."""
        with self._lock:
            counts, today = self._groups[group], int(now // DAY_SECONDS)
            if counts.day != today:
                counts.day, counts.calls_today = today, 0
            if limits.allowed_per_day is not None and counts.calls_today >= limits.allowed_per_day:
                return None
            permits = counts.permits
            while permits and (oldest := next(iter(permits.items())))[1] <= now:
                del permits[oldest[0]]
            excess = len(permits) - limits.allowed_per_window
            if excess >= 0:
                return next(islice(permits.values(), excess, None)) - now
            permits[permit] = now + limits.window_seconds
            counts.calls_today += 1
            return 0.0

    def release(self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float) -> None:
        """See `PermitStore.release`."""
        with self._lock:
            permits = self._groups[group].permits
            permits.pop(permit, None)
            permits[permit] = now + limits.window_seconds

    def close(self) -> None:
        """Do nothing."""


def open_store(location: Path | str | None, *, tenant: str, clock: Clock) -> PermitStore:
    """Open the store at a location.

    Args:
        location: A SQLite file, a `redis://` or `rediss://` URL, or None for this process alone.
        tenant: The name under which all processes count the calls of this tenant.
        clock: The clock that `take` and `release` are given the time of.

    Raises:
        QuotaStoreError: The store cannot be used, or the redis package is not installed.
    """
    if location is None:
        return MemoryStore()
    if isinstance(location, Path):
        return SqliteStore(location, tenant)
    if find_spec("redis") is None:
        message = (
            "a quota_store in Redis needs the redis package, which is not installed: "
            "pip install 'target-gainsight[redis]'"
        )
        raise QuotaStoreError(message)
    from target_gainsight.api.rate_limits.redis_store import (  # noqa: PLC0415 - optional extra
        RedisStore,
    )

    return RedisStore(location, tenant, clock)
