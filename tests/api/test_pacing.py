"""The allowed rate is used, never passed, and waits end when they must."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timezone
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from fake_clock import NOON, FakeClock, SimulatedClock
from pyrate_limiter import InMemoryBucket, Rate

from target_gainsight.api import Pacer, QuotaSpentError, RateLimits, StoppedError, SystemClock
from target_gainsight.api.rate_limits.buckets import (
    Buckets,
    InMemoryRollingBucket,
    in_memory_buckets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_gainsight.api.rate_limits.limiter import Place

MINUTE = 60
HOUR = 3_600
DAY = 86_400


def call(pacer: Pacer, clock: FakeClock, latency: float = 0.0) -> Place:
    place = pacer.acquire()
    clock.advance(latency)
    pacer.answered(place)
    return place


def arrivals_by_window(
    latency: Callable[[random.Random], float],
    *,
    arrives: float | None = None,
    server_ahead: float = 0.0,
    threads: int = 8,
    windows: int,
    limits: RateLimits = RateLimits(quota_percent=100),  # noqa: B008 - frozen
) -> list[int]:
    """Calls that a server with clock-aligned windows counts when there is always work to do.

    A call arrives somewhere between its sending and its answer: at the share `arrives` of its
    latency, or anywhere.
    """
    clock = SimulatedClock(NOON + 17.3)
    pacer = Pacer(limits, clock=clock)
    chance = random.Random(42)
    counted: Counter[int] = Counter()
    end = clock.now() + windows * limits.window_seconds

    def work() -> None:
        while (place := pacer.acquire()).taken_at < end:
            whole = latency(chance)
            before = whole * (chance.random() if arrives is None else arrives)
            clock.wait(before)
            counted[int((clock.now() + server_ahead) // limits.window_seconds)] += 1
            clock.wait(whole - before)
            pacer.answered(place)

    clock.run([work] * threads)
    return [counted[window] for window in sorted(counted)]


def varying(chance: random.Random) -> float:
    return chance.uniform(0.1, 1.2)


def test_with_varying_latency_97_percent_of_the_rate_is_used_over_whole_windows() -> None:
    whole_windows = arrivals_by_window(varying, threads=4, windows=100)[1:-1]
    assert max(whole_windows) <= 100
    assert sum(whole_windows) / len(whole_windows) >= 97


@pytest.mark.parametrize("latency", [varying, lambda _: 0.0, lambda _: 0.3, lambda _: 5.0])
@pytest.mark.parametrize("arrives", [None, 0.0, 1.0], ids=["anywhere", "at-once", "at-the-end"])
@pytest.mark.parametrize("server_ahead", [0.0, 23.7])
def test_no_window_overflows_whatever_the_latency_and_the_servers_clock(
    latency: Callable[[random.Random], float], arrives: float | None, server_ahead: float
) -> None:
    counted = arrivals_by_window(latency, arrives=arrives, server_ahead=server_ahead, windows=8)
    assert max(counted) <= 100


@pytest.mark.parametrize("server_ahead", [0.0, 1234.5])
def test_no_hour_overflows_although_an_upload_takes_minutes(server_ahead: float) -> None:
    limits = RateLimits(per_window=10, per_day=None, quota_percent=100, window_seconds=HOUR)
    counted = arrivals_by_window(
        lambda chance: chance.uniform(1, 600),
        server_ahead=server_ahead,
        threads=3,
        windows=200,
        limits=limits,
    )
    assert max(counted) <= 10
    assert sum(counted[1:-1]) / len(counted[1:-1]) >= 8


def test_the_quota_percent_is_ours_and_no_more() -> None:
    counted = arrivals_by_window(varying, windows=20, limits=RateLimits(quota_percent=90))
    assert max(counted) == 90


def test_a_run_of_fewer_calls_than_the_allowed_rate_never_waits(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(per_window=100, quota_percent=90), clock=clock)
    waited = [call(pacer, clock, latency=0.2).waited for _ in range(90)]
    assert waited == [0.0] * 90
    assert clock.waits == []


def test_a_place_comes_free_one_window_after_its_answer(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(per_window=1, quota_percent=100), clock=clock)
    call(pacer, clock, latency=7)
    answered = clock.now()
    second = pacer.acquire()
    assert second.taken_at - answered == pytest.approx(MINUTE, abs=0.01)
    assert second.waited == pytest.approx(MINUTE, abs=0.01)


def test_an_answer_slower_than_the_window_still_holds_its_place_after_it(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(per_window=1, quota_percent=100), clock=clock)
    slow = pacer.acquire()
    clock.advance(2 * MINUTE)
    call(pacer, clock)
    pacer.answered(slow)
    answered = clock.now()
    assert pacer.acquire().taken_at - answered == pytest.approx(MINUTE, abs=0.01)


def test_the_window_may_be_shorter(clock: FakeClock) -> None:
    limits = RateLimits(per_window=2, quota_percent=100, window_seconds=1.5)
    pacer = Pacer(limits, clock=clock)
    taken = [call(pacer, clock).taken_at for _ in range(4)]
    assert taken[2] - taken[1] == pytest.approx(1.5, abs=0.01)


def test_the_log_of_places_does_not_grow(clock: FakeClock) -> None:
    made: list[Buckets] = []

    def buckets(rolling: Rate, day: Rate | None) -> Buckets:
        made.append(in_memory_buckets(rolling, day))
        return made[0]

    pacer = Pacer(RateLimits(per_day=100, quota_percent=100), clock=clock, buckets=buckets)
    for _ in range(250):
        call(pacer, clock, latency=DAY / 80)
    assert made[0].rolling.count() <= 2
    assert made[0].day
    assert made[0].day.count() <= 100


def test_places_are_logged_where_the_caller_says(clock: FakeClock) -> None:
    shared = Buckets(
        InMemoryRollingBucket([Rate(2, 60_000)]), InMemoryBucket([Rate(100, 86_400_000)])
    )
    first = Pacer(RateLimits(), clock=clock, buckets=lambda _rolling, _day: shared)
    second = Pacer(RateLimits(), clock=clock, buckets=lambda _rolling, _day: shared)
    call(first, clock)
    call(second, clock)
    assert clock.waits == []
    assert call(first, clock).waited == pytest.approx(MINUTE, abs=0.01)


def test_the_days_quota_spent_says_when_it_begins_anew(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(per_day=4, quota_percent=75), clock=clock)
    for _ in range(3):
        call(pacer, clock)
    with pytest.raises(QuotaSpentError) as caught:
        pacer.acquire()
    assert caught.value.resets_at == datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert str(caught.value) == (
        "the day's quota of 3 calls (75% of 4) is spent. It begins anew at 2026-01-02 00:00 UTC: "
        "a run started then goes on where this one stopped"
    )


def test_days_are_utc_days(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(per_day=1, quota_percent=100), clock=clock)
    call(pacer, clock)
    clock.advance(DAY / 2 - 1)
    with pytest.raises(QuotaSpentError):
        pacer.acquire()
    clock.advance(1)
    assert call(pacer, clock).waited == 0.0


@pytest.mark.parametrize(
    ("limit", "percent", "allowed"), [(100, 90, 90), (10, 33, 3), (1, 90, 1), (7, 100, 7)]
)
def test_the_allowed_rate_is_rounded_down_and_never_nothing(
    limit: int, percent: int, allowed: int
) -> None:
    limits = RateLimits(per_window=limit, per_day=limit, quota_percent=percent)
    assert (limits.allowed_per_window, limits.allowed_per_day) == (allowed, allowed)


@pytest.mark.parametrize(
    "limits", [{"per_window": 0}, {"per_day": 0}, {"quota_percent": 0}, {"quota_percent": 101}]
)
def test_impossible_limits_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RateLimits(**limits)


def test_a_throttled_call_makes_everyone_wait_for_the_next_clock_minute(clock: FakeClock) -> None:
    clock.advance(20)
    pacer = Pacer(RateLimits(), clock=clock)
    pacer.throttled(pacer.acquire())
    assert pacer.acquire().taken_at == pytest.approx(NOON + 61)


def test_calls_throttled_together_wait_once(
    clock: FakeClock, warnings: Callable[[], list[str]]
) -> None:
    pacer = Pacer(RateLimits(), clock=clock)
    places = [pacer.acquire() for _ in range(8)]
    for place in places[:-1]:
        pacer.throttled(place)
    pacer.acquire()
    pacer.throttled(places[-1])
    assert pacer.acquire().waited == 0.0
    assert warnings() == [
        (
            "Gainsight throttles: other integrations share this tenant's limit. "
            "All calls wait 61.0 s for the next window"
        )
    ]


def test_a_call_throttled_again_waits_again(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(), clock=clock)
    pacer.throttled(pacer.acquire())
    pacer.throttled(pacer.acquire())
    assert pacer.acquire().taken_at == pytest.approx(NOON + 121)


def test_the_servers_wish_wins_over_the_window(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(), clock=clock)
    pacer.throttled(pacer.acquire(), retry_after=7)
    assert pacer.acquire().waited == pytest.approx(7)


def test_the_longest_of_several_wishes_wins(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(), clock=clock)
    first, second = pacer.acquire(), pacer.acquire()
    pacer.throttled(first, retry_after=30)
    pacer.throttled(second, retry_after=7)
    assert pacer.acquire().waited == pytest.approx(30)


def test_a_wish_for_no_wait_at_all_is_not_taken_literally(clock: FakeClock) -> None:
    pacer = Pacer(RateLimits(), clock=clock)
    pacer.throttled(pacer.acquire(), retry_after=0)
    assert pacer.acquire().waited == pytest.approx(1)


def test_stopping_ends_the_waits_and_hands_out_no_more_places() -> None:
    pacer = Pacer(RateLimits(per_window=1, quota_percent=100), clock=SystemClock())
    pacer.acquire()
    ended: list[str] = []

    def wait() -> None:
        with pytest.raises(StoppedError):
            pacer.acquire()
        ended.append("stopped")

    waiting = [Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    pacer.stop()
    for thread in waiting:
        thread.join(timeout=5)
    assert ended == ["stopped"] * 3
    with pytest.raises(StoppedError):
        pacer.acquire()


def test_the_system_clock_tells_epoch_seconds_and_never_goes_back() -> None:
    clock = SystemClock()
    readings = [clock.now() for _ in range(1000)]
    assert all(later >= earlier for earlier, later in pairwise(readings))
    assert readings[0] == pytest.approx(datetime.now(tz=timezone.utc).timestamp(), abs=5)
    assert clock.wait(0) is False
    clock.wake()
    assert clock.wait(60) is True


def refuse(pacer: Pacer, retry_after: float | None = None) -> None:
    place = pacer.acquire()
    try:
        pacer.throttled(place, retry_after)
    finally:
        pacer.answered(place)


def refuse_for_ever(pacer: Pacer, retry_after: float | None) -> None:
    for _ in range(DAY):
        refuse(pacer, retry_after)


@pytest.mark.parametrize(
    ("limits", "hours"),
    [(RateLimits(), 1.1), (RateLimits(10, 100, window_seconds=HOUR, unit="uploads"), 3.0)],
)
@pytest.mark.parametrize("retry_after", [None, 20])
def test_a_tenant_that_only_refuses_is_not_asked_for_ever(
    limits: RateLimits, hours: float, retry_after: float | None
) -> None:
    clock = FakeClock()
    pacer = Pacer(limits, clock=clock)
    with pytest.raises(QuotaSpentError, match="2026-01-02 00:00 UTC") as stopped:
        refuse_for_ever(pacer, retry_after)
    assert limits.unit in str(stopped.value)
    assert clock.now() - NOON == pytest.approx(hours * HOUR, abs=limits.window_seconds + 300)


def test_a_tenant_that_now_and_then_serves_a_call_is_asked_on() -> None:
    clock = FakeClock()
    pacer = Pacer(RateLimits(), clock=clock)
    for number in range(300):
        if number % 50:
            refuse(pacer)
        else:
            call(pacer, clock)
    assert clock.now() - NOON > 4 * HOUR


def test_a_wish_to_wait_until_the_morning_ends_the_run_at_once() -> None:
    clock = FakeClock()
    pacer = Pacer(RateLimits(), clock=clock)
    with pytest.raises(QuotaSpentError):
        refuse(pacer, retry_after=12 * HOUR)
    assert clock.waits == []
