"""Three processes that share a tenant use its whole rate, and never exceed it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer
from sharing import results

from target_gainsight.sandbox import start_sandbox

pytestmark = pytest.mark.e2e

SECONDS = 3
"""The length of a window: a minute would do the same, in twenty times the time."""

CALLS = 100
WINDOWS = 6
PROCESSES = 3


def call_times(store: Path | str, folder: Path) -> list[float]:
    """When a tenant counted calls of processes that always have work; none was one too many."""
    limits = {"calls_per_minute": CALLS, "minute_seconds": SECONDS}
    with start_sandbox(folder / "tenant.db", limits=limits) as sandbox:
        options: dict[str, Any] = {
            "base_url": sandbox.base_url,
            "access_key": sandbox.access_key,
            "store": str(store),
            "tenant": "shared",
            "limits": {"per_window": CALLS, "quota_percent": 100, "window_seconds": SECONDS},
            "threads": 4,
        }
        got = results([options] * PROCESSES, WINDOWS * SECONDS)
        seen = sandbox.tenant.calls()
    assert [result["throttled"] for result in got] == [0] * PROCESSES
    assert {call.status for call in seen} == {200}
    assert sum(result["calls"] for result in got) == len(seen)
    assert min(result["calls"] for result in got) > 0
    return [call.at for call in seen]


def assert_the_rate_is_used(times: list[float]) -> None:
    counted = Counter(int(at // SECONDS) for at in times)
    whole = [counted[window] for window in sorted(counted)[1:WINDOWS]]
    assert max(counted.values()) <= CALLS
    assert sum(whole) / (CALLS * len(whole)) >= 0.9, counted
    rounds = [later - at for at, later in zip(times, times[CALLS:], strict=False)]
    assert SECONDS * len(rounds) / sum(rounds) >= 0.9


def test_through_a_file(tmp_path: Path) -> None:
    assert_the_rate_is_used(call_times(tmp_path / "quota.db", tmp_path))


def test_through_redis(tmp_path: Path, redis_here: RedisServer) -> None:
    assert_the_rate_is_used(call_times(redis_here.url, tmp_path))
