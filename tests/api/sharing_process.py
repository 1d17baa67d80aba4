"""A process that shares a tenant's limits with others. Told on stdin what to do, as JSON.

With a `base_url` it calls the tenant, else it only takes places. It says when it is ready, is then
told from when to when, or until the day's quota is spent, and prints how many calls or places it
got and how many calls were throttled.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from target_gainsight.api import (
    AccessKey,
    CallEvent,
    FamilyPacers,
    GainsightClient,
    QuotaSpentError,
    RateLimits,
    RetryPolicy,
    SystemClock,
    buckets_in,
)


def main(told: dict[str, Any]) -> None:
    clock = SystemClock()
    store = told["store"] if "://" in told["store"] else Path(told["store"])
    pacers = FamilyPacers(
        {"synchronous": RateLimits(**told["limits"])},
        clock=clock,
        buckets=partial(buckets_in, store, tenant=told["tenant"], clock=clock),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    start, told["end"] = json.loads(sys.stdin.readline())
    time.sleep(max(0.0, start - time.time()))
    result = call(told, pacers) if "base_url" in told else take_places(told, pacers)
    pacers.close()
    sys.stdout.write(json.dumps(result))


def take_places(told: dict[str, Any], pacers: FamilyPacers) -> dict[str, int]:
    pacer, taken = pacers.of("synchronous"), 0
    try:
        while time.time() < told["end"]:
            pacer.answered(pacer.acquire())
            taken += 1
    except QuotaSpentError:
        pass
    return {"taken": taken}


def call(told: dict[str, Any], pacers: FamilyPacers) -> dict[str, int]:
    events: list[CallEvent] = []
    client = GainsightClient(
        told["base_url"],
        AccessKey(told["access_key"]),
        pacers=pacers,
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
