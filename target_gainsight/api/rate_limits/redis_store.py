"""Permits counted in Redis, which processes on several machines share."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from typing_extensions import override

from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.groups import (
    DAY_SECONDS,
    Change,
    PermitStore,
    RateLimitGroup,
    change_stored,
)

_TIMEOUT_SECONDS = 5.0
_RETRY = Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3)


class RedisStore(PermitStore):
    """Counts permits in Redis. Times are those of the server, so clocks need not agree."""

    def __init__(self, url: str, tenant: str, clock: Clock) -> None:
        super().__init__()
        self._tenant = tenant
        with _quota_store_errors():
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                retry=_RETRY,
            )
            seconds, microseconds = self._client.time()
        self.seconds_ahead = seconds + microseconds / 1e6 - clock.now()

    @override
    def update(self, group: RateLimitGroup, change: Change) -> float | None:
        key = f"target-gainsight:{group}:{self._tenant}"
        with _quota_store_errors(), self._client.pipeline() as pipeline:
            while True:
                pipeline.watch(key)  # type: ignore[no-untyped-call]
                stored = cast("bytes | None", pipeline.get(key))
                result, usage = change_stored(change, stored)
                pipeline.multi()
                pipeline.set(key, usage, ex=2 * DAY_SECONDS)
                with suppress(redis.WatchError):  # another process has changed it in between
                    pipeline.execute()
                    return result

    @override
    def close(self) -> None:
        self._client.close()


@contextmanager
def _quota_store_errors() -> Iterator[None]:
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
