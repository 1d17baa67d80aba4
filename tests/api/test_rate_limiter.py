"""The allowed rate is used and never exceeded, and waits end in time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest
from fake_clock import NOON, FakeClock, SimulatedClock, WatchedClock

from target_gainsight.api import (
    Clock,
    QuotaExceededError,
    RateLimiter,
    RateLimits,
    StoppedError,
    ThrottledError,
)
from target_gainsight.api.rate_limits.limiter import Permit

MINUTE = 60
HOUR = 3_600
DAY = 86_400


def limiter_of(clock: Clock, **limits: Any) -> RateLimiter:
    return RateLimiter({"synchronous": RateLimits(**limits)}, clock=clock)


def call(limiter: RateLimiter, clock: FakeClock, latency: float = 0.0) -> Permit:
    permit = limiter.acquire("synchronous")
    clock.advance(latency)
    limiter.release(permit)
    return permit


def arrivals_by_window(
    latency: Callable[[random.Random], float],
    *,
    arrives: float | None = None,
    server_ahead: float = 0.0,
    threads: int = 8,
    windows: int,
    **limits: Any,
) -> list[int]:
    """Calls that a server with clock-aligned windows counts while there is always work to do.

    A call arrives somewhere between being sent and its response: at the share `arrives` of its
    latency, or anywhere.
    """
    clock = SimulatedClock(NOON + 17.3)
    limiter = limiter_of(clock, **{"quota_percent": 100, **limits})
    chance = random.Random(42)
    counted: Counter[int] = Counter()
    window_seconds = limits.get("window_seconds", MINUTE)
    end = clock.now() + windows * window_seconds

    def work() -> None:
        while (permit := limiter.acquire("synchronous")).issued_at < end:
            whole = latency(chance)
            before = whole * (chance.random() if arrives is None else arrives)
            clock.wait(before)
            counted[int((clock.now() + server_ahead) // window_seconds)] += 1
            clock.wait(whole - before)
            limiter.release(permit)

    clock.run([work] * threads)
    return [counted[window] for window in sorted(counted)]


def varying(chance: random.Random) -> float:
    return chance.uniform(0.1, 1.2)


@pytest.mark.parametrize("threads", [4, 24], ids=["one process", "three processes"])
def test_97_percent_of_the_rate_is_used_at_varying_latency(threads: int) -> None:
    whole_windows = arrivals_by_window(varying, threads=threads, windows=50)[1:-1]
    assert max(whole_windows) <= 100
    assert sum(whole_windows) / len(whole_windows) >= 97


@pytest.mark.parametrize("latency", [varying, lambda _: 0.0, lambda _: 0.3, lambda _: 5.0])
@pytest.mark.parametrize("arrives", [None, 0.0, 1.0], ids=["anywhere", "at-once", "at-the-end"])
@pytest.mark.parametrize("server_ahead", [0.0, 23.7])
def test_no_window_overflows_at_any_latency_and_clock_offset(
    latency: Callable[[random.Random], float], arrives: float | None, server_ahead: float
) -> None:
    counted = arrivals_by_window(latency, arrives=arrives, server_ahead=server_ahead, windows=8)
    assert max(counted) <= 100


@pytest.mark.parametrize("server_ahead", [0.0, 1234.5])
def test_no_hour_overflows_with_uploads_of_minutes(server_ahead: float) -> None:
    counted = arrivals_by_window(
        lambda chance: chance.uniform(1, 600),
        server_ahead=server_ahead,
        threads=3,
        windows=200,
        per_window=10,
        per_day=None,
        window_seconds=HOUR,
    )
    assert max(counted) <= 10
    assert sum(counted[1:-1]) / len(counted[1:-1]) >= 8


def test_no_window_holds_more_than_our_share() -> None:
    assert max(arrivals_by_window(varying, windows=20, quota_percent=90)) == 90


def test_fewer_calls_than_the_allowed_rate_never_wait(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_window=100, quota_percent=90)
    waited = [call(limiter, clock, latency=0.2).waited for _ in range(90)]
    assert waited == [0.0] * 90
    assert clock.waits == []


def test_window_may_be_shorter(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_window=2, quota_percent=100, window_seconds=1.5)
    issued = [call(limiter, clock).issued_at for _ in range(4)]
    assert issued[2] - issued[1] == pytest.approx(1.5, abs=0.01)


def test_spent_day_says_when_it_is_renewed(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_day=4, quota_percent=75)
    for _ in range(3):
        call(limiter, clock)
    with pytest.raises(QuotaExceededError) as caught:
        limiter.acquire("synchronous")
    assert str(caught.value) == (
        "the day's quota of 3 calls (75% of 4) is used up. It is renewed at 2026-01-02 00:00 UTC; "
        "a run after that continues where this one stopped"
    )


@pytest.mark.parametrize(
    ("limit", "percent", "allowed"), [(100, 90, 90), (10, 33, 3), (1, 90, 1), (7, 100, 7)]
)
def test_allowed_rate_is_rounded_down_but_at_least_one(
    limit: int, percent: int, allowed: int
) -> None:
    limits = RateLimits(per_window=limit, per_day=limit, quota_percent=percent)
    assert (limits.allowed_per_window, limits.allowed_per_day) == (allowed, allowed)


def test_throttled_call_blocks_all_until_the_next_clock_minute(clock: FakeClock) -> None:
    clock.advance(20)
    limiter = limiter_of(clock)
    limiter.release(limiter.acquire("synchronous"), ThrottledError())
    assert limiter.acquire("synchronous").issued_at == pytest.approx(NOON + 61)


def test_calls_throttled_together_wait_once(
    clock: FakeClock, warnings: Callable[[], list[str]]
) -> None:
    limiter = limiter_of(clock)
    permits = [limiter.acquire("synchronous") for _ in range(8)]
    for permit in permits[:-1]:
        limiter.release(permit, ThrottledError())
    limiter.acquire("synchronous")
    limiter.release(permits[-1], ThrottledError())
    assert limiter.acquire("synchronous").waited == 0.0
    assert warnings() == [
        (
            "Gainsight is rate-limiting: other integrations use this tenant's limit too. "
            "All calls wait 61.0 s for the next window"
        )
    ]


def test_call_throttled_again_waits_again(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    limiter.release(limiter.acquire("synchronous"), ThrottledError())
    limiter.release(limiter.acquire("synchronous"), ThrottledError())
    assert limiter.acquire("synchronous").issued_at == pytest.approx(NOON + 121)


def test_retry_after_takes_precedence_over_the_window(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    limiter.release(limiter.acquire("synchronous"), ThrottledError(retry_after=7))
    assert limiter.acquire("synchronous").waited == pytest.approx(7)


def test_longest_retry_after_wins(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    first, second = limiter.acquire("synchronous"), limiter.acquire("synchronous")
    limiter.release(first, ThrottledError(retry_after=30))
    limiter.release(second, ThrottledError(retry_after=7))
    assert limiter.acquire("synchronous").waited == pytest.approx(30)


def test_retry_after_zero_waits_a_second(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    limiter.release(limiter.acquire("synchronous"), ThrottledError(retry_after=0))
    assert limiter.acquire("synchronous").waited == pytest.approx(1)


def test_stopping_ends_the_waits_and_issues_no_more_permits() -> None:
    clock = WatchedClock()
    limiter = limiter_of(clock, per_window=1, quota_percent=100)
    limiter.acquire("synchronous")
    ended: list[str] = []

    def wait() -> None:
        with pytest.raises(StoppedError):
            limiter.acquire("synchronous")
        ended.append("stopped")

    waiting = [Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    clock.until_waiting(threads=3)
    limiter.stop()
    for thread in waiting:
        thread.join(timeout=60)
    assert ended == ["stopped"] * 3
    with pytest.raises(StoppedError):
        limiter.acquire("synchronous")


def test_system_clock_tells_epoch_seconds_and_never_goes_back() -> None:
    clock = Clock()
    readings = [clock.now() for _ in range(1000)]
    assert all(later >= earlier for earlier, later in pairwise(readings))
    assert readings[0] == pytest.approx(datetime.now(tz=timezone.utc).timestamp(), abs=5)
    assert clock.wait(0) is False
    clock.wake()
    assert clock.wait(60) is True


def refuse(limiter: RateLimiter, retry_after: float | None = None) -> None:
    limiter.release(limiter.acquire("synchronous"), ThrottledError(retry_after=retry_after))


@pytest.mark.parametrize(
    ("limits", "hours"),
    [
        ({}, 1.1),
        ({"per_window": 10, "per_day": 100, "window_seconds": HOUR, "unit": "uploads"}, 3.0),
    ],
)
@pytest.mark.parametrize("retry_after", [None, 20])
def test_tenant_that_refuses_every_call_ends_the_run(
    clock: FakeClock, limits: dict[str, Any], hours: float, retry_after: float | None
) -> None:
    limiter = limiter_of(clock, **limits)
    with pytest.raises(QuotaExceededError, match="2026-01-02 00:00 UTC") as stopped:  # noqa: PT012
        for _ in range(DAY):
            refuse(limiter, retry_after)
    assert limits.get("unit", "calls") in str(stopped.value)
    assert clock.now() - NOON == pytest.approx(
        hours * HOUR, abs=limits.get("window_seconds", MINUTE) + 300
    )


def test_occasionally_served_calls_keep_run_alive(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    for number in range(300):
        if number % 50:
            refuse(limiter)
        else:
            call(limiter, clock)
    assert clock.now() - NOON > 4 * HOUR


def test_retry_after_of_half_a_day_ends_the_run_at_once(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    with pytest.raises(QuotaExceededError):
        refuse(limiter, retry_after=12 * HOUR)
    assert clock.waits == []
