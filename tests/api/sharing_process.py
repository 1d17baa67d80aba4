"""A process that shares a tenant's limits with others. Told on stdin what to do, as JSON.

With a `base_url` it calls the tenant, else it only takes permits, the first before it says that it
is ready. It is then told until when to go on, unless the day's quota is spent before, and prints
how many calls or permits it got and how many calls were throttled; with `reports` a line per
permit.
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
    GainsightClient,
    QuotaExceededError,
    RateLimiter,
    RateLimits,
    RetryPolicy,
    SystemClock,
    open_store,
)


def main(told: dict[str, Any]) -> None:
    clock = SystemClock()
    store = told["store"] if "://" in told["store"] else Path(told["store"])
    limiter = RateLimiter(
        {"synchronous": RateLimits(**told["limits"])},
        clock=clock,
        store=open_store(store, tenant=told["tenant"], clock=clock),
    )
    calls = "base_url" in told
    taken = 0 if calls else take_permit(limiter)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    told["end"] = json.loads(sys.stdin.readline())
    result = call(told, limiter) if calls else take_permits(told, limiter, taken)
    limiter.close()
    sys.stdout.write(json.dumps(result))


def take_permit(limiter: RateLimiter) -> int:
    limiter.release(limiter.acquire("synchronous"))
    return 1


def take_permits(told: dict[str, Any], limiter: RateLimiter, taken: int) -> dict[str, int]:
    try:
        while time.time() < told["end"]:
            taken += take_permit(limiter)
            if told.get("reports"):
                sys.stdout.write("taken\n")
                sys.stdout.flush()
    except QuotaExceededError:
        pass
    return {"taken": taken}


def call(told: dict[str, Any], limiter: RateLimiter) -> dict[str, int]:
    events: list[CallEvent] = []
    client = GainsightClient(
        told["base_url"],
        AccessKey(told["access_key"]),
        rate_limiter=limiter,
        retry=RetryPolicy(max_seconds=60),
        observer=events.append,
    )

    def work() -> None:
        while time.time() < told["end"]:
            list(client.records.query("Company", select=["Name"], limit=1))

    with client, ThreadPoolExecutor(told["threads"]) as pool:
        for future in [pool.submit(work) for _ in range(told["threads"])]:
            future.result()
    throttled = sum(event.outcome == "throttled" for event in events)
    return {"calls": len(events), "throttled": throttled}


if __name__ == "__main__":
    main(json.loads(sys.stdin.readline()))
