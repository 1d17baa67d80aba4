"""Permits counted in Redis, which processes on several machines share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.groups import DAY_SECONDS, RateLimitGroup, RateLimits

_TIMEOUT_SECONDS = 5.0
_RETRY = Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3)
_NO_LIMIT = -1

_TAKE = """
local permits, day = KEYS[1], KEYS[2]
local permit, now, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local per_window, per_day = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('ZSCORE', permits, permit) then return '0' end
if per_day >= 0 and tonumber(redis.call('GET', day) or '0') >= per_day then return 'day' end
redis.call('ZREMRANGEBYSCORE', permits, '-inf', now)
redis.call('ZREMRANGEBYSCORE', permits, '(' .. (now + 2 * window), '+inf')
local excess = redis.call('ZCARD', permits) - per_window
if excess >= 0 then
    local ends = redis.call('ZRANGE', permits, excess, excess, 'WITHSCORES')[2]
    return tostring(tonumber(ends) - now)
end
redis.call('ZADD', permits, now + window, permit)
redis.call('PEXPIRE', permits, 2 * window)
redis.call('INCR', day)
redis.call('EXPIRE', day, 2 * 86400)
return '0'
"""
"""Times are in milliseconds. Taking a permit again after a lost response counts it once."""


class RedisStore:
    """Counts permits in Redis. Times are those of the server, so clocks need not agree.

    The password in the URL is never shown.
    """

    def __init__(self, url: str, tenant: str, clock: Clock) -> None:
        self._tenant = tenant
        with self._errors_named():
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                retry=_RETRY,
            )
            seconds, microseconds = self._client.time()
        self._ahead = seconds + microseconds / 1e6 - clock.now()
        self._script = self._client.register_script(_TAKE)

    def take(
        self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float
    ) -> float | None:
        """See `SqliteStore.take`."""
        server_now = now + self._ahead
        per_day = limits.allowed_per_day
        keys = [
            self._key(group, "permits"),
            self._key(group, f"day:{int(server_now // DAY_SECONDS)}"),
        ]
        arguments: list[str | int] = [
            permit,
            round(server_now * 1000),
            round(limits.window_seconds * 1000),
            limits.allowed_per_window,
            _NO_LIMIT if per_day is None else per_day,
        ]
        with self._errors_named():
            reply = self._script(keys=keys, args=arguments).decode()
        return None if reply == "day" else float(reply) / 1000

    def release(self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float) -> None:
        """See `SqliteStore.release`."""
        key, window = self._key(group, "permits"), limits.window_seconds
        with self._errors_named(), self._client.pipeline() as pipeline:
            pipeline.zadd(key, {permit: round((now + self._ahead + window) * 1000)})
            pipeline.pexpire(key, round(2 * window * 1000))
            pipeline.execute()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _key(self, group: RateLimitGroup, name: str) -> str:
        return f"target-gainsight:{group}:{self._tenant}:{name}"

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Raise errors without the password, which the text of some may quote with the URL."""
        try:
            yield
        except (redis.RedisError, OSError, ValueError, TypeError) as error:
            is_safe = isinstance(error, redis.RedisError | OSError)
            reason = str(error).rstrip(".") if is_safe else "the URL is not valid"
            message = (
                f"the Redis server of quota_store cannot be used: {reason}. Check the URL, its "
                "password, and that the server can be reached"
            )
            raise QuotaStoreError(message) from (error if is_safe else None)
