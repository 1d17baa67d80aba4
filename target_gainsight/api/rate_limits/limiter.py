"""The allowed rate: when a call may go out. Knows nothing of HTTP or of what is called.

Gainsight counts calls in clock-aligned windows, when they arrive. A call arrives somewhere between
its sending and its answer, so a place taken at sending comes free one window after the *answer*:
whatever the latency and wherever the server's windows begin, no window can hold more than the
limit. The logs of places are pyrate-limiter's (see `buckets`); the waits are ours, because a wait
must end when the run is stopped.
"""

from __future__ import annotations

import logging
import math
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from typing import TYPE_CHECKING, cast

from pyrate_limiter import AbstractBucket, BucketFactory, Limiter, Rate, RateItem

from target_gainsight.api.clock import Clock, SystemClock
from target_gainsight.api.errors import (
    CallBudgetSpentError,
    QuotaSpentError,
    QuotaStoreError,
    StoppedError,
)
from target_gainsight.api.rate_limits.buckets import in_memory_buckets

if TYPE_CHECKING:
    from target_gainsight.api.rate_limits.buckets import Buckets, MakeBuckets

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_HIGHEST_PERCENT = 100
_ROLLING = "rolling:"
_DAY = "day:"
_SILENT_SECONDS = 60
_MOST_REFUSED_SECONDS = 3900.0
_MOST_REFUSED_WINDOWS = 3
"""Longer than another integration, or a limit that counts hours, may take every place."""


@dataclass(frozen=True)
class RateLimits:
    """The tenant's limits for one family of calls, and the percentage of them that is ours.

    Attributes:
        per_window: Calls in each of the server's short windows.
        per_day: Calls in a UTC day, or None where only the short window counts.
        quota_percent: Our share of both.
        window_seconds: The length of the short window.
        unit: What the calls are to those who read messages about them.

    Raises:
        ValueError: a limit below 1, or a percentage outside 1 to 100.
    """

    per_window: int = 100
    per_day: int | None = 50_000
    quota_percent: int = 90
    window_seconds: float = 60
    unit: str = "calls"

    def __post_init__(self) -> None:
        if self.per_window < 1 or (self.per_day is not None and self.per_day < 1):
            message = f"limits must be at least 1, not {self.per_window} and {self.per_day}"
            raise ValueError(message)
        if not 1 <= self.quota_percent <= _HIGHEST_PERCENT:
            message = f"quota_percent must be 1 to 100, not {self.quota_percent}"
            raise ValueError(message)

    @property
    def allowed_per_window(self) -> int:
        """The allowed rate."""
        return self._allowed(self.per_window)

    @property
    def allowed_per_day(self) -> int | None:
        """Our share of the day's quota."""
        return None if self.per_day is None else self._allowed(self.per_day)

    def _allowed(self, limit: int) -> int:
        return max(1, limit * self.quota_percent // _HIGHEST_PERCENT)


@dataclass(frozen=True)
class Place:
    """One call's place in the allowed rate, and the seconds it was waited for."""

    name: str
    taken_at: float
    waited: float


class CallBudget:
    """The calls that one run may make, whatever they are for.

    Args:
        calls: How many, or None for any number.
    """

    def __init__(self, calls: int | None = None) -> None:
        self._left = calls
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one call out of it.

        Raises:
            CallBudgetSpentError: there is none left.
        """
        with self._lock:
            if self._left == 0:
                message = "the calls that this run may make are spent"
                raise CallBudgetSpentError(message)
            if self._left is not None:
                self._left -= 1

    def give_back(self) -> None:
        """Give back a call that was not made."""
        with self._lock:
            if self._left is not None:
                self._left += 1


class Pacer:
    """Hands out places in the allowed rate, to any number of threads.

    Args:
        limits: The tenant's limits and our share of them.
        clock: Tells the time and waits.
        budget: The calls that the run may make in all; without end when not given.
        buckets: Makes the logs of places; others than the default share them between processes.
    """

    def __init__(
        self,
        limits: RateLimits,
        *,
        clock: Clock | None = None,
        budget: CallBudget | None = None,
        buckets: MakeBuckets = in_memory_buckets,
    ) -> None:
        self._limits = limits
        self._clock = clock or SystemClock()
        self._budget = budget or CallBudget()
        self._window = limits.window_seconds
        per_day = limits.allowed_per_day
        self._buckets = buckets(
            Rate(limits.allowed_per_window, round(self._window * 1000)),
            None if per_day is None else Rate(per_day, _DAY_SECONDS * 1000),
        )
        self._limiter = Limiter(_Places(self._buckets, self._clock))
        self._names = (f"{uuid.uuid4().hex}-{number}" for number in count())
        self._lock = threading.Lock()
        self._held_until = 0.0
        self._full_until = 0.0
        self._refused: set[str] = set()
        self._refused_since: float | None = None
        self._stopped = False
        self._closed = False
        self._failure: QuotaStoreError | None = None

    def acquire(self) -> Place:
        """Take a place, waiting until there is one.

        Raises:
            QuotaSpentError: the day's quota is used up.
            CallBudgetSpentError: all calls that this run may make are made.
            QuotaStoreError: the places cannot be logged.
            StoppedError: the pacer was stopped.
        """
        if self._stopped:
            raise StoppedError
        self._budget.take()
        try:
            return self._take_place()
        except BaseException:
            self._budget.give_back()
            raise

    def answered(self, place: Place) -> None:
        """The call has ended: its place comes free one window from now.

        A log that fails here costs the next call, not the answer of this one.
        """
        with self._lock:
            if place.name not in self._refused:
                self._refused_since = None
            self._refused.discard(place.name)
            if self._closed:
                return
            try:
                self._buckets.rolling.restamp(_ROLLING + place.name, _milliseconds(self._clock))
            except QuotaStoreError as error:
                self._failure = error

    def throttled(self, place: Place, retry_after: float | None = None) -> None:
        """The tenant refused the call for its rate: nobody calls before its next window.

        To be told before the call is `answered`.

        Refusals of calls that went out before the wait began belong to that wait and start no
        second one.

        Args:
            place: The refused call's.
            retry_after: The server's wish in seconds, if it has one.

        Raises:
            QuotaSpentError: it has refused every call for so long, or would, that its day's quota
                must be spent.
        """
        with self._lock:
            self._refused.add(place.name)
            now = self._clock.now()
            known = place.taken_at < self._held_until
            if known and retry_after is None:
                return
            until = self._next_window(now) if retry_after is None else now + retry_after
            if self._refused_since is None:
                self._refused_since = now
            if until - self._refused_since > self._patience:
                raise self._refused_for_long(until - self._refused_since, now)
            self._held_until = max(self._held_until, until, now + self._margin)
        if not known:
            logger.warning(
                "Gainsight throttles: other integrations share this tenant's limit. "
                "All %s wait %.1f s for the next window",
                self._limits.unit,
                self._held_until - now,
            )

    def stop(self) -> None:
        """End every wait; whoever waits, or asks later, gets a `StoppedError`."""
        self._stopped = True
        self._clock.wake()

    def close(self) -> None:
        """Close the logs of places; no place can be taken any more."""
        self._stopped = True
        with self._lock:
            self._closed = True
            self._buckets.rolling.close()
            if self._buckets.day is not None:
                self._buckets.day.close()

    def _take_place(self) -> Place:
        began = self._clock.now()
        while True:
            with self._lock:
                name = next(self._names)
                wait = self._try(name)
                if not wait:
                    now = self._clock.now()
                    return Place(name, taken_at=now, waited=now - began)
            if self._clock.wait(wait):
                raise StoppedError

    def _try(self, name: str) -> float:
        """Take the place if there is one, else say how many seconds to wait."""
        if self._stopped:
            raise StoppedError
        if self._failure:
            raise self._failure
        now = self._clock.now()
        until = max(self._held_until, self._full_until)
        if now < until:
            return until - now
        self._buckets.rolling.leak(int(now * 1000))
        if not self._limiter.try_acquire(_ROLLING + name, blocking=False):
            return self._await_window(name, now)
        if self._buckets.day is not None:
            self._buckets.day.leak(int(now * 1000))
            if not self._limiter.try_acquire(_DAY + name, blocking=False):
                raise self._quota_spent(now)
        return 0.0

    def _await_window(self, name: str, now: float) -> float:
        """Seconds until the oldest place comes free, as the bucket found when it refused.

        A minute passes unnoticed; an hour is told, and is not waited for when the day is spent.
        """
        place = RateItem(_ROLLING + name, _milliseconds(self._clock))
        found = cast("int", self._buckets.rolling.waiting(place))  # awaitable only in async buckets
        wait = max(1, found) / 1000
        self._full_until = now + wait  # places only ever move to later times
        if self._window > _SILENT_SECONDS:
            if self._day_is_full(now):
                raise self._quota_spent(now)
            self._tell_wait(wait)
        return wait

    def _tell_wait(self, wait: float) -> None:
        limits = self._limits
        logger.info(
            "The hour's quota of %d %s (%d%% of %d) is spent: the next goes out in %.0f minutes, "
            "at %s UTC",
            limits.allowed_per_window,
            limits.unit,
            limits.quota_percent,
            limits.per_window,
            math.ceil(wait / 60),
            f"{_utc(self._full_until):%H:%M}",
        )

    def _day_is_full(self, now: float) -> bool:
        day, allowed = self._buckets.day, self._limits.allowed_per_day
        if day is None or allowed is None:
            return False
        day.leak(int(now * 1000))
        return cast("int", day.count()) >= allowed

    def _quota_spent(self, now: float) -> QuotaSpentError:
        return _spent_until_tomorrow(
            f"the day's quota of {self._limits.allowed_per_day} {self._limits.unit} "
            f"({self._limits.quota_percent}% of {self._limits.per_day}) is spent. It",
            now,
        )

    def _refused_for_long(self, seconds: float, now: float) -> QuotaSpentError:
        return _spent_until_tomorrow(
            f"Gainsight throttles, and would serve none of our {self._limits.unit} for "
            f"{seconds / 3600:.1f} hours: it seems that other integrations have spent the "
            "tenant's quota of the day. If so, it",
            now,
        )

    @property
    def _patience(self) -> float:
        return max(_MOST_REFUSED_SECONDS, _MOST_REFUSED_WINDOWS * self._window)

    @property
    def _margin(self) -> float:
        """Room for a server clock that is a little behind ours: a second, less in short windows."""
        return min(1.0, self._window / 60)

    def _next_window(self, now: float) -> float:
        return (now // self._window + 1) * self._window + self._margin


class _Places(BucketFactory):
    """Routes a place to its log, stamped by our clock."""

    def __init__(self, buckets: Buckets, clock: Clock) -> None:
        self._buckets = buckets
        self._clock = clock

    def wrap_item(self, name: str, weight: int = 1) -> RateItem:
        return RateItem(name, _milliseconds(self._clock), weight)

    def get(self, item: RateItem) -> AbstractBucket:
        if item.name.startswith(_DAY) and self._buckets.day is not None:
            return self._buckets.day
        return self._buckets.rolling


def _spent_until_tomorrow(why: str, now: float) -> QuotaSpentError:
    """The error whose message begins with why, and goes on with when the quota begins anew."""
    resets_at = _utc((now // _DAY_SECONDS + 1) * _DAY_SECONDS)
    message = (
        f"{why} begins anew at {resets_at:%Y-%m-%d %H:%M} UTC: "
        "a run started then goes on where this one stopped"
    )
    return QuotaSpentError(message, resets_at=resets_at)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def _milliseconds(clock: Clock) -> int:
    return int(clock.now() * 1000)
