"""Three processes that share a tenant never exceed its rate, and all of them get calls.

How much of the rate they use is measured in `benchmarks/rate.py`.
"""

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
WINDOWS = 4
PROCESSES = 3


def assert_the_rate_is_kept(store: Path | str, folder: Path) -> None:
    """Let processes that always have work call a tenant; none of the calls is one too many."""
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
    counted = Counter(int(call.at // SECONDS) for call in seen)
    assert max(counted.values()) <= CALLS


def test_rate_is_shared_through_a_file(tmp_path: Path) -> None:
    assert_the_rate_is_kept(tmp_path / "quota.db", tmp_path)


def test_rate_is_shared_through_redis(tmp_path: Path, redis_here: RedisServer) -> None:
    assert_the_rate_is_kept(redis_here.url, tmp_path)
