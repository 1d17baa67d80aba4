"""A child is completed soon after its parent arrives, and the state moves on with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from responses import TEXT
from singer_messages import Message, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, wired

NUMBER = {"type": ["integer", "null"]}
COLUMNS = {"Name": TEXT, "Industry": TEXT, "TickerSymbol": TEXT, "parent": TEXT}
ACCOUNTS = schema(columns=COLUMNS)
examples = count()


def account(name: str, parent: str | None = None, **fields: Any) -> Message:
    return record(Name=name, parent=parent, **fields)


def parent_lookup(field: str = "Name", **further: Any) -> Message:
    return {"ParentCompany": {"object_name": "Company", "fields": {"parent": field}, **further}}


def load(tenant: Tenant, lines: Sequence[Message], **settings: Any) -> TargetRun:
    return tenant.load(ACCOUNTS, *lines, **{"lookups": parent_lookup(), **settings})


def parents(tenant: Tenant, field: str = "Name") -> dict[Any, Any]:
    """By the name of each company in the tenant, the name of its parent."""
    rows = tenant.rows("company")
    names = {row["Gsid"]: row[field] for row in rows}
    return {row[field]: names.get(row["ParentCompany"]) for row in rows}


def with_states(lines: Sequence[Message], every: int) -> list[Message]:
    """Put a STATE with the number of records read after every few records."""
    listed = []
    for number, line in enumerate(lines, start=1):
        listed.append(line)
        if number % every == 0:
            listed.append(state(read=number))
    return listed


def test_state_passes_completed_child_early(tenant: Tenant) -> None:
    """One completion fills no batch: it is sent when it has waited long enough."""
    later = [account(f"C{number}") for number in range(5_000)]
    lines = with_states([account("child", "parent"), account("parent"), *later], every=2)
    run = load(tenant, lines, max_batch_age_seconds=30, calls_per_minute=20, max_concurrency=1)
    assert run.outcomes() == {"created": 5_002}
    assert parents(tenant)["child"] == "parent"
    assert run.states[0]["read"] < 5_000
    assert run.states[-1] == {"read": 5_002}
    assert tenant.count_calls()["update"] == 1


def test_thousand_waiting_records_are_completed_early(tenant: Tenant) -> None:
    children = [account(f"child {number}", "parent") for number in range(1000)]
    later = [account(f"C{number}") for number in range(2000)]
    lines = with_states([*children[:900], account("parent"), *children[900:], *later], every=100)
    run = load(tenant, lines, read_group_size=250, max_concurrency=1)
    assert run.outcomes() == {"created": 3001}
    assert set(parents(tenant).values()) == {"parent", None}
    assert run.states[0]["read"] < 3000


def test_child_without_parent_holds_back_state(tenant: Tenant) -> None:
    children = [account(f"child {number}", "parent") for number in range(50)]
    later = [account(f"C{number}") for number in range(500)]
    lines = with_states([account("lost", "nobody"), *children, account("parent"), *later], every=52)
    run = load(tenant, lines, read_group_size=100)
    assert run.codes == ["lookup_no_match"]
    assert [each["read"] for each in run.states] == [520]


def test_child_of_rejected_parent_names_it(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(rules=[{"object": "company", "field": "Industry", "value": "refused"}])
    lines = [account("child", "parent"), account("parent", Industry="refused")]
    run = load(tenant, lines, read_group_size=1)
    assert run.outcomes() == {"rejected": 2}
    assert tenant.count_names() == {"child": 1}
    child = next(line for line in run.rejects if line["record"]["Name"] == "child")
    assert "its parent was rejected in this run" in child["gainsight_reject"]["hint"]


def test_parent_re_sent_after_rejection_completes_children(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(rules=[{"object": "company", "field": "Industry", "value": "refused"}])
    lines = [account("child", "parent"), account("parent", Industry="refused"), account("parent")]
    run = load(tenant, lines, read_group_size=1)
    assert run.outcomes() == {"created": 2, "rejected": 1}
    assert parents(tenant) == {"child": "parent", "parent": None}


def test_parent_split_from_refused_merge_completes_children(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(rules=[{"object": "company", "field": "Industry", "value": "refused"}])
    lines = [account("child", "parent"), account("parent"), account("parent", Industry="refused")]
    run = load(tenant, lines)
    assert run.outcomes() == {"created": 2, "rejected": 1}
    assert parents(tenant) == {"child": "parent", "parent": None}


def two_of_a_name() -> list[Message]:
    lines = [account("child", "parent", TickerSymbol="c")]
    return [*lines, *(account("parent", TickerSymbol=f"p{n}") for n in range(2))]


def test_possibly_ambiguous_parents_are_not_guessed(tenant: Tenant) -> None:
    run = load(tenant, two_of_a_name(), lookup_keys="TickerSymbol", read_group_size=1)
    assert run.codes == ["lookup_multi_match"]
    assert parents(tenant, "TickerSymbol") == {"c": None, "p0": None, "p1": None}


def test_inserted_duplicates_are_not_guessed(tenant: Tenant) -> None:
    lines = [account("child", "parent"), account("parent"), account("parent")]
    run = load(tenant, lines, sync_mode="insert", read_group_size=1)
    assert run.codes == ["lookup_multi_match"]


def test_first_of_several_parents_has_lowest_gsid(tenant: Tenant) -> None:
    lookups = parent_lookup(multi_match="first")
    keys = {"lookup_keys": "TickerSymbol", "read_group_size": 1, "lookups": lookups}
    run = load(tenant, two_of_a_name(), **keys)
    assert run.outcomes() == {"created": 3}
    rows = sorted(tenant.rows("company", Name="parent"), key=lambda row: row["Gsid"])
    assert parents(tenant, "TickerSymbol")["c"] == rows[0]["TickerSymbol"]
    assert tenant.count_calls()["query"] == 2 + 3 + 1


def test_merged_record_sets_final_parent(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "right"}])
    lines = [account("child", "wrong"), account("other")]
    lines += [account("child", "right"), account("child", "right", Industry="b"), account("wrong")]
    run = load(tenant, lines, read_group_size=2)
    assert run.outcomes() == {"created": 3, "updated": 1, "merged": 1}
    assert parents(tenant)["child"] == "right"


@pytest.mark.parametrize(("null_values", "parent"), [("send", None), ("omit", "parent")])
def test_later_null_clears_parent_only_if_nulls_are_sent(
    tenant: Tenant, null_values: str, parent: str | None
) -> None:
    lines = [account("child", "parent"), account("child", Industry="a"), account("parent")]
    load(tenant, lines, read_group_size=1, null_values=null_values)
    assert parents(tenant)["child"] == parent


def test_children_whose_gsid_is_unknown_are_completed_by_key(tenant: Tenant) -> None:
    def count_only(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind == "insert":
            envelope["data"] = {"count": envelope["data"]["count"]}
        return status, envelope

    load(tenant, [account("known", Industry="Retail")])
    lines = [account("known", "parent"), account("new", "parent"), account("parent")]
    run = load(tenant, lines, http=wired(after=count_only))
    assert run.outcomes() == {"created": 2, "updated": 1}
    refused = [call for call in tenant.sandbox.tenant.calls() if call.status != 200]
    assert refused == []
    assert parents(tenant) == {"known": "parent", "new": "parent", "parent": None}


def test_company_may_be_its_own_parent(tenant: Tenant) -> None:
    run = load(tenant, [account("own", "own"), state(done=1)])
    assert run.outcomes() == {"created": 1}
    assert parents(tenant) == {"own": "own"}
    assert run.states == [{"done": 1}]


def test_numbers_equal_in_python_are_distinct_parents(tenant: Tenant) -> None:
    """Python's hash of -1 is that of -2."""
    columns = schema(columns={"Name": TEXT, "Employees": NUMBER, "parent": NUMBER})
    numbers = [(10, -1), (11, -2), (-2, None), (-1, None)]
    lines = [record(Name="x", Employees=own, parent=parent) for own, parent in numbers]
    lookups = parent_lookup("Employees")
    keys = {"lookup_keys": "Employees", "lookups": lookups, "read_group_size": 1}
    run = tenant.load(columns, *lines, **keys)
    assert run.outcomes() == {"created": 4}
    assert parents(tenant, "Employees") == dict(numbers)
    assert tenant.count_calls()["query"] == 3 + 4


def test_dry_run_predicts_calls(tenant: Tenant) -> None:
    lines = [account(f"C{n}", f"C{n + 1}") for n in range(149)] + [account("C149")]
    plan = load(tenant, lines, read_group_size=30, dry_run=True)
    assert plan.states == []
    foreseen = plan.target.session.plan.cost(plan.target.summary)["by_kind"]
    tenant.count_calls()
    run = load(tenant, lines, read_group_size=30)
    assert run.outcomes() == plan.outcomes() == {"created": 150}
    assert tenant.count_calls() == foreseen


def reversed_chain(length: int) -> list[Message]:
    return [account(f"C{n}", f"C{n + 1}" if n + 1 < length else None) for n in range(length)]


@pytest.mark.parametrize("budget", [3, 6, 11])
def test_interrupted_runs_lose_and_duplicate_nothing(tenant: Tenant, budget: int) -> None:
    """Each run makes a few calls only; the next goes on from the last state."""
    lines, read = reversed_chain(40), 0
    few = {"read_group_size": 4, "batch_size_rows": 4, "max_concurrency": 1}
    for _ in range(60):
        rest = [
            {**line, "value": {"read": line["value"]["read"] + read}} if "value" in line else line
            for line in with_states(lines[read:], every=1)
        ]
        run = load(tenant, rest, max_calls_per_run=budget, **few)
        read = run.states[-1]["read"] if run.states else read
        budget += 1
        if read == len(lines):
            break
    assert read == len(lines)
    assert set(tenant.count_names().values()) == {1}
    expected = {f"C{n}": f"C{n + 1}" if n < 39 else None for n in range(40)}
    assert parents(tenant) == expected


def a_forest(chance: Random, named: str) -> tuple[list[Message], dict[str, str | None], int]:
    """Records in any order, some of them repeated with another parent or none.

    Returns:
        The records; the final parent of each name; the number of missing parents.
    """
    names = [f"{named} {number}" for number in range(chance.randint(1, 30))]
    records = [(name, chance.choice([*names[:place], None])) for place, name in enumerate(names)]
    again = chance.choices(names, k=chance.randint(0, 8))
    records += [(name, chance.choice([*names, None])) for name in again]
    chance.shuffle(records)
    lost = [(f"{named} lost {number}", f"{named} nobody") for number in range(chance.randint(0, 3))]
    for each in lost:
        records.insert(chance.randint(0, len(records)), each)
    expected = {**dict(records), **{name: None for name, _ in lost}}
    return [account(*each) for each in records], expected, len(lost)


@given(
    st.randoms(use_true_random=False),
    st.integers(1, 12),
    st.integers(1, 6),
    st.sampled_from([1, 8]),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_children_get_parents_in_any_order(
    tenant: Tenant, chance: Random, group: int, batch: int, concurrency: int
) -> None:
    """Every record has one outcome; a second one would end the run."""
    lines, expected, lost = a_forest(chance, f"example {next(examples)}")
    sizes = {"read_group_size": group, "batch_size_rows": batch, "max_concurrency": concurrency}
    run = load(tenant, [*lines, state(done=1)], **sizes)
    assert run.exit_code == (1 if lost == len(lines) else 0)
    found = {name: each for name, each in parents(tenant).items() if name in expected}
    assert found == expected
    outcomes = Counter(run.outcomes())
    assert outcomes.total() == len(lines)
    assert outcomes["rejected"] == lost
    assert {count for name, count in tenant.count_names().items() if name in expected} == {1}
    assert run.states == [{"done": 1}]
