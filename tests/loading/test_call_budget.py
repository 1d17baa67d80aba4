"""max_calls_per_run: records beyond the budget are read and not written."""

from __future__ import annotations

import pytest
from singer_messages import Message, companies, record, schema, state
from singer_runs import Tenant


def lines(count: int) -> list[Message]:
    """Records with a STATE after each 50."""
    listed = [schema()]
    for start in range(0, count, 50):
        listed += [*companies(range(start, start + 50)), state(read=start + 50)]
    return listed


def test_spent_budget_stops_writes_and_holds_state(tenant: Tenant) -> None:
    run = tenant.load(*lines(500), max_calls_per_run=7, read_group_size=250, max_concurrency=1)
    assert run.exit_code == 0
    assert tenant.count_calls().total() == 7
    held = tenant.sandbox.tenant.count("company")
    assert run.outcomes() == {"created": held}
    assert 0 < held < 500
    assert run.states[-1]["read"] <= held
    warnings = "\n".join(run.log)
    assert "max_calls_per_run (7) is reached" in warnings
    assert f"{500 - held} records not written" in warnings
    assert run.reject_lines == []


def test_next_run_continues_after_spent_budget(tenant: Tenant) -> None:
    read, runs = 0, 0
    while read < 500:
        rest = [line for line in lines(500) if line["type"] == "SCHEMA"]
        rest += lines(500)[1 + read + read // 50 :]
        settings = {"max_calls_per_run": 7, "read_group_size": 250, "max_concurrency": 1}
        run = tenant.load(*rest, **settings)
        assert run.exit_code == 0
        assert run.states, "no run may end where it began"
        read, runs = run.states[-1]["read"], runs + 1
    assert runs > 1
    assert tenant.count_names() == {f"C{number}": 1 for number in range(500)}


def test_budget_that_just_suffices_causes_no_warning(tenant: Tenant) -> None:
    run = tenant.load(*lines(100), max_calls_per_run=5, read_group_size=100)
    assert tenant.count_calls() == {"describe": 1, "query": 1 + 1, "insert": 2}
    assert run.outcomes() == {"created": 100}
    assert run.states[-1] == {"read": 100}
    assert run.log == []


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_smallest_budgets_lose_nothing(tenant: Tenant, budget: int) -> None:
    run = tenant.load(*lines(100), max_calls_per_run=budget, max_concurrency=1)
    assert run.exit_code == 0
    assert tenant.count_calls().total() == budget
    assert tenant.sandbox.tenant.count("company") == sum(run.outcomes().values())
    assert all(each["read"] <= tenant.sandbox.tenant.count("company") for each in run.states)


def test_stream_after_spent_budget_is_only_read(tenant: Tenant) -> None:
    later = [schema("later"), record("later", Name="L"), state(read=1000)]
    run = tenant.load(*lines(200), *later, max_calls_per_run=2, read_group_size=50)
    assert run.exit_code == 0
    assert run.outcomes("later") == {}
    assert {"read": 1000} not in run.states
