"""Processes that share a store share the limits; a failing store ends the run."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

import pytest
import redis
import redis_server
from fake_clock import NOON, FakeClock, WatchedClock
from redis_server import PASSWORD, RedisServer, running_redis
from sharing import begin, results, sharing_process

from target_gainsight.api import (
    Clock,
    QuotaExceededError,
    QuotaStoreError,
    RateLimiter,
    RateLimitGroup,
    RateLimits,
    StoppedError,
    open_store,
)
from target_gainsight.api.rate_limits.groups import PermitStore

MINUTE = 60
HOUR = 3_600
DAY = 86_400
TENANT = "initech.gainsightcloud.com"

Store: TypeAlias = Path | str
OpenLimiter: TypeAlias = "Callable[..., RateLimiter]"


@pytest.fixture
def quota_path(tmp_path: Path) -> Path:
    return tmp_path / "quota.db"


@pytest.fixture(params=["file", "redis"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores that are shared."""
    if request.param == "file":
        return request.getfixturevalue("quota_path")  # type: ignore[no-any-return]
    return request.getfixturevalue("redis_here").url  # type: ignore[no-any-return]


@pytest.fixture
def open_limiter(clock: FakeClock) -> Iterator[OpenLimiter]:
    """Make a limiter as one of several processes does; it uses all of its limits."""
    opened: list[RateLimiter] = []

    def make(
        store: Store,
        *,
        group: RateLimitGroup = "synchronous",
        tenant: str = TENANT,
        clock: Clock = clock,
        percent: int = 100,
        **limits: Any,
    ) -> RateLimiter:
        limiter = RateLimiter(
            {group: RateLimits(**limits, quota_percent=percent)},
            clock=clock,
            store=open_store(store, tenant=tenant, clock=clock),
        )
        opened.append(limiter)
        return limiter

    yield make
    for limiter in opened:
        limiter.close()


def call(limiter: RateLimiter, group: RateLimitGroup = "synchronous") -> float:
    """Make a call with an immediate response; return the seconds waited."""
    permit = limiter.acquire(group)
    limiter.release(permit)
    return permit.waited


def calls_left(limiter: RateLimiter) -> int:
    """Make calls until the day's quota is used up."""
    for made in range(1_000_000):
        try:
            call(limiter)
        except QuotaExceededError:
            return made
    raise AssertionError


def test_processes_share_the_minute(store: Store, open_limiter: OpenLimiter) -> None:
    first, second = open_limiter(store, per_window=2), open_limiter(store, per_window=2)
    assert call(first) == call(second) == 0.0
    assert call(first) == pytest.approx(MINUTE, abs=0.5)


def test_permit_is_released_one_window_after_response(
    store: Store, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    first, second = open_limiter(store, per_window=1), open_limiter(store, per_window=1)
    permit = first.acquire("synchronous")
    clock.advance(7)
    first.release(permit)
    assert call(second) == pytest.approx(MINUTE, abs=0.5)


def test_response_slower_than_the_window_still_holds_its_permit(
    store: Store, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    first, second = open_limiter(store, per_window=1), open_limiter(store, per_window=1)
    slow = first.acquire("synchronous")
    clock.advance(2 * MINUTE)
    call(second)
    clock.advance(0.5)
    first.release(slow)
    clock.advance(0.5)
    assert call(second) == pytest.approx(MINUTE - 0.5, abs=0.3)


def test_permit_of_dead_process_is_released_one_window_after_issue(
    store: Store, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    died, other = open_limiter(store, per_window=1), open_limiter(store, per_window=1)
    died.acquire("synchronous")
    clock.advance(20)
    assert call(other) == pytest.approx(MINUTE - 20, abs=0.5)


def test_tenants_are_counted_apart(store: Store, open_limiter: OpenLimiter) -> None:
    tenants = (TENANT, "other.gainsightcloud.com", 'it\'s a "%s" {0} [sandbox]:/tmp/a;b.db')
    waited = [call(open_limiter(store, tenant=tenant, per_window=1)) for tenant in tenants]
    assert waited == [0.0, 0.0, 0.0]


def test_count_of_the_day_survives_the_run(store: Store, open_limiter: OpenLimiter) -> None:
    first = open_limiter(store, per_day=10)
    assert [call(first) for _ in range(4)] == [0.0] * 4
    first.close()
    assert calls_left(open_limiter(store, per_day=10)) == 6
    assert calls_left(open_limiter(store, per_day=10)) == 0


def test_groups_are_counted_apart(store: Store, open_limiter: OpenLimiter) -> None:
    limits = {"per_window": 1, "per_day": 10}
    for group in ("synchronous", "timeline", "bulk"):
        assert call(open_limiter(store, group=group, **limits), group) == 0.0
    again = open_limiter(store, group="bulk", **limits)
    assert call(again, "bulk") == pytest.approx(MINUTE, abs=0.5)


def test_group_without_a_daily_limit_shares_its_window(
    store: Store, open_limiter: OpenLimiter
) -> None:
    limits = {"group": "timeline", "per_window": 2, "per_day": None}
    first, second = open_limiter(store, **limits), open_limiter(store, **limits)
    assert call(first, "timeline") == call(second, "timeline") == 0.0
    assert call(first, "timeline") == pytest.approx(MINUTE, abs=0.5)


def test_runs_share_the_hour_of_uploads(
    store: Store, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    limits = {"group": "bulk", "per_window": 2, "per_day": 10, "window_seconds": HOUR}
    first, second = open_limiter(store, **limits), open_limiter(store, **limits)
    assert call(first, "bulk") == call(first, "bulk") == 0.0
    first.close()
    clock.advance(20 * MINUTE)
    assert call(second, "bulk") == pytest.approx(40 * MINUTE, abs=0.5)


def test_day_spent_by_others_is_reported_at_once(
    store: Store, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    limits = {"group": "bulk", "per_window": 2, "per_day": 2, "window_seconds": HOUR}
    first = open_limiter(store, **limits)
    assert call(first, "bulk") == call(first, "bulk") == 0.0
    with pytest.raises(QuotaExceededError):
        call(open_limiter(store, **limits), "bulk")
    assert clock.waits == []


def test_quota_percent_applies_to_all_processes_together(
    store: Store, open_limiter: OpenLimiter
) -> None:
    limiters = [open_limiter(store, per_day=40, percent=50) for _ in range(2)]
    assert [call(limiters[0]) for _ in range(12)] == [0.0] * 12
    assert calls_left(limiters[1]) == 8


def test_day_in_a_file_ends_at_midnight_utc(
    quota_path: Path, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    assert calls_left(open_limiter(quota_path, per_day=3)) == 3
    clock.advance(DAY / 2 - 1)
    assert calls_left(open_limiter(quota_path, per_day=3)) == 0
    clock.advance(1)
    assert calls_left(open_limiter(quota_path, per_day=3)) == 3


def test_threads_of_several_limiters_never_take_a_permit_twice(
    store: Store, open_limiter: OpenLimiter
) -> None:
    limiters = [open_limiter(store, per_window=1000, per_day=200) for _ in range(3)]
    with ThreadPoolExecutor(9) as pool:
        assert sum(pool.map(calls_left, limiters * 3)) == 200


def take(store: PermitStore, permit: str, limits: RateLimits, now: float) -> float | None:
    return store.update("synchronous", lambda usage: usage.take(permit, limits, now))


def test_permit_asked_for_with_an_older_time_counts_newer_permits(
    store: Store, clock: FakeClock
) -> None:
    opened = open_store(store, tenant=TENANT, clock=clock)
    limits, now = RateLimits(per_window=1), clock.now()
    assert take(opened, "first", limits, now + 0.005) == 0
    waiting = take(opened, "stamped earlier, arriving later", limits, now)
    assert waiting == pytest.approx(MINUTE, abs=0.1)
    opened.close()


def test_permit_of_a_wrong_clock_is_dropped(
    store: Store, open_limiter: OpenLimiter, clock: FakeClock
) -> None:
    opened = open_store(store, tenant=TENANT, clock=clock)
    take(opened, "next year", RateLimits(), clock.now() + 365 * DAY)
    opened.close()
    assert call(open_limiter(store, per_window=1, per_day=1)) == 0.0


def test_clocks_of_machines_that_share_redis_need_not_agree(
    redis_here: RedisServer, open_limiter: OpenLimiter
) -> None:
    late, early = FakeClock(NOON), FakeClock(NOON + 1000)
    call(open_limiter(redis_here.url, clock=early, per_window=1))
    waited = call(open_limiter(redis_here.url, clock=late, per_window=1))
    assert waited == pytest.approx(MINUTE, abs=0.5)


def test_permit_taken_again_after_a_lost_response_is_counted_once(
    redis_here: RedisServer, clock: FakeClock
) -> None:
    opened = open_store(redis_here.url, tenant=TENANT, clock=clock)
    limits, now = RateLimits(per_window=2, quota_percent=100), clock.now()
    taken = [take(opened, permit, limits, now) for permit in ("a", "a", "b", "c")]
    assert taken == [0, 0, 0, pytest.approx(MINUTE)]
    opened.close()


def test_redis_forgets_a_tenant_that_is_not_called(
    redis_here: RedisServer, open_limiter: OpenLimiter
) -> None:
    call(open_limiter(redis_here.url))
    with redis.Redis.from_url(redis_here.url) as server:
        [usage] = server.keys()
        assert 0 < server.pttl(usage) <= 2 * DAY * 1000


def test_stopping_ends_a_wait_for_other_processes(store: Store, open_limiter: OpenLimiter) -> None:
    clock = WatchedClock()
    limiter = open_limiter(store, clock=clock, per_window=1)
    limiter.acquire("synchronous")
    stopped: list[str] = []

    def wait() -> None:
        with pytest.raises(StoppedError):
            limiter.acquire("synchronous")
        stopped.append("stopped")

    waiting = Thread(target=wait)
    waiting.start()
    clock.until_waiting()
    limiter.stop()
    waiting.join(60)
    assert stopped == ["stopped"]


def test_file_is_for_its_owner_only(quota_path: Path, open_limiter: OpenLimiter) -> None:
    call(open_limiter(quota_path))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in quota_path.parent.iterdir()}
    assert modes == {"quota.db": 0o600, "quota.db-wal": 0o600, "quota.db-shm": 0o600}


def test_file_named_like_memory_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_limiter: OpenLimiter
) -> None:
    monkeypatch.chdir(tmp_path)
    assert calls_left(open_limiter(Path(":memory:"), per_day=2)) == 2
    assert calls_left(open_limiter(Path(":memory:"), per_day=2)) == 0


def unusable(path: Path, open_limiter: OpenLimiter) -> str:
    with pytest.raises(QuotaStoreError) as caught:
        open_limiter(path)
    assert str(caught.value).startswith(f"the quota store {path} cannot be used: ")
    return str(caught.value)


def test_file_that_cannot_be_created_is_named(tmp_path: Path, open_limiter: OpenLimiter) -> None:
    message = unusable(tmp_path / "no such folder" / "quota.db", open_limiter)
    assert "No such file or directory" in message
    assert message.endswith("Set quota_store to a dedicated file in a writable local directory")
    unusable(tmp_path, open_limiter)


def test_database_of_something_else_is_left_alone(
    quota_path: Path, open_limiter: OpenLimiter
) -> None:
    with sqlite3.connect(quota_path) as other:
        other.execute("CREATE TABLE company (name TEXT)")
    other.close()
    before = quota_path.read_bytes()
    assert "it is the database of another application" in unusable(quota_path, open_limiter)
    assert quota_path.read_bytes() == before
    quota_path.write_text("Name,Industry\n" * 1000, encoding="utf-8")
    assert "file is not a database" in unusable(quota_path, open_limiter)


def test_failing_store_keeps_response_and_stops_next_call(
    quota_path: Path, open_limiter: OpenLimiter
) -> None:
    limiter = open_limiter(quota_path)
    permit = limiter.acquire("synchronous")
    with sqlite3.connect(quota_path) as other:
        other.execute("DROP TABLE usage")
    other.close()
    limiter.release(permit)
    with pytest.raises(QuotaStoreError, match=r"quota\.db cannot be used: no such table"):
        limiter.acquire("synchronous")


def test_release_after_close_is_harmless(store: Store, open_limiter: OpenLimiter) -> None:
    limiter = open_limiter(store)
    permit = limiter.acquire("synchronous")
    limiter.close()
    limiter.close()
    limiter.release(permit)


def redis_error(url: str, open_limiter: OpenLimiter) -> str:
    with pytest.raises(QuotaStoreError) as caught:
        open_limiter(url)
    chain: BaseException | None = caught.value
    while chain:
        assert PASSWORD not in str(chain)
        chain = chain.__cause__
    return str(caught.value)


def test_missing_redis_is_named_without_its_password(
    closed_port: int, open_limiter: OpenLimiter
) -> None:
    message = redis_error(f"redis://me:{PASSWORD}@127.0.0.1:{closed_port}/3", open_limiter)
    assert message.startswith("the Redis server of quota_store cannot be used: ")
    assert f"127.0.0.1:{closed_port}" in message
    assert message.endswith("Check the URL, its password, and that the server can be reached")


@pytest.mark.parametrize(
    "url", [f"redis://:{PASSWORD}@[host", f"redis://:{PASSWORD}@host:{PASSWORD}"]
)
def test_invalid_url_is_not_shown(url: str, open_limiter: OpenLimiter) -> None:
    assert "the URL is not valid" in redis_error(url, open_limiter)


def test_unknown_option_in_the_url_is_reported(open_limiter: OpenLimiter) -> None:
    message = redis_error(f"redis://127.0.0.1/?password={PASSWORD}&timeout=1", open_limiter)
    assert "the URL is not valid" in message


def test_wrong_password_is_reported_but_not_shown(
    redis_here: RedisServer, open_limiter: OpenLimiter
) -> None:
    wrong = redis_here.url.replace(PASSWORD, "wr0ng")
    message = redis_error(wrong, open_limiter)
    assert "password" in message
    assert "wr0ng" not in message


def test_lost_redis_costs_no_response_and_stops_the_next_call(
    tmp_path: Path, open_limiter: OpenLimiter
) -> None:
    if not redis_server.is_installed():
        pytest.skip(redis_server.MISSING)
    with running_redis(tmp_path) as server:
        limiter = open_limiter(server.url)
        permit = limiter.acquire("synchronous")
        server.stop()
        limiter.release(permit)
        with pytest.raises(QuotaStoreError, match=f"127.0.0.1:{server.port}"):
            limiter.acquire("synchronous")


def test_missing_redis_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(QuotaStoreError, match=r"pip install 'target-gainsight\[redis\]'"):
        open_store("redis://localhost", tenant=TENANT, clock=clock)


def test_daily_limit_holds_across_processes(store: Store) -> None:
    options = {
        "store": str(store),
        "tenant": TENANT,
        "limits": {"per_window": 100_000, "per_day": 500, "quota_percent": 90},
    }
    taken = [result["taken"] for result in results([options] * 2, 60)]
    assert sum(taken) == 450


@pytest.mark.e2e
def test_killed_process_leaves_the_store_usable(store: Store, open_limiter: OpenLimiter) -> None:
    options = {
        "store": str(store),
        "tenant": TENANT,
        "limits": {"per_window": 1_000_000, "per_day": 1_000_000},
        "reports": True,
    }
    for _ in range(2):
        with sharing_process(options) as process:
            begin(process, time.time() + 60)
            assert process.stdout
            assert [process.stdout.readline() for _ in range(20)] == ["taken\n"] * 20
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
    limiter = open_limiter(store, clock=Clock(), per_window=1_000_000)
    assert call(limiter) < 30  # seconds: it does not wait for a window to end
    if isinstance(store, Path):
        file = sqlite3.connect(store)
        [(verdict,)] = file.execute("PRAGMA integrity_check")
        file.close()
        assert verdict == "ok"
