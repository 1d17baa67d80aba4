"""Where calls are counted: in this process, in a file of this machine, or in Redis.

Knows nothing of settings. A store that cannot be used ends the run: nothing is counted elsewhere
instead, because whoever shares a limit would then pass it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.buckets import in_memory_buckets
from target_gainsight.api.rate_limits.sqlite_store import file_buckets

if TYPE_CHECKING:
    from target_gainsight.api.clock import Clock
    from target_gainsight.api.rate_limits.buckets import MakeBuckets
    from target_gainsight.api.rate_limits.groups import Family


def buckets_in(
    store: Path | str | None, family: Family, *, tenant: str, clock: Clock
) -> MakeBuckets:
    """Say where a tenant's calls of one family are counted.

    Args:
        store: A SQLite file, a `redis://` or `rediss://` URL, or None for this process alone.
        family: The family; the others count apart in the same store.
        tenant: Whose limits are shared, by a name that all processes give it.
        clock: Tells the time.

    Returns:
        What a `Pacer` makes its logs with.

    Raises:
        QuotaStoreError: Redis is asked for and its package is not installed.
    """
    if store is None:
        return in_memory_buckets
    if isinstance(store, Path):
        return file_buckets(store, family, tenant=tenant, clock=clock)
    if find_spec("redis") is None:
        message = (
            "the redis package, which a quota_store in Redis needs, is not installed: "
            "pip install 'target-gainsight[redis]'"
        )
        raise QuotaStoreError(message)
    from target_gainsight.api.rate_limits.redis_store import redis_buckets  # noqa: PLC0415 - comes with extra

    return redis_buckets(store, family, tenant=tenant, clock=clock)
