"""Each group of calls has its own limits; a run has one budget of calls."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest
from answering import TENANT, MakeClient, failure, success
from fake_clock import NOON, FakeClock

from target_gainsight.api import (
    DOCUMENTED_LIMITS,
    Call,
    CallBudgetExceededError,
    CallEvent,
    GainsightClient,
    QuotaExceededError,
    RateLimiter,
    RateLimitGroup,
    RateLimits,
    StoppedError,
    ThrottledError,
)

MINUTE = 60
HOUR = 3_600
GROUPS: tuple[RateLimitGroup, ...] = get_args(RateLimitGroup)


def call(client: GainsightClient, group: RateLimitGroup) -> None:
    client.send(Call("POST", f"/{group}", kind=group, group=group))


def waited(limiter: RateLimiter, group: RateLimitGroup) -> float:
    """Make a call with an immediate response; return the seconds waited."""
    permit = limiter.acquire(group)
    limiter.release(permit)
    return permit.waited


@pytest.fixture
def limiter(clock: FakeClock) -> RateLimiter:
    return RateLimiter(clock=clock)


@pytest.fixture
def tenant(requests_mock: Any) -> Any:
    """Answers calls of every group."""
    for group in GROUPS:
        requests_mock.post(f"{TENANT}/{group}", json=success())
    return requests_mock


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: caplog.messages


@pytest.mark.parametrize(
    ("group", "allowed", "window"),
    [("synchronous", 90, MINUTE), ("timeline", 180, MINUTE), ("bulk", 9, HOUR)],
)
def test_90_percent_of_the_documented_rate_goes_out_at_once(
    limiter: RateLimiter, group: RateLimitGroup, allowed: int, window: float
) -> None:
    assert [waited(limiter, group) for _ in range(allowed)] == [0.0] * allowed
    assert waited(limiter, group) == pytest.approx(window, abs=0.01)


@pytest.mark.parametrize("full", GROUPS)
def test_full_window_does_not_block_other_groups(
    limiter: RateLimiter, full: RateLimitGroup
) -> None:
    for _ in range(DOCUMENTED_LIMITS[full].allowed_per_window):
        waited(limiter, full)
    assert [waited(limiter, group) for group in GROUPS if group != full] == [0.0, 0.0]
    assert waited(limiter, full) > 0


@pytest.mark.usefixtures("tenant")
def test_call_is_limited_by_its_group_and_observed_with_it(
    make_client: MakeClient, limiter: RateLimiter, events: list[CallEvent]
) -> None:
    client = make_client(rate_limiter=limiter)
    for _ in range(10):
        call(client, "bulk")
    call(client, "timeline")
    client.send(Call("POST", "/synchronous", kind="insert"))
    assert [event.call.group for event in events] == ["bulk"] * 10 + ["timeline", "synchronous"]
    assert [event.waited for event in events[:9]] == [0.0] * 9
    assert [event.waited for event in events[9:]] == pytest.approx([HOUR, 0, 0], abs=0.01)


@pytest.mark.usefixtures("tenant")
def test_wait_of_an_hour_is_logged_once_and_is_no_retrying(
    make_client: MakeClient,
    limiter: RateLimiter,
    clock: FakeClock,
    logged: Callable[[], list[str]],
) -> None:
    client = make_client(rate_limiter=limiter)
    for _ in range(9):
        call(client, "bulk")
        clock.advance(MINUTE)
    call(client, "bulk")
    assert logged() == [
        "The hour's quota of 9 bulk uploads is used up: the next one is sent in 51 minutes"
    ]


def test_wait_of_a_minute_is_not_logged(
    limiter: RateLimiter, clock: FakeClock, logged: Callable[[], list[str]]
) -> None:
    for _ in range(200):
        waited(limiter, "timeline")
    assert clock.waits
    assert logged() == []


def test_spent_day_of_uploads_does_not_stop_other_groups(limiter: RateLimiter) -> None:
    for _ in range(90):
        waited(limiter, "bulk")
    with pytest.raises(QuotaExceededError) as caught:
        waited(limiter, "bulk")
    assert str(caught.value) == (
        "the day's quota of 90 bulk uploads (90% of 100) is used up. It is renewed at "
        "2026-01-02 00:00 UTC; a run after that continues where this one stopped"
    )
    assert waited(limiter, "synchronous") == waited(limiter, "timeline") == 0.0


def test_spent_day_is_reported_without_waiting_for_the_hour(clock: FakeClock) -> None:
    bulk = RateLimits(per_window=10, per_day=10, quota_percent=90, window_seconds=HOUR)
    limiter = RateLimiter({"bulk": bulk}, clock=clock)
    assert [waited(limiter, "bulk") for _ in range(9)] == [0.0] * 9
    with pytest.raises(QuotaExceededError):
        waited(limiter, "bulk")
    assert clock.waits == []


def test_timeline_has_no_daily_limit(clock: FakeClock) -> None:
    limiter = RateLimiter({"timeline": RateLimits(per_window=100_000, per_day=None)}, clock=clock)
    for _ in range(2_000):
        waited(limiter, "timeline")
    assert clock.waits == []


def test_throttled_upload_waits_for_the_next_clock_hour(
    make_client: MakeClient,
    limiter: RateLimiter,
    clock: FakeClock,
    tenant: Any,
    warnings: Callable[[], list[str]],
) -> None:
    throttled = {"status_code": 429, "json": failure("GU_2400", "Too many request")}
    tenant.post(f"{TENANT}/bulk", [throttled, {"json": success()}])
    clock.advance(20 * MINUTE)
    client = make_client(rate_limiter=limiter)
    call(client, "bulk")
    assert clock.now() == pytest.approx(NOON + HOUR + 1)
    [line] = warnings()
    assert line.endswith("All bulk uploads wait 2401.0 s for the next window")


@pytest.mark.parametrize("group", GROUPS)
def test_throttled_group_does_not_block_the_others(
    limiter: RateLimiter, group: RateLimitGroup
) -> None:
    limiter.release(limiter.acquire(group), ThrottledError())
    assert [waited(limiter, other) for other in GROUPS if other != group] == [0.0, 0.0]
    assert waited(limiter, group) > 0


def test_calls_of_the_run_are_counted_over_all_groups(clock: FakeClock) -> None:
    limiter = RateLimiter(clock=clock, max_calls=5)
    for group in ("synchronous", "timeline", "bulk", "timeline", "synchronous"):
        waited(limiter, group)
    for group in GROUPS:
        with pytest.raises(CallBudgetExceededError):
            waited(limiter, group)
    assert clock.waits == []


def test_threads_of_all_groups_never_make_a_call_too_many(clock: FakeClock) -> None:
    plenty = RateLimits(per_window=100_000, per_day=None)
    limiter = RateLimiter(dict.fromkeys(GROUPS, plenty), clock=clock, max_calls=300)

    def made(group: RateLimitGroup) -> int:
        for count in range(1_000):
            try:
                waited(limiter, group)
            except CallBudgetExceededError:
                return count
        raise AssertionError

    with ThreadPoolExecutor(9) as pool:
        assert sum(pool.map(made, GROUPS * 3)) == 300


def test_call_without_a_permit_costs_no_call_of_the_run(clock: FakeClock) -> None:
    bulk = RateLimits(per_window=10, per_day=1, quota_percent=100, window_seconds=HOUR)
    limiter = RateLimiter({"bulk": bulk}, clock=clock, max_calls=2)
    waited(limiter, "bulk")
    for _ in range(3):
        with pytest.raises(QuotaExceededError):
            waited(limiter, "bulk")
    assert waited(limiter, "synchronous") == 0.0


def test_stopping_the_client_stops_every_group(make_client: MakeClient, clock: FakeClock) -> None:
    full = RateLimits(per_window=1, quota_percent=100, window_seconds=HOUR)
    limiter = RateLimiter({"timeline": full, "bulk": full}, clock=clock)
    for group in ("timeline", "bulk"):
        waited(limiter, group)
    client = make_client(rate_limiter=limiter)
    client.stop()
    for group in GROUPS:
        with pytest.raises(StoppedError):
            call(client, group)
