"""The allowed rate: when a call may go out. Knows nothing of HTTP or of what is called.

Gainsight counts calls in clock-aligned windows, when they arrive. A call arrives somewhere between
its sending and its answer, so a place taken at sending comes free one window after the *answer*:
whatever the latency and wherever the server's windows begin, no window can hold more than the
limit. The log of places is pyrate-limiter's; the waits are ours, because a wait must end when the
run is stopped.
"""

from __future__ import annotations

import logging
import threading
import uuid
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from typing import TypeAlias, cast

from pyrate_limiter import (
    AbstractBucket,
    BucketFactory,
    FixedWindow,
    InMemoryBucket,
    Limiter,
    Rate,
    RateItem,
)

from target_gainsight.api.clock import Clock, SystemClock
from target_gainsight.api.errors import (
    CallBudgetSpentError,
    QuotaSpentError,
    QuotaStoreError,
    StoppedError,
)

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_HIGHEST_PERCENT = 100
_MINUTE = "minute:"
_DAY = "day:"


@dataclass(frozen=True)
class RateLimits:
    """The tenant's limits, and the percentage of them that is ours.

    Raises:
        ValueError: a limit below 1, or a percentage outside 1 to 100.
    """

    per_minute: int = 100
    per_day: int = 50_000
    quota_percent: int = 90

    def __post_init__(self) -> None:
        if self.per_minute < 1 or self.per_day < 1:
            message = f"limits must be at least 1, not {self.per_minute} and {self.per_day}"
            raise ValueError(message)
        if not 1 <= self.quota_percent <= _HIGHEST_PERCENT:
            message = f"quota_percent must be 1 to 100, not {self.quota_percent}"
            raise ValueError(message)

    @property
    def allowed_per_minute(self) -> int:
        """The allowed rate."""
        return self._allowed(self.per_minute)

    @property
    def allowed_per_day(self) -> int:
        """Our share of the day's quota."""
        return self._allowed(self.per_day)

    def _allowed(self, limit: int) -> int:
        return max(1, limit * self.quota_percent // _HIGHEST_PERCENT)


@dataclass(frozen=True)
class Place:
    """One call's place in the allowed rate, and the seconds it was waited for."""

    name: str
    taken_at: float
    waited: float


class MinuteBucket(AbstractBucket):
    """A pyrate-limiter bucket whose places can move to the time of their answer."""

    @abstractmethod
    def restamp(self, name: str, timestamp: int) -> None:
        """Move the place of this name to another time (epoch milliseconds)."""


class InMemoryMinuteBucket(InMemoryBucket, MinuteBucket):
    """The minute's places of one process. Guarded by the pacer's lock."""

    def restamp(self, name: str, timestamp: int) -> None:
        """Move a place to the end of the log; one that has expired is entered again."""
        for index in range(len(self.items) - 1, -1, -1):
            if self.items[index].name == name:
                del self.items[index]
                break
        self.items.append(RateItem(name, timestamp))


@dataclass(frozen=True)
class Buckets:
    """Where the places of a minute and of a day are logged."""

    minute: MinuteBucket
    day: AbstractBucket


MakeBuckets: TypeAlias = Callable[[Rate, Rate], Buckets]


def in_memory_buckets(minute: Rate, day: Rate) -> Buckets:
    """Logs for one process: a sliding minute, and the UTC day in a fixed window."""
    return Buckets(InMemoryMinuteBucket([minute]), InMemoryBucket([day], algorithm=FixedWindow()))


class Pacer:
    """Hands out places in the allowed rate, to any number of threads.

    Args:
        limits: The tenant's limits and our share of them.
        clock: Tells the time and waits.
        minute_seconds: The length of the server's short window.
        max_calls: Places that are handed out in all, or None for any number.
        buckets: Makes the logs of places; others than the default share them between processes.
    """

    def __init__(
        self,
        limits: RateLimits,
        *,
        clock: Clock | None = None,
        minute_seconds: float = 60,
        max_calls: int | None = None,
        buckets: MakeBuckets = in_memory_buckets,
    ) -> None:
        self._limits = limits
        self._clock = clock or SystemClock()
        self._window = minute_seconds
        self._buckets = buckets(
            Rate(limits.allowed_per_minute, round(minute_seconds * 1000)),
            Rate(limits.allowed_per_day, _DAY_SECONDS * 1000),
        )
        self._limiter = Limiter(_Places(self._buckets, self._clock))
        self._names = (f"{uuid.uuid4().hex}-{number}" for number in count())
        self._lock = threading.Lock()
        self._held_until = 0.0
        self._full_until = 0.0
        self._calls_left = max_calls
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

    def answered(self, place: Place) -> None:
        """The call has ended: its place comes free one window from now.

        A log that fails here costs the next call, not the answer of this one.
        """
        with self._lock:
            if self._closed:
                return
            try:
                self._buckets.minute.restamp(_MINUTE + place.name, _milliseconds(self._clock))
            except QuotaStoreError as error:
                self._failure = error

    def throttled(self, place: Place, retry_after: float | None = None) -> None:
        """The tenant refused the call for its rate: nobody calls before its next window.

        Refusals of calls that went out before the wait began belong to that wait and start no
        second one.

        Args:
            place: The refused call's.
            retry_after: The server's wish in seconds, if it has one.
        """
        with self._lock:
            now = self._clock.now()
            known = place.taken_at < self._held_until
            if known and retry_after is None:
                return
            until = self._next_window(now) if retry_after is None else now + retry_after
            self._held_until = max(self._held_until, until, now + self._margin)
        if not known:
            logger.warning(
                "Gainsight throttles: other integrations share this tenant's limit. "
                "All calls wait %.1f s for the next window",
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
            self._buckets.minute.close()
            self._buckets.day.close()

    def _try(self, name: str) -> float:
        """Take the place if there is one, else say how many seconds to wait."""
        if self._stopped:
            raise StoppedError
        if self._failure:
            raise self._failure
        if self._calls_left == 0:
            message = "the calls that this run may make are spent"
            raise CallBudgetSpentError(message)
        now = self._clock.now()
        until = max(self._held_until, self._full_until)
        if now < until:
            return until - now
        self._buckets.minute.leak(int(now * 1000))
        if not self._limiter.try_acquire(_MINUTE + name, blocking=False):
            wait = self._until_next_place(name)
            self._full_until = now + wait  # places only ever move to later times
            return wait
        self._buckets.day.leak(int(now * 1000))
        if not self._limiter.try_acquire(_DAY + name, blocking=False):
            raise self._quota_spent(now)
        if self._calls_left is not None:
            self._calls_left -= 1
        return 0.0

    def _until_next_place(self, name: str) -> float:
        """Seconds until the oldest place comes free, as the bucket found when it refused."""
        place = RateItem(_MINUTE + name, _milliseconds(self._clock))
        wait = cast("int", self._buckets.minute.waiting(place))  # awaitable only in async buckets
        return max(1, wait) / 1000

    def _quota_spent(self, now: float) -> QuotaSpentError:
        midnight = (now // _DAY_SECONDS + 1) * _DAY_SECONDS
        resets_at = datetime.fromtimestamp(midnight, tz=timezone.utc)
        message = (
            f"the day's quota of {self._limits.allowed_per_day} calls "
            f"({self._limits.quota_percent}% of {self._limits.per_day}) is spent. "
            f"It begins anew at {resets_at:%Y-%m-%d %H:%M} UTC: "
            "a run started then goes on where this one stopped"
        )
        return QuotaSpentError(message, resets_at=resets_at)

    @property
    def _margin(self) -> float:
        """Room for a server clock that is a little behind ours: a second in a minute."""
        return self._window / 60

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
        return self._buckets.day if item.name.startswith(_DAY) else self._buckets.minute


def _milliseconds(clock: Clock) -> int:
    return int(clock.now() * 1000)
