"""Each family of calls has a rate of its own; a run has one budget of calls and one end."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, get_args

import pytest
from answering import TENANT, MakeClient, failure, success
from fake_clock import NOON, FakeClock

from target_gainsight.api import (
    DOCUMENTED_LIMITS,
    CallBudgetSpentError,
    CallEvent,
    Family,
    FamilyPacers,
    GainsightClient,
    QuotaSpentError,
    RateLimits,
    StoppedError,
)
from target_gainsight.api.rate_limits.buckets import in_memory_buckets

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_gainsight.api.rate_limits.buckets import MakeBuckets

MINUTE = 60
HOUR = 3_600
FAMILIES: tuple[Family, ...] = get_args(Family)


def call(client: GainsightClient, family: Family) -> None:
    client.call("POST", f"/{family}", kind=family, family=family)


def waited(pacers: FamilyPacers, family: Family) -> float:
    """Make a call that is answered at once, and say how long it waited."""
    place = pacers.of(family).acquire()
    pacers.of(family).answered(place)
    return place.waited


@pytest.fixture
def tenant(requests_mock: Any) -> Any:
    """Answers a call of every family."""
    for family in FAMILIES:
        requests_mock.post(f"{TENANT}/{family}", json=success())
    return requests_mock


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged for everybody to read."""
    caplog.set_level(logging.INFO)
    return lambda: caplog.messages


@pytest.mark.parametrize(
    ("family", "allowed", "window"),
    [("synchronous", 90, MINUTE), ("timeline", 180, MINUTE), ("bulk", 9, HOUR)],
)
def test_ninety_percent_of_a_familys_documented_rate_goes_out_at_once_and_the_next_waits(
    clock: FakeClock, family: Family, allowed: int, window: float
) -> None:
    pacers = FamilyPacers(clock=clock)
    assert [waited(pacers, family) for _ in range(allowed)] == [0.0] * allowed
    assert waited(pacers, family) == pytest.approx(window, abs=0.01)


@pytest.mark.parametrize("spent", FAMILIES)
def test_a_family_whose_window_is_full_does_not_hold_the_others(
    clock: FakeClock, spent: Family
) -> None:
    pacers = FamilyPacers(clock=clock)
    for _ in range(DOCUMENTED_LIMITS[spent].allowed_per_window):
        waited(pacers, spent)
    others = [waited(pacers, family) for family in FAMILIES if family != spent]
    assert others == [0.0, 0.0]
    assert waited(pacers, spent) > 0


@pytest.mark.usefixtures("tenant")
def test_a_call_is_bounded_by_the_family_it_names_and_the_observer_hears_of_it(
    make_client: MakeClient, clock: FakeClock, events: list[CallEvent]
) -> None:
    client = make_client(pacers=FamilyPacers(clock=clock))
    for _ in range(10):
        call(client, "bulk")
    call(client, "timeline")
    client.call("POST", "/synchronous", kind="insert")
    assert [event.family for event in events] == ["bulk"] * 10 + ["timeline", "synchronous"]
    assert [event.waited for event in events[:9]] == [0.0] * 9
    assert [event.waited for event in events[9:]] == pytest.approx([HOUR, 0, 0], abs=0.01)


@pytest.mark.usefixtures("tenant")
def test_an_hours_wait_is_told_once_and_does_not_count_as_retrying(
    make_client: MakeClient, clock: FakeClock, told: Callable[[], list[str]]
) -> None:
    client = make_client(pacers=FamilyPacers(clock=clock))
    for _ in range(9):
        call(client, "bulk")
        clock.advance(MINUTE)
    call(client, "bulk")
    [line] = told()
    assert line == (
        "The hour's quota of 9 bulk uploads (90% of 10) is spent: the next goes out in 52 minutes, "
        "at 13:00 UTC"
    )


def test_a_minutes_wait_is_not_told(clock: FakeClock, told: Callable[[], list[str]]) -> None:
    pacers = FamilyPacers(clock=clock)
    for _ in range(200):
        waited(pacers, "timeline")
    assert clock.waits
    assert told() == []


def test_the_day_of_uploads_spent_says_so_and_the_others_go_on(clock: FakeClock) -> None:
    pacers = FamilyPacers(clock=clock)
    for _ in range(90):
        waited(pacers, "bulk")
    with pytest.raises(QuotaSpentError) as caught:
        waited(pacers, "bulk")
    assert str(caught.value) == (
        "the day's quota of 90 bulk uploads (90% of 100) is spent. It begins anew at "
        "2026-01-02 00:00 UTC: a run started then goes on where this one stopped"
    )
    assert caught.value.resets_at == datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert waited(pacers, "synchronous") == waited(pacers, "timeline") == 0.0


def test_nobody_waits_an_hour_to_hear_that_the_day_is_spent(clock: FakeClock) -> None:
    bulk = RateLimits(per_window=10, per_day=10, quota_percent=90, window_seconds=HOUR)
    pacers = FamilyPacers({"bulk": bulk}, clock=clock)
    assert [waited(pacers, "bulk") for _ in range(9)] == [0.0] * 9
    with pytest.raises(QuotaSpentError):
        waited(pacers, "bulk")
    assert clock.waits == []


def test_timeline_has_no_day(clock: FakeClock) -> None:
    pacers = FamilyPacers({"timeline": RateLimits(per_window=100_000, per_day=None)}, clock=clock)
    for _ in range(60_000):
        waited(pacers, "timeline")
    assert clock.waits == []


def test_a_throttled_upload_waits_for_the_next_clock_hour_and_holds_nobody_else(
    make_client: MakeClient,
    clock: FakeClock,
    tenant: Any,
    warnings: Callable[[], list[str]],
) -> None:
    throttled = {"status_code": 429, "json": failure("GU_2400", "Too many request")}
    tenant.post(f"{TENANT}/bulk", [throttled, {"json": success()}])
    clock.advance(20 * MINUTE)
    client = make_client(pacers=FamilyPacers(clock=clock))
    call(client, "bulk")
    assert clock.now() == pytest.approx(NOON + HOUR + 1)
    [line] = warnings()
    assert line.endswith("All bulk uploads wait 2401.0 s for the next window")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_throttled_family_does_not_hold_the_others(clock: FakeClock, family: Family) -> None:
    pacers = FamilyPacers(clock=clock)
    pacers.of(family).throttled(pacers.of(family).acquire())
    assert [waited(pacers, other) for other in FAMILIES if other != family] == [0.0, 0.0]
    assert waited(pacers, family) > 0


def test_the_runs_calls_are_counted_over_all_families(clock: FakeClock) -> None:
    pacers = FamilyPacers(clock=clock, max_calls=5)
    for family in ("synchronous", "timeline", "bulk", "timeline", "synchronous"):
        waited(pacers, family)
    for family in FAMILIES:
        with pytest.raises(CallBudgetSpentError):
            waited(pacers, family)
    assert clock.waits == []


def test_threads_of_all_families_never_make_one_call_too_many(clock: FakeClock) -> None:
    plenty = RateLimits(per_window=100_000, per_day=None)
    pacers = FamilyPacers(dict.fromkeys(FAMILIES, plenty), clock=clock, max_calls=300)

    def made(family: Family) -> int:
        for count in range(1_000):
            try:
                waited(pacers, family)
            except CallBudgetSpentError:
                return count
        raise AssertionError

    with ThreadPoolExecutor(9) as pool:
        assert sum(pool.map(made, FAMILIES * 3)) == 300


def test_a_call_that_is_refused_its_place_costs_no_call_of_the_run(clock: FakeClock) -> None:
    bulk = RateLimits(per_window=10, per_day=1, quota_percent=100, window_seconds=HOUR)
    pacers = FamilyPacers({"bulk": bulk}, clock=clock, max_calls=2)
    waited(pacers, "bulk")
    for _ in range(3):
        with pytest.raises(QuotaSpentError):
            waited(pacers, "bulk")
    assert waited(pacers, "synchronous") == 0.0


def test_stopping_ends_the_waits_of_every_family(make_client: MakeClient, clock: FakeClock) -> None:
    full = RateLimits(per_window=1, quota_percent=100, window_seconds=HOUR)
    pacers = FamilyPacers({"timeline": full, "bulk": full}, clock=clock)
    for family in ("timeline", "bulk"):
        waited(pacers, family)
    client = make_client(pacers=pacers)
    client.stop()
    for family in FAMILIES:
        with pytest.raises(StoppedError):
            call(client, family)


def test_a_family_first_called_after_the_end_is_not_called(clock: FakeClock) -> None:
    for end in (FamilyPacers.stop, FamilyPacers.close):
        pacers = FamilyPacers(clock=clock)
        end(pacers)
        with pytest.raises(StoppedError):
            pacers.of("bulk").acquire()


def test_a_family_that_is_never_called_keeps_no_log(clock: FakeClock) -> None:
    opened: list[Family] = []

    def buckets(family: Family) -> MakeBuckets:
        opened.append(family)
        return in_memory_buckets

    pacers = FamilyPacers(clock=clock, buckets=buckets)
    assert opened == ["synchronous"]
    for _ in range(2):
        waited(pacers, "timeline")
    assert opened == ["synchronous", "timeline"]


def test_a_family_called_by_many_threads_at_once_begins_once(clock: FakeClock) -> None:
    pacers = FamilyPacers(clock=clock)
    with ThreadPoolExecutor(8) as pool:
        assert len({id(pacer) for pacer in pool.map(pacers.of, ["bulk"] * 64)}) == 1
