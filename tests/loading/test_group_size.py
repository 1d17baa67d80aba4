"""Reads of mostly unchanged streams grow to nearly 5,000 rows a call, and fall back otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from singer_messages import companies, record, schema
from singer_runs import Tenant

from target_gainsight.sandbox import Fault

UNCHANGED_GROUPS = [1000, 1000, 2000, 4000, 4999, 4999]


def rows_read(tenant: Tenant) -> list[int]:
    """Number of rows that each query returned."""
    rows = [call.records for call in tenant.sandbox.tenant.calls() if call.kind == "query"]
    tenant.sandbox.tenant.reset_calls()
    return rows


def seed(tenant: Tenant, count: int) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": f"C{n}", "Industry": "old"} for n in range(count)]
    )


@pytest.fixture
def full(tenant: Tenant) -> Tenant:
    seed(tenant, 12_000)
    return tenant


def test_groups_double_while_rows_are_unchanged(tenant: Tenant) -> None:
    seed(tenant, sum(UNCHANGED_GROUPS))
    lines = companies(range(sum(UNCHANGED_GROUPS)), Industry="old")
    run = tenant.load(schema(), *lines)
    assert run.outcomes() == {"unchanged": sum(UNCHANGED_GROUPS)}
    assert rows_read(tenant) == UNCHANGED_GROUPS


def test_groups_stay_small_if_over_ten_percent_change(full: Tenant) -> None:
    lines = [record(Name=f"C{n}", Industry="old" if n % 9 else "new") for n in range(4_000)]
    full.load(schema(), *lines, read_group_size=500)
    assert rows_read(full) == [500] * 8


def test_groups_fall_back_when_rows_begin_to_change(full: Tenant) -> None:
    lines = [record(Name=f"C{n}", Industry="old" if n < 50 else "new") for n in range(190)]
    run = full.load(schema(), *lines, read_group_size=10)
    assert run.outcomes() == {"unchanged": 50, "updated": 140}
    assert rows_read(full) == [10, 10, 20, 40, 80, 10, 10, 10]


def test_twin_rows_are_read_page_by_page(tenant: Tenant) -> None:
    """The twins differ, so that only their order decides which one is updated."""
    twins = [
        {"Name": f"T{n}", "Industry": f"held {place}"} for n in range(2_000) for place in "abc"
    ]
    tenant.sandbox.tenant.seed("company", twins)
    lines = [record(Name=f"T{n}", Industry="new") for n in range(2_000)]
    run = tenant.load(schema(), *lines, read_group_size=4999, multi_match="first")
    assert run.outcomes() == {"updated": 2_000}
    assert rows_read(tenant) == [5_000, 1_000]
    for n in (0, 999, 1_999):
        rows = sorted(tenant.rows("company", Name=f"T{n}"), key=lambda row: row["Gsid"])
        assert [row["Industry"] == "new" for row in rows] == [True, False, False]


def test_refused_large_queries_shrink_groups(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"query_max_values": 1_500})
    seed(tenant, 9_000)
    run = tenant.load(schema(), *companies(range(9_000), Industry="old"))
    assert run.outcomes() == {"unchanged": 9_000}
    assert max(rows_read(tenant)) == 1_000


def test_group_sizes_do_not_depend_on_latency(full: Tenant) -> None:
    changed = {n for n in range(3_000) if n // 200 % 3 == 1}
    sizes = set()
    for number in range(3):
        lines = [
            record(Name=f"C{n}", Employees=number if n in changed else None) for n in range(3_000)
        ]
        full.load(schema(), *lines, read_group_size=10)
        sizes.add(tuple(sorted(rows_read(full))))
        full.sandbox.tenant.faults.clear()
        full.sandbox.tenant.faults.add(Fault("latency", path="/v1/data/*", seconds=(0.0, 0.01)))
    assert len(sizes) == 1
    assert len(set(sizes.pop())) > 5
