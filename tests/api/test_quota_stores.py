"""Processes that share a store share the limits, and a store that fails ends the run."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import redis
import redis_server
from fake_clock import NOON, FakeClock, SimulatedClock
from pyrate_limiter import Rate, RateItem
from redis_server import PASSWORD, RedisServer, running_redis
from sharing import begin, results, sharing_process

from target_gainsight.api import (
    Pacer,
    QuotaSpentError,
    QuotaStoreError,
    RateLimits,
    StoppedError,
    SystemClock,
    buckets_in,
)
from target_gainsight.api.rate_limits import sqlite_store as quota_file
from target_gainsight.api.rate_limits.buckets import Buckets, InMemoryRollingBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_gainsight.api import Clock, Family
    from target_gainsight.api.rate_limits.buckets import MakeBuckets

MINUTE = 60
HOUR = 3_600
DAY = 86_400
TENANT = "initech.gainsightcloud.com"
PLENTY = RateLimits(per_window=100_000, per_day=1_000_000)

Store: TypeAlias = Path | str
OpenPacer: TypeAlias = "Callable[..., Pacer]"


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
def open_pacer(clock: FakeClock) -> Iterator[OpenPacer]:
    """Make a pacer as one of several processes does; it allows all of its limits."""
    opened: list[Pacer] = []

    def make(
        store: Store,
        *,
        family: Family = "synchronous",
        tenant: str = TENANT,
        clock: Clock = clock,
        percent: int = 100,
        **limits: Any,
    ) -> Pacer:
        pacer = Pacer(
            RateLimits(**limits, quota_percent=percent),
            clock=clock,
            buckets=buckets_in(store, family, tenant=tenant, clock=clock),
        )
        opened.append(pacer)
        return pacer

    yield make
    for pacer in opened:
        pacer.close()


def call(pacer: Pacer) -> float:
    """Make a call that is answered at once, and say how long it waited."""
    place = pacer.acquire()
    pacer.answered(place)
    return place.waited


def places_in(pacer: Pacer) -> int:
    """Take places until the day's quota is spent."""
    for taken in range(1_000_000):
        try:
            call(pacer)
        except QuotaSpentError:
            return taken
    raise AssertionError


def test_processes_share_the_minute(store: Store, open_pacer: OpenPacer) -> None:
    first, second = open_pacer(store, per_window=2), open_pacer(store, per_window=2)
    assert call(first) == call(second) == 0.0
    assert call(first) == pytest.approx(MINUTE, abs=0.5)


def test_a_place_comes_free_for_others_one_window_after_its_answer(
    store: Store, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    first, second = open_pacer(store, per_window=1), open_pacer(store, per_window=1)
    place = first.acquire()
    clock.advance(7)
    first.answered(place)
    assert call(second) == pytest.approx(MINUTE, abs=0.5)


def test_an_answer_slower_than_the_window_still_holds_its_place(
    store: Store, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    first, second = open_pacer(store, per_window=1), open_pacer(store, per_window=1)
    slow = first.acquire()
    clock.advance(2 * MINUTE)
    call(second)
    clock.advance(0.5)
    first.answered(slow)
    clock.advance(0.5)
    assert call(second) == pytest.approx(MINUTE - 0.5, abs=0.3)


def test_a_place_whose_process_died_comes_free_one_window_after_it_was_taken(
    store: Store, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    died, other = open_pacer(store, per_window=1), open_pacer(store, per_window=1)
    died.acquire()
    clock.advance(20)
    assert call(other) == pytest.approx(MINUTE - 20, abs=0.5)


def test_tenants_do_not_share_a_count(store: Store, open_pacer: OpenPacer) -> None:
    tenants = (TENANT, "other.gainsightcloud.com", 'it\'s a "%s" {0} [sandbox]:/tmp/a;b.db')
    waited = [call(open_pacer(store, tenant=tenant, per_window=1)) for tenant in tenants]
    assert waited == [0.0, 0.0, 0.0]


def test_the_days_count_survives_the_run(store: Store, open_pacer: OpenPacer) -> None:
    first = open_pacer(store, per_day=10)
    assert [call(first) for _ in range(4)] == [0.0] * 4
    first.close()
    assert places_in(open_pacer(store, per_day=10)) == 6
    assert places_in(open_pacer(store, per_day=10)) == 0


def test_families_count_apart_in_one_store(store: Store, open_pacer: OpenPacer) -> None:
    limits = {"per_window": 1, "per_day": 10}
    for family in ("synchronous", "timeline", "bulk"):
        assert call(open_pacer(store, family=family, **limits)) == 0.0
    assert call(open_pacer(store, family="bulk", **limits)) == pytest.approx(MINUTE, abs=0.5)


def test_a_family_without_a_day_is_logged_for_its_window(
    store: Store, open_pacer: OpenPacer
) -> None:
    limits = {"family": "timeline", "per_window": 2, "per_day": None}
    first, second = open_pacer(store, **limits), open_pacer(store, **limits)
    assert call(first) == call(second) == 0.0
    assert call(first) == pytest.approx(MINUTE, abs=0.5)


def test_the_hour_of_uploads_is_waited_for_across_runs(
    store: Store, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    limits = {"family": "bulk", "per_window": 2, "per_day": 10, "window_seconds": HOUR}
    first, second = open_pacer(store, **limits), open_pacer(store, **limits)
    assert call(first) == call(first) == 0.0
    first.close()
    clock.advance(20 * MINUTE)
    assert call(second) == pytest.approx(40 * MINUTE, abs=0.5)


def test_nobody_waits_an_hour_to_hear_that_others_have_spent_the_day(
    store: Store, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    limits = {"family": "bulk", "per_window": 2, "per_day": 2, "window_seconds": HOUR}
    first = open_pacer(store, **limits)
    assert call(first) == call(first) == 0.0
    with pytest.raises(QuotaSpentError):
        call(open_pacer(store, **limits))
    assert clock.waits == []


def test_the_percentage_that_is_ours_holds_for_all_together(
    store: Store, open_pacer: OpenPacer
) -> None:
    pacers = [open_pacer(store, per_day=40, percent=50) for _ in range(2)]
    assert [call(pacers[0]) for _ in range(12)] == [0.0] * 12
    assert places_in(pacers[1]) == 8


def test_the_day_in_a_file_ends_at_midnight_utc(
    quota_path: Path, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    assert places_in(open_pacer(quota_path, per_day=3)) == 3
    clock.advance(DAY / 2 - 1)
    assert places_in(open_pacer(quota_path, per_day=3)) == 0
    clock.advance(1)
    assert places_in(open_pacer(quota_path, per_day=3)) == 3
    with sqlite3.connect(quota_path) as file:
        [(left,)] = file.execute(
            "SELECT COUNT(*) FROM 'synchronous day initech.gainsightcloud.com'"
        )
    file.close()
    assert left == 3


def test_threads_of_several_pacers_never_take_one_place_twice(
    store: Store, open_pacer: OpenPacer
) -> None:
    pacers = [open_pacer(store, per_window=1000, per_day=200) for _ in range(3)]
    with ThreadPoolExecutor(9) as pool:
        assert sum(pool.map(places_in, pacers * 3)) == 200


def logs(store: Store, clock: FakeClock, limit: int = 1) -> Buckets:
    make: MakeBuckets = buckets_in(store, "synchronous", tenant=TENANT, clock=clock)
    return make(Rate(limit, MINUTE * 1000), Rate(100, DAY * 1000))


def test_a_place_asked_for_a_moment_too_late_counts_those_stamped_since(
    store: Store, clock: FakeClock
) -> None:
    made = logs(store, clock)
    now = int(clock.now() * 1000)
    assert made.rolling.put(RateItem("first", now + 5)) is True
    assert made.rolling.put(RateItem("stamped before it, but later here", now)) is False
    made.rolling.close()


def test_a_place_lasts_no_longer_than_two_windows_where_a_clock_was_wrong(
    store: Store, open_pacer: OpenPacer, clock: FakeClock
) -> None:
    made = logs(store, clock, limit=10)
    made.rolling.put(RateItem("next year", int((clock.now() + 365 * DAY) * 1000)))
    made.day.put(RateItem("next year", int((clock.now() + 365 * DAY) * 1000)))
    made.rolling.close()
    assert call(open_pacer(store, per_window=1, per_day=1)) == 0.0


def test_clocks_of_machines_that_share_a_redis_need_not_agree(
    redis_here: RedisServer, open_pacer: OpenPacer
) -> None:
    late, early = FakeClock(NOON), FakeClock(NOON + 1000)
    call(open_pacer(redis_here.url, clock=early, per_window=1))
    waited = call(open_pacer(redis_here.url, clock=late, per_window=1))
    assert waited == pytest.approx(MINUTE, abs=0.5)


def test_a_place_asked_for_again_because_the_answer_was_lost_is_taken_once(
    redis_here: RedisServer, clock: FakeClock
) -> None:
    made = logs(redis_here.url, clock)
    item = RateItem("asked twice", int(clock.now() * 1000))
    assert made.rolling.put(item) is made.rolling.put(item) is True
    assert made.rolling.count() == 1
    made.rolling.close()


def test_a_redis_that_forgot_its_scripts_is_told_again(
    redis_here: RedisServer, open_pacer: OpenPacer
) -> None:
    pacer = open_pacer(redis_here.url, per_day=2)
    call(pacer)
    with redis.Redis.from_url(redis_here.url) as server:
        server.script_flush()
    assert places_in(pacer) == 1


def test_redis_forgets_a_tenant_that_is_not_called(
    redis_here: RedisServer, open_pacer: OpenPacer
) -> None:
    call(open_pacer(redis_here.url))
    with redis.Redis.from_url(redis_here.url) as server:
        assert (
            0 < server.pttl(f"target-gainsight:synchronous:rolling:{TENANT}") <= 2 * MINUTE * 1000
        )
        assert 0 < server.pttl(f"target-gainsight:synchronous:day:{TENANT}") <= 2 * DAY * 1000


def test_a_full_log_is_asked_once_for_all_threads_that_wait() -> None:
    asked = 0

    class CountedBucket(InMemoryRollingBucket):
        def put(self, item: RateItem) -> bool:
            nonlocal asked
            asked += 1
            return super().put(item)

    def buckets(rolling: Rate, _: Rate | None) -> Buckets:
        return Buckets(CountedBucket([rolling]), None)

    clock = SimulatedClock()
    pacer = Pacer(RateLimits(per_window=10, quota_percent=100), clock=clock, buckets=buckets)

    def work() -> None:
        for _ in range(10):
            call(pacer)
            clock.wait(0.5)

    clock.run([work] * 16)
    assert asked <= 2 * 160


def test_a_wait_for_others_ends_when_the_run_is_stopped(
    store: Store, open_pacer: OpenPacer
) -> None:
    clock = SystemClock()
    pacer = open_pacer(store, clock=clock, per_window=1)
    pacer.acquire()
    stopped: list[str] = []

    def wait() -> None:
        with pytest.raises(StoppedError):
            pacer.acquire()
        stopped.append("stopped")

    waiting = Thread(target=wait)
    waiting.start()
    pacer.stop()
    waiting.join(5)
    assert stopped == ["stopped"]


def test_the_file_is_for_its_owner_only(quota_path: Path, open_pacer: OpenPacer) -> None:
    call(open_pacer(quota_path))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in quota_path.parent.iterdir()}
    assert modes == {"quota.db": 0o600, "quota.db-wal": 0o600, "quota.db-shm": 0o600}


def test_a_file_named_like_memory_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_pacer: OpenPacer
) -> None:
    monkeypatch.chdir(tmp_path)
    assert places_in(open_pacer(Path(":memory:"), per_day=2)) == 2
    assert places_in(open_pacer(Path(":memory:"), per_day=2)) == 0


def unusable(path: Path, open_pacer: OpenPacer) -> str:
    with pytest.raises(QuotaStoreError) as caught:
        open_pacer(path)
    assert str(caught.value).startswith(f"the calls cannot be counted in the quota store {path}: ")
    return str(caught.value)


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path, open_pacer: OpenPacer) -> None:
    message = unusable(tmp_path / "no such folder" / "quota.db", open_pacer)
    assert "No such file or directory" in message
    assert message.endswith(
        "Set quota_store to a file of its own, in a folder of this machine that may be written to"
    )
    unusable(tmp_path, open_pacer)


def test_a_file_of_something_else_is_left_alone(quota_path: Path, open_pacer: OpenPacer) -> None:
    with sqlite3.connect(quota_path) as other:
        other.execute("CREATE TABLE company (name TEXT)")
    other.close()
    before = quota_path.read_bytes()
    assert "it is a database of something else" in unusable(quota_path, open_pacer)
    assert quota_path.read_bytes() == before
    quota_path.write_text("Name,Industry\n" * 1000, encoding="utf-8")
    assert "file is not a database" in unusable(quota_path, open_pacer)


def test_a_file_that_another_process_keeps_locked_is_named(
    quota_path: Path, open_pacer: OpenPacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_file, "BUSY_SECONDS", 0.01)
    pacer = open_pacer(quota_path)
    call(pacer)
    other = sqlite3.connect(quota_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another process has kept it locked for" in unusable(quota_path, open_pacer)
    with pytest.raises(QuotaStoreError, match="another process has kept it locked for"):
        pacer.acquire()
    other.close()
    call(pacer)


def test_a_full_disk_costs_no_answer_and_stops_the_next_call(
    quota_path: Path, clock: FakeClock
) -> None:
    made: list[quota_file.FileBucket] = []

    make = quota_file.file_buckets(quota_path, "synchronous", tenant=TENANT, clock=clock)

    def buckets(rolling: Rate, day: Rate | None) -> Buckets:
        opened = make(rolling, day)
        assert isinstance(opened.rolling, quota_file.FileBucket)
        made.append(opened.rolling)
        return opened

    pacer = Pacer(PLENTY, clock=clock, buckets=buckets)
    place = pacer.acquire()
    [(pages,)] = made[0].conn.execute("PRAGMA page_count")
    made[0].conn.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(QuotaStoreError, match=r"quota\.db: database or disk is full"):
        made[0].restamp("x" * 1_000_000, 0)
    made[0].conn.execute("DROP TABLE 'synchronous rolling initech.gainsightcloud.com'")
    pacer.answered(place)
    with pytest.raises(QuotaStoreError, match=r"quota\.db: no such table"):
        pacer.acquire()
    pacer.close()


def test_after_closing_no_place_is_taken_and_no_answer_is_lost(
    store: Store, open_pacer: OpenPacer
) -> None:
    pacer = open_pacer(store)
    place = pacer.acquire()
    pacer.close()
    pacer.close()
    pacer.answered(place)
    with pytest.raises(StoppedError):
        pacer.acquire()


def redis_error(url: str, open_pacer: OpenPacer) -> str:
    with pytest.raises(QuotaStoreError) as caught:
        open_pacer(url)
    chain: BaseException | None = caught.value
    while chain:
        assert PASSWORD not in str(chain)
        chain = chain.__cause__
    return str(caught.value)


def test_a_redis_that_is_not_there_is_named_without_its_password(open_pacer: OpenPacer) -> None:
    port = redis_server.free_port()
    message = redis_error(f"redis://me:{PASSWORD}@127.0.0.1:{port}/3", open_pacer)
    assert message.startswith(
        f"the calls cannot be counted in the quota store redis://127.0.0.1:{port}/3: "
    )
    assert message.endswith(
        "Check the URL in quota_store, its password and whether the server can be reached"
    )


@pytest.mark.parametrize(
    "url", [f"redis://:{PASSWORD}@[host", f"redis://:{PASSWORD}@host:{PASSWORD}"]
)
def test_a_url_that_is_none_is_not_shown(url: str, open_pacer: OpenPacer) -> None:
    assert "Redis does not understand this URL" in redis_error(url, open_pacer)


def test_an_option_that_redis_does_not_know_is_no_traceback(open_pacer: OpenPacer) -> None:
    message = redis_error(f"redis://127.0.0.1/?password={PASSWORD}&timeout=1", open_pacer)
    assert "Redis does not know an option in this URL" in message


def test_a_wrong_password_is_said_and_not_shown(
    redis_here: RedisServer, open_pacer: OpenPacer
) -> None:
    wrong = redis_here.url.replace(PASSWORD, "wr0ng")
    message = redis_error(wrong, open_pacer)
    assert redis_here.shown in message
    assert "password" in message
    assert "wr0ng" not in message


def test_a_redis_that_goes_away_costs_no_answer_and_stops_the_next_call(
    tmp_path: Path, open_pacer: OpenPacer
) -> None:
    if not redis_server.is_installed():
        pytest.skip(redis_server.MISSING)
    with running_redis(tmp_path) as server:
        pacer = open_pacer(server.url)
        place = pacer.acquire()
        server.stop()
        pacer.answered(place)
        with pytest.raises(QuotaStoreError, match=server.shown):
            pacer.acquire()


def test_redis_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(QuotaStoreError, match=r"pip install 'target-gainsight\[redis\]'"):
        buckets_in("redis://localhost", "bulk", tenant=TENANT, clock=clock)


def test_the_days_limit_holds_across_processes(store: Store) -> None:
    told = {
        "store": str(store),
        "tenant": TENANT,
        "limits": {"per_window": 100_000, "per_day": 500, "quota_percent": 90},
    }
    taken = [result["taken"] for result in results([told] * 3, 1, 60)]
    assert sum(taken) == 450
    assert sorted(taken)[1] > 0, "one process took everything"


def test_a_process_killed_at_work_leaves_the_store_in_order(
    store: Store, open_pacer: OpenPacer
) -> None:
    told = {
        "store": str(store),
        "tenant": TENANT,
        "limits": {"per_window": 1_000_000, "per_day": 1_000_000},
    }
    for _ in range(2):
        with sharing_process(told) as process:
            begin(process, 0, time.time() + 60)
            time.sleep(0.1)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
    pacer = open_pacer(store, clock=SystemClock(), per_window=1_000_000)
    assert call(pacer) == pytest.approx(0, abs=1)
    if isinstance(store, Path):
        file = sqlite3.connect(store)
        [(verdict,)] = file.execute("PRAGMA integrity_check")
        file.close()
        assert verdict == "ok"
