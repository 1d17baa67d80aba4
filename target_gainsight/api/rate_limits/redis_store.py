"""Places in the allowed rate, logged in Redis, which several machines share.

Knows nothing of settings. Needs the `redis` package. The machines' clocks need not agree: places
are stamped by the server's.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import redis
from pyrate_limiter import FixedWindow, Rate, RateItem, RedisBucket, SlidingWindowLog
from pyrate_limiter.abstracts.algorithm import ADMITTED, Decision
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.buckets import Buckets, MakeBuckets, RollingBucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyrate_limiter.abstracts.algorithm import LogAlgorithm

    from target_gainsight.api.clock import Clock
    from target_gainsight.api.rate_limits.groups import Family

TIMEOUT_SECONDS = 5.0
"""How long to wait for a connection, and for an answer."""

_RETRY = Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3)
_ADMITTED = -2
_UNKNOWN = -1

_PUT = """
local log, name = KEYS[1], ARGV[1]
local now, window_start, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local rank, latest, lifetime = tonumber(ARGV[5]), ARGV[6], ARGV[7]
if redis.call('ZSCORE', log, name) then return -2 end
redis.call('ZREMRANGEBYSCORE', log, '-inf', '(' .. window_start)
redis.call('ZREMRANGEBYSCORE', log, '(' .. latest, '+inf')
if redis.call('ZCARD', log) < limit then
    redis.call('ZADD', log, now, name)
    redis.call('PEXPIRE', log, lifetime)
    return -2
end
local blocking = redis.call('ZREVRANGE', log, rank, rank, 'WITHSCORES')
return rank >= 0 and tonumber(blocking[2]) or -1
"""
"""Takes a place: -2, or the time of the place that must expire first, or -1 where none must.

Forgets the places that have expired, and those that only a wrong clock can have entered.
"""


def redis_buckets(url: str, family: Family, *, tenant: str, clock: Clock) -> MakeBuckets:
    """Say how to log places in Redis.

    Args:
        url: `redis://` or `rediss://`; a password in it is never shown.
        family: Whose places; each family has logs of its own.
        tenant: Whose limits are shared. Tenants in one Redis do not share a count.
        clock: Tells the time.

    Returns:
        What a `Pacer` makes its logs with. It raises `QuotaStoreError` when Redis cannot be used,
        and so do the logs.
    """

    def make(rolling: Rate, day: Rate | None) -> Buckets:
        server = _Server(url, clock)
        keys = {name: f"target-gainsight:{family}:{name}:{tenant}" for name in ("rolling", "day")}
        return Buckets(
            SharedBucket(rolling, server, keys["rolling"], SlidingWindowLog()),
            None if day is None else SharedBucket(day, server, keys["day"], FixedWindow()),
        )

    return make


class SharedBucket(RedisBucket, RollingBucket):
    """A log of places in a sorted set, stamped by the clock of the Redis server.

    pyrate-limiter's own script gives a place a name that nobody knows, so that it cannot be moved
    to the time of its answer; and it does not count places that are stamped later than the one
    that is asked for, so that of two calls at the same time both can take the last place.
    """

    is_async = False

    def __init__(self, rate: Rate, server: _Server, key: str, algorithm: LogAlgorithm) -> None:
        super().__init__([rate], server.client, key, "", algorithm)
        self._rate = rate
        self._server = server
        self._put = server.client.register_script(_PUT)

    def put(self, item: RateItem) -> bool:
        """Take a place if there is one. Asked twice for one name, the answer is the same."""
        now = item.timestamp + self._server.ahead
        rank = self._algorithm.blocking_offset(self._rate, item.weight)
        arguments: list[str | int] = [
            item.name,
            now,
            self._algorithm.window_start(self._rate, now),
            self._rate.limit,
            _UNKNOWN if rank is None else rank,
            now + self._rate.interval,
            self._lifetime,
        ]
        with self._server.failures():
            answer = cast("int", self._put(keys=[self.bucket_key], args=arguments))
        if answer == _ADMITTED:
            return self._record(item, ADMITTED)
        blocking = None if answer == _UNKNOWN else answer
        wait = self._algorithm.retry_after(self._rate, now, blocking)
        return self._record(item, Decision(failing_rate=self._rate, retry_after_ms=wait))

    def restamp(self, name: str, timestamp: int) -> None:
        """Move a place to another time; one that has expired is entered again."""
        with self._server.failures(), self._server.client.pipeline() as both:
            both.zadd(self.bucket_key, {name: timestamp + self._server.ahead})
            both.pexpire(self.bucket_key, self._lifetime)
            both.execute()

    def leak(self, current_timestamp: int | None = None) -> int:
        """Do nothing: whoever takes a place forgets those that have expired."""
        del current_timestamp
        return 0

    def count(self) -> int:
        """Count the places that have not expired."""
        with self._server.failures():
            begins = self._algorithm.window_start(self._rate, self._server.now())
            return self._server.client.zcount(self.bucket_key, begins, "+inf")

    def close(self) -> None:
        """Close the connection, for the other log too."""
        self._server.client.close()

    @property
    def _lifetime(self) -> int:
        """Milliseconds after which nobody needs the log of a tenant that is not called."""
        return 2 * self._rate.interval


class _Server:
    """A Redis server, its name for messages, and its clock.

    Attributes:
        client: Talks to it.
        ahead: Milliseconds that its clock is ahead of ours.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._name = _name(url)
        try:
            self.client = redis.Redis.from_url(
                url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=_RETRY,
            )
        except ValueError:
            reason = "Redis does not understand this URL"
            raise self._unusable(reason) from None
        try:
            self.ahead = self._measure(clock)
        except TypeError:
            reason = "Redis does not know an option in this URL"
            raise self._unusable(reason) from None
        except BaseException:
            self.client.close()
            raise

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn what goes wrong with Redis into an error that names it, without its password."""
        try:
            yield
        except (redis.RedisError, OSError) as error:
            raise self._unusable(str(error)) from error

    def now(self) -> int:
        """Its time in epoch milliseconds."""
        seconds, microseconds = self.client.time()
        return seconds * 1000 + microseconds // 1000

    def _measure(self, clock: Clock) -> int:
        with self.failures():
            self.client.ping()
            before = clock.now()
            now = self.now()
            middle = (before + clock.now()) / 2
        return int(now - middle * 1000)

    def _unusable(self, reason: str) -> QuotaStoreError:
        message = (
            f"the calls cannot be counted in the quota store {self._name}: {reason.rstrip('.')}. "
            "Check the URL in quota_store, its password and whether the server can be reached"
        )
        return QuotaStoreError(message)


def _name(url: str) -> str:
    """The server without what may be secret."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "in Redis"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
