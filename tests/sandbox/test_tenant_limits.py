"""Section 2: limits, in fixed windows of the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, get_args

import pytest
from tenant_api import Api, Clock, OpenTenant

from target_gainsight.sandbox.answers import Answer
from target_gainsight.sandbox.config.limits import Family
from target_gainsight.sandbox.server.app import make_app
from target_gainsight.sandbox.server.routes import ServedCall
from target_gainsight.sandbox.server.server import ServerThread

StatusesOf: TypeAlias = Callable[..., tuple[Clock, Callable[[Family, int], list[int]]]]


def _statuses(api: Api, count: int) -> list[int]:
    return [api.query("company", select=["Name"]).status_code for _ in range(count)]


def test_exactly_hundred_calls_a_minute_are_allowed(api: Api) -> None:
    assert _statuses(api, 101) == [200] * 100 + [429]


def test_throttled_call_is_429_gu_2400(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1})
    api.query("company", select=["Name"])
    answer = api.insert("Company", {"Name": "Acme"})
    assert answer.status_code == 429
    assert answer.json()["errorCode"] == "GU_2400"
    assert answer.json()["errorDesc"] == "Too many request"
    assert answer.json()["result"] is False
    assert "retry-after" not in answer.headers
    assert api.tenant.count("company") == 0


def test_window_is_a_clock_minute(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 2})
    api.clock.now = 1_780_000_019.0 // 60 * 60 + 59
    assert _statuses(api, 3) == [200, 200, 429]
    api.clock.now += 0.999
    assert _statuses(api, 1) == [429]
    api.clock.now += 0.001
    assert _statuses(api, 3) == [200, 200, 429]


def test_length_of_minute_is_configurable(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1, "minute_seconds": 0.5})
    api.clock.now = 1000.0
    assert _statuses(api, 2) == [200, 429]
    api.clock.now = 1000.5
    assert _statuses(api, 2) == [200, 429]


def test_day_is_a_utc_day(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 0, "calls_per_day": 3})
    midnight = 1_780_012_800.0
    assert midnight % 86_400 == 0
    api.clock.now = midnight - 1
    assert _statuses(api, 4) == [200, 200, 200, 429]
    api.clock.now = midnight
    assert _statuses(api, 1) == [200]


def test_synchronous_families_share_one_count(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 3})
    assert api.person(Email="a@b.example").status_code == 200
    assert api.call("GET", "/v1/meta/services/objects/list").status_code == 200
    assert api.insert("Company", {"Name": "Acme"}).status_code == 200
    assert api.query("company", select=["Name"]).status_code == 429


def test_refused_record_costs_a_call_and_throttled_call_none(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 2, "calls_per_day": 3})
    assert api.insert("Company", {"Wrong": 1}).status_code == 400
    assert _statuses(api, 3) == [200, 429, 429]
    api.clock.now += 60
    assert _statuses(api, 2) == [200, 429]
    assert api.tenant.counter.used("synchronous", "day", api.clock.now) == 3


def test_daily_count_survives_restart(open_tenant: OpenTenant) -> None:
    first = open_tenant(limits={"calls_per_day": 3})
    assert _statuses(first, 2) == [200, 200]
    first.running.stop()
    again = open_tenant(limits={"calls_per_day": 3}, clock=first.clock)
    assert _statuses(again, 2) == [200, 429]


def test_zero_is_unlimited(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 0, "calls_per_day": 0})
    assert set(_statuses(api, 120)) == {200}


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [
        ("gu_429", 429, "GU_2400"),
        ("apig_429", 429, "GS_APIG_2404"),
        ("gu_200", 200, "GU_2400"),
        ("apig_200", 200, "GS_APIG_2404"),
    ],
)
def test_code_and_status_of_throttling_are_switches(
    open_tenant: OpenTenant, switch: str, status: int, code: str
) -> None:
    api = open_tenant(limits={"calls_per_minute": 1}, switches={"throttle_answer": switch})
    api.query("company", select=["Name"])
    answer = api.query("company", select=["Name"])
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.json()["result"] is False


def test_retry_after_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1}, switches={"throttle_retry_after": True})
    api.clock.now = 1_780_000_020.0 // 60 * 60 + 48
    api.query("company", select=["Name"])
    assert api.query("company", select=["Name"]).headers["retry-after"] == "12"


def test_fifty_records_a_write(api: Api) -> None:
    records = [{"Name": f"C{number}"} for number in range(51)]
    assert api.insert("Company", *records[:50]).status_code == 200
    refused = api.insert("Company", *records)
    assert refused.status_code == 400
    assert refused.json()["errorCode"] == "GSOBJ_1008"
    assert "50" in refused.json()["errorDesc"]
    assert api.update("Company", "Name", *records).status_code == 400
    assert api.tenant.count("company") == 50


def test_five_thousand_rows_a_read(api: Api) -> None:
    api.tenant.seed("company", ({"Name": f"C{number}"} for number in range(5_010)))
    assert len(api.found("company", ["Name"], limit=5_000)) == 5_000
    refused = api.query("company", select=["Name"], limit=5_001)
    assert refused.status_code == 400
    assert "5000" in refused.json()["errorDesc"]


def test_three_keys(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "Employees": 1, "Industry": "x", "TickerSymbol": "T"})
    record = {"Name": "A", "Employees": 1, "Industry": "x", "TickerSymbol": "T", "ARR": 1}
    assert api.update("Company", "Name,Employees,Industry", record).status_code == 200
    refused = api.update("Company", "Name,Employees,Industry,TickerSymbol", record)
    assert refused.status_code == 400
    assert "3 keys" in refused.json()["errorDesc"]


@pytest.fixture
def statuses_of(open_tenant: OpenTenant) -> Iterator[StatusesOf]:
    """Call each endpoint family of a tenant; keywords are its limits."""
    servers: list[ServerThread] = []

    def open_families(**limits: float) -> tuple[Clock, Callable[[Family, int], list[int]]]:
        api = open_tenant(limits=limits)
        calls = [
            ServedCall("POST", f"/{family}", family, lambda *_: Answer(), family=family)
            for family in get_args(Family)
        ]
        servers.append(ServerThread(make_app(api.tenant, calls), 0))
        url = f"http://127.0.0.1:{servers[-1].port}"

        def statuses(family: Family, count: int) -> list[int]:
            answers = (api.session.post(f"{url}/{family}", timeout=60) for _ in range(count))
            return [answer.status_code for answer in answers]

        return api.clock, statuses

    yield open_families
    for server in servers:
        server.stop()


def test_each_family_has_limits_of_its_own(statuses_of: StatusesOf) -> None:
    _, statuses = statuses_of()
    assert statuses("bulk", 11) == [200] * 10 + [429]
    assert statuses("timeline", 201) == [200] * 200 + [429]
    assert statuses("synchronous", 101) == [200] * 100 + [429]


def test_timeline_call_counts_per_minute_only(statuses_of: StatusesOf) -> None:
    clock, statuses = statuses_of(timeline_calls_per_minute=2, calls_per_day=3)
    for _ in range(3):
        assert statuses("timeline", 3) == [200, 200, 429]
        clock.now += 60


def test_upload_counts_per_clock_hour_and_utc_day(statuses_of: StatusesOf) -> None:
    clock, statuses = statuses_of(bulk_calls_per_hour=2, bulk_calls_per_day=3)
    clock.now = 1_780_012_800.0 + 10 * 3_600 + 3_599
    assert statuses("bulk", 3) == [200, 200, 429]
    clock.now += 1
    assert statuses("bulk", 2) == [200, 429]
    clock.now += 13 * 3_600 - 1
    assert statuses("bulk", 1) == [429]
    clock.now += 1
    assert statuses("bulk", 3) == [200, 200, 429]


def test_length_of_hour_is_configurable(statuses_of: StatusesOf) -> None:
    clock, statuses = statuses_of(bulk_calls_per_hour=1, hour_seconds=0.5)
    clock.now = 1000.0
    assert statuses("bulk", 2) == [200, 429]
    clock.now = 1000.5
    assert statuses("bulk", 2) == [200, 429]


def test_zero_is_unlimited_in_every_family(statuses_of: StatusesOf) -> None:
    _, statuses = statuses_of(
        timeline_calls_per_minute=0, bulk_calls_per_hour=0, bulk_calls_per_day=0
    )
    assert set(statuses("timeline", 210) + statuses("bulk", 110)) == {200}
