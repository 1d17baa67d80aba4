"""Families of calls: the tenant counts each apart, so each has a rate of its own.

Knows nothing of which call belongs to which family: whoever makes a call says so.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

from target_gainsight.api.clock import Clock, SystemClock
from target_gainsight.api.rate_limits.buckets import in_memory_buckets
from target_gainsight.api.rate_limits.limiter import CallBudget, Pacer, RateLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_gainsight.api.rate_limits.buckets import MakeBuckets

Family: TypeAlias = Literal["synchronous", "timeline", "bulk"]

DOCUMENTED_LIMITS: Mapping[Family, RateLimits] = {
    "synchronous": RateLimits(per_window=100, per_day=50_000),
    "timeline": RateLimits(per_window=200, per_day=None, unit="Timeline calls"),
    "bulk": RateLimits(per_window=10, per_day=100, window_seconds=3600, unit="bulk uploads"),
}
"""What the APIs allow as long as a tenant has not bought more (Company API, Timeline APIs and
Bulk API, Limits)."""


class FamilyPacers:
    """The allowed rate of each family of calls to one tenant.

    A family that is never called costs nothing: its places are logged from its first call on. The
    synchronous one is called in every run, so a log that cannot be kept is known before any call.

    Args:
        limits: Limits other than the documented ones.
        clock: Tells the time and waits.
        max_calls: Calls that the run may make, all families together, or None for any number.
        buckets: Says where a family's places are logged; in this process when not given.

    Raises:
        QuotaStoreError: the places cannot be logged.
    """

    def __init__(
        self,
        limits: Mapping[Family, RateLimits] | None = None,
        *,
        clock: Clock | None = None,
        max_calls: int | None = None,
        buckets: Callable[[Family], MakeBuckets] = lambda _: in_memory_buckets,
    ) -> None:
        self._limits = {**DOCUMENTED_LIMITS, **(limits or {})}
        self._clock = clock or SystemClock()
        self._budget = CallBudget(max_calls)
        self._buckets = buckets
        self._pacers: dict[Family, Pacer] = {}
        self._stopped = False
        self._lock = threading.Lock()
        self.of("synchronous")

    def of(self, family: Family) -> Pacer:
        """Who hands out the places of a family.

        Raises:
            QuotaStoreError: the places cannot be logged.
        """
        return self._pacers.get(family) or self._begin(family)

    def stop(self) -> None:
        """End every wait; whoever waits, or asks later, gets a `StoppedError`."""
        self._stopped = True  # without the lock: who begins a family may hold it for a while
        for pacer in list(self._pacers.values()):
            pacer.stop()
        self._clock.wake()

    def close(self) -> None:
        """Close the logs of places; no place can be taken any more."""
        with self._lock:
            self._stopped = True
            for pacer in self._pacers.values():
                pacer.close()

    def _begin(self, family: Family) -> Pacer:
        with self._lock:
            if family not in self._pacers:
                self._pacers[family] = Pacer(
                    self._limits[family],
                    clock=self._clock,
                    budget=self._budget,
                    buckets=self._buckets(family),
                )
            if self._stopped:
                self._pacers[family].stop()
            return self._pacers[family]
