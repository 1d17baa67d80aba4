"""A process that shares a tenant's limits with others. It reads its options from stdin, as JSON.

With a `base_url` it calls the tenant, else it only takes permits, the first before it prints that
it is ready. It then reads when to end, unless the day's quota is spent before, and prints how many
calls or permits it got and how many calls were throttled; with `reports` a line per permit.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from target_gainsight.api import (
    AccessKey,
    CallEvent,
    Clock,
    GainsightClient,
    QuotaExceededError,
    RateLimiter,
    RateLimits,
    ThrottledError,
    open_store,
)


def main(options: dict[str, Any]) -> None:
    clock = Clock()
    store = options["store"] if "://" in options["store"] else Path(options["store"])
    limiter = RateLimiter(
        {"synchronous": RateLimits(**options["limits"])},
        clock=clock,
        store=open_store(store, tenant=options["tenant"], clock=clock),
    )
    calls = "base_url" in options
    taken = 0 if calls else take_permit(limiter)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    options["end"] = json.loads(sys.stdin.readline())
    result = call(options, limiter) if calls else take_permits(options, limiter, taken)
    limiter.close()
    sys.stdout.write(json.dumps(result))


def take_permit(limiter: RateLimiter) -> int:
    limiter.release(limiter.acquire("synchronous"))
    return 1


def take_permits(options: dict[str, Any], limiter: RateLimiter, taken: int) -> dict[str, int]:
    try:
        while time.time() < options["end"]:
            taken += take_permit(limiter)
            if options.get("reports"):
                sys.stdout.write("taken\n")
                sys.stdout.flush()
    except QuotaExceededError:
        pass
    return {"taken": taken}


def call(options: dict[str, Any], limiter: RateLimiter) -> dict[str, int]:
    events: list[CallEvent] = []
    client = GainsightClient(
        options["base_url"],
        AccessKey(options["access_key"]),
        rate_limiter=limiter,
        max_retry_seconds=60,
        observer=events.append,
    )

    def work() -> None:
        while time.time() < options["end"]:
            list(client.records.query("Company", select=["Name"], limit=1))

    with client, ThreadPoolExecutor(options["threads"]) as pool:
        for future in [pool.submit(work) for _ in range(options["threads"])]:
            future.result()
    throttled = sum(isinstance(event.error, ThrottledError) for event in events)
    return {"calls": len(events), "throttled": throttled}


if __name__ == "__main__":
    main(json.loads(sys.stdin.readline()))
