"""Errors that stop a run, errors that do not, and the state that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from late_calls import AlarmClock
from responses import RESPONSES, load_responses, response
from singer_messages import Message, companies, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, refusal, wired

from target_gainsight.sandbox import Fault, ServerRule

BAD = ServerRule("company", "Industry", "bad")


def with_states(lines: Iterable[Message], every: int = 1) -> list[Message]:
    """Put a STATE that counts the records after every n-th of them."""
    counted: list[Message] = [schema()]
    for number, line in enumerate(lines, start=1):
        counted.append(line)
        if number % every == 0:
            counted.append(state(read=number))
    return counted


def some_bad(count: int, bad: int) -> list[Message]:
    """Records of which the first ones are refused."""
    return [record(Name=f"C{n}", Industry="bad" if n < bad else "fine") for n in range(count)]


@pytest.fixture
def unavailable(tenant: Tenant, clock: AlarmClock) -> Callable[[str, float], None]:
    """Let the calls of a method for records fail for some seconds from now."""

    def fail(method: str, seconds: float) -> None:
        tenant.sandbox.tenant.faults.add(Fault("unavailable", method=method, path="/v1/data/*"))
        clock.at(clock.now() + seconds, tenant.sandbox.tenant.faults.clear)

    return fail


def load_through_an_outage(
    tenant: Tenant, unavailable: Callable[[str, float], None], **settings: Any
) -> TargetRun:
    """Update 150 companies while the tenant is down for the retries of the first batch."""
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(150)])
    unavailable("PUT", 31)
    return tenant.load(
        *with_states(companies(range(150), Employees=1), every=50),
        max_retry_seconds=30,
        max_concurrency=1,
        **settings,
    )


def test_unavailable_batch_is_held_back_until_later_success(
    tenant: Tenant, unavailable: Callable[[str, float], None]
) -> None:
    run = load_through_an_outage(tenant, unavailable, read_group_size=50)
    assert run.outcomes() == {"updated": 100, "rejected": 50}
    assert set(run.codes) == {"unavailable"}
    assert [reject["record"]["Name"] for reject in run.rejects] == [f"C{n}" for n in range(50)]
    assert run.states[-1] == {"read": 150}
    assert (run.exit_code, "50 records rejected" in run.log[-1]) == (0, True)


def test_rejects_without_a_call_do_not_show_that_the_tenant_is_available(
    start_tenant: Callable[..., Tenant],
) -> None:
    down = {"kind": "unavailable", "method": "POST", "path": "/v1/data/objects/Response__gc"}
    tenant = start_tenant(**RESPONSES, faults=[down])
    tenant.sandbox.tenant.seed("company", [{"Name": "Initech"}])
    lines = [response(f"r{n}", "Initech" if n % 2 == 0 else "Hooli") for n in range(20)]
    run = load_responses(
        tenant,
        [message for n, line in enumerate(lines) for message in (line, state(read=n + 1))],
        max_retry_seconds=30,
        max_concurrency=1,
        read_group_size=1,
        batch_size_rows=1,
    )
    assert run.exit_code == 1
    assert "3 batches in a row" in run.error
    assert run.states == []


def test_three_unavailable_batches_in_a_row_stop_run(
    tenant: Tenant, unavailable: Callable[[str, float], None]
) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(400)])
    unavailable("PUT", 100_000)
    lines = [*companies(range(50)), *companies(range(50, 400), Employees=1)]
    run = tenant.load(
        *with_states(lines, every=50), max_retry_seconds=30, max_concurrency=1, read_group_size=50
    )
    assert run.exit_code == 1
    assert run.states == [{"read": 50}]
    assert "3 batches in a row" in run.log[-1]
    assert run.outcomes()["unchanged"] == 50
    assert "updated" not in run.outcomes()


def test_unavailable_reads_hold_groups_back(
    tenant: Tenant, unavailable: Callable[[str, float], None]
) -> None:
    unavailable("POST", 31)
    run = tenant.load(
        *with_states(companies(range(100)), every=50), max_retry_seconds=30, read_group_size=50
    )
    assert run.outcomes() == {"created": 50, "rejected": 50}
    assert set(run.codes) == {"unavailable"}
    assert run.states[-1] == {"read": 100}


@pytest.mark.parametrize(
    ("code", "status", "advice"),
    [("GS_APIG_2401", 401, "access_key"), ("GS_APIG_2402", 403, "IP address")],
)
def test_access_lost_during_run_stops_with_covered_state(
    tenant: Tenant, code: str, status: int, advice: str
) -> None:
    refused = []

    def deny_after_a_batch(call: Call) -> tuple[int, Message] | None:
        if tenant.sandbox.tenant.count("company") != 50:
            return None
        refused.append(call)
        return refusal(code, "no", status=status)

    run = tenant.load(
        *with_states(companies(range(200)), every=50),
        http=wired(deny_after_a_batch),
        max_concurrency=1,
        read_group_size=50,
    )
    assert run.exit_code == 1
    assert run.states[-1] == {"read": 50}
    assert run.outcomes() == {"created": 50}
    assert len(refused) <= 2
    assert advice in run.log[-1]


@pytest.mark.parametrize("answer", ["gu_429", "apig_429", "gu_200", "apig_200"])
def test_throttled_call_waits_for_next_window(
    start_tenant: Callable[..., Tenant], answer: str
) -> None:
    limits = {"calls_per_minute": 10, "calls_per_day": 0}
    tenant = start_tenant(limits=limits, switches={"throttle_answer": answer})
    run = tenant.load(*with_states(companies(range(2000)), every=1000))
    assert run.outcomes() == {"created": 2000}
    assert tenant.count_names() == {f"C{n}": 1 for n in range(2000)}
    assert run.summary["calls"]["throttled"] > 0
    assert run.states[-1] == {"read": 2000}


def test_allowed_rate_is_kept_without_refusals(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(limits={"calls_per_minute": 20, "calls_per_day": 0})
    run = tenant.load(schema(), *companies(range(3000)), calls_per_minute=20)
    assert run.outcomes() == {"created": 3000}
    assert run.summary["calls"]["throttled"] == 0


def test_spent_day_stops_run_with_covered_state(tenant: Tenant) -> None:
    run = tenant.load(
        *with_states(companies(range(1000)), every=50),
        calls_per_day=10,
        quota_percent=100,
        max_concurrency=1,
        read_group_size=50,
        near_matches="ignore",
    )
    assert run.exit_code == 1
    assert run.states[-1] == {"read": tenant.sandbox.tenant.count("company")}
    assert "renewed at 2026-01-02" in run.log[-1]


def test_more_rejects_than_max_rejects_stop_run(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    run = tenant.load(
        *with_states(some_bad(500, 4), every=50),
        max_rejects=3,
        max_concurrency=1,
        read_group_size=50,
    )
    assert run.exit_code == 1
    assert run.states[-1] == {"read": 50}
    assert "more than max_rejects (3) allows; the run stops" in run.log[-1]
    assert str(run.target.session.ledger.rejects.path) in run.log[-1]
    assert tenant.sandbox.tenant.count("company") < 200


def test_max_rejects_itself_does_not_stop_run(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    run = tenant.load(schema(), *some_bad(100, 3), max_rejects=3)
    assert (run.exit_code, run.outcomes()) == (0, {"created": 97, "rejected": 3})
    assert "3 records rejected" in run.log[-1]
    assert str(run.target.session.ledger.rejects.path) in run.log[-1]


@pytest.mark.parametrize(("count", "bad", "exit_code"), [(100, 99, 0), (101, 11, 1), (110, 11, 0)])
def test_reject_percentage_counts_after_hundred_records(
    tenant: Tenant, count: int, bad: int, exit_code: int
) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    lines = some_bad(count, bad)
    run = tenant.load(*with_states(lines, every=count), max_reject_percent=10)
    assert run.exit_code == exit_code
    assert run.outcomes()["rejected"] == bad
    assert run.states == [{"read": count}]


def test_unavailable_records_trip_no_reject_limit(
    tenant: Tenant, unavailable: Callable[[str, float], None]
) -> None:
    run = load_through_an_outage(
        tenant, unavailable, read_group_size=150, max_rejects=1, max_reject_percent=1
    )
    assert (run.exit_code, run.outcomes()) == (0, {"updated": 100, "rejected": 50})
