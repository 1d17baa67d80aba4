"""A company's parent may follow it: the child is written first and completed later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from responses import TEXT
from singer_messages import Message, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, refusal, wired

COLUMNS = {"Name": TEXT, "Industry": TEXT, "parent": TEXT}


def accounts_schema(**columns: Message) -> Message:
    return schema(columns={**COLUMNS, **columns})


def account(name: str, parent: str | None = None, **fields: Any) -> Message:
    return record(Name=name, parent=parent, **fields)


def parent_lookup(**further: Any) -> Message:
    return {"ParentCompany": {"object_name": "Company", "fields": {"parent": "Name"}, **further}}


def load_accounts(
    tenant: Tenant, *lines: Message, lookups: Message | None = None, **settings: Any
) -> TargetRun:
    return tenant.load(accounts_schema(), *lines, lookups=lookups or parent_lookup(), **settings)


def parents(tenant: Tenant) -> dict[str, str | None]:
    """By the name of each company in the tenant, the name of its parent."""
    rows = tenant.rows("company")
    names = {row["Gsid"]: row["Name"] for row in rows}
    return {
        row["Name"]: names[row["ParentCompany"]] if row["ParentCompany"] else None for row in rows
    }


def test_child_before_parent_in_same_group(tenant: Tenant) -> None:
    run = load_accounts(tenant, account("child", "parent"), account("parent"), state(done=1))
    assert run.outcomes() == {"created": 2}
    assert parents(tenant) == {"child": "parent", "parent": None}
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("mode", ["upsert", "insert"])
def test_child_groups_before_parent(tenant: Tenant, mode: str) -> None:
    lines = [account("child", "parent"), *(account(f"C{n}") for n in range(5)), account("parent")]
    run = load_accounts(tenant, *lines, read_group_size=2, sync_mode=mode)
    assert run.outcomes() == {"created": 7}
    assert parents(tenant)["child"] == "parent"
    assert tenant.sandbox.tenant.count("company") == 7


def test_chain_in_reverse_order(tenant: Tenant) -> None:
    lines = [account(f"C{n}", f"C{n + 1}" if n < 9 else None) for n in range(10)]
    run = load_accounts(tenant, *lines, read_group_size=3)
    assert run.outcomes() == {"created": 10}
    assert parents(tenant) == {f"C{n}": f"C{n + 1}" if n < 9 else None for n in range(10)}


def test_existing_parent_needs_no_second_pass(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "parent"}])
    run = load_accounts(tenant, *(account(f"C{n}", "parent") for n in range(20)))
    assert run.outcomes() == {"created": 20}
    assert tenant.count_calls() == {"describe": 1, "query": 2 + 1, "insert": 1}


def test_completion_is_sent_in_batches_of_fifty(tenant: Tenant) -> None:
    children = [account(f"C{n}", "parent") for n in range(100)]
    run = load_accounts(tenant, *children, account("parent"))
    assert run.outcomes() == {"created": 101}
    assert set(parents(tenant).values()) == {"parent", None}
    calls = tenant.count_calls()
    assert calls["insert"] == 3
    assert calls["update"] == 2
    assert calls.total() <= 10


def test_missing_parent_rejects_written_child(tenant: Tenant) -> None:
    run = load_accounts(tenant, account("child", "nobody"), account("other"))
    assert run.outcomes() == {"created": 1, "rejected": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert reject["code"] == "lookup_no_match"
    assert reject["field"] == "ParentCompany"
    assert "no row of company has Name = 'nobody'" in reject["message"]
    assert "its own row was written without it" in reject["message"]
    assert parents(tenant) == {"child": None, "other": None}


def test_leave_empty_settles_child_of_missing_parent(tenant: Tenant) -> None:
    lenient = parent_lookup(on_no_match="leave_empty")
    run = load_accounts(tenant, account("child", "nobody"), state(done=1), lookups=lenient)
    assert run.outcomes() == {"created": 1}
    assert parents(tenant) == {"child": None}
    assert run.states == [{"done": 1}]


def test_existing_child_is_completed(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "child", "Industry": "old"}, {"Name": "same"}])
    lines = [account("child", "parent", Industry="new"), account("same", "parent")]
    run = load_accounts(tenant, *lines, account("parent"))
    assert run.outcomes() == {"created": 1, "updated": 2}
    assert parents(tenant) == {"child": "parent", "same": "parent", "parent": None}


def test_second_run_writes_nothing(tenant: Tenant) -> None:
    lines = [account("child", "parent"), account("parent")]
    load_accounts(tenant, *lines)
    tenant.count_calls()
    run = load_accounts(tenant, *lines)
    assert run.outcomes() == {"unchanged": 2}
    assert tenant.count_calls() == {"describe": 1, "query": 2}


def test_state_waits_for_parent(tenant: Tenant) -> None:
    """The run is stopped before the parent comes: no state may cover the child."""
    lines = [account("other"), state(done=0), account("child", "parent"), state(done=1)]
    lines += [record(Name=None), record(Name=None), state(done=2), account("parent")]
    sent_at_once = {"read_group_size": 1, "batch_size_rows": 1, "max_concurrency": 1}
    run = load_accounts(tenant, *lines, **sent_at_once, max_rejects=1)
    assert run.exit_code == 1
    assert {"done": 1} not in run.states
    assert {"done": 2} not in run.states
    assert parents(tenant).get("child") is None


def test_waiting_records_on_disk_are_restored(tenant: Tenant) -> None:
    children = [account(f"C{n}", f"P{n % 3}", Industry=f"I{n}") for n in range(25)]
    lines = [*children, account("P0"), state(early=1), account("P1"), state(done=1)]
    run = load_accounts(tenant, *lines, read_group_size=4)
    assert run.outcomes() == {"created": 19, "rejected": 8}
    held = {row["Name"]: row["Industry"] for row in tenant.rows("company")}
    assert held == {**{f"C{n}": f"I{n}" for n in range(25)}, "P0": None, "P1": None}
    expected = {f"C{n}": None if n % 3 == 2 else f"P{n % 3}" for n in range(25)}
    assert parents(tenant) == {**expected, "P0": None, "P1": None}
    rejected = [line["record"] for line in run.rejects]
    assert rejected == [
        {"Name": f"C{n}", "parent": "P2", "Industry": f"I{n}"} for n in range(25) if n % 3 == 2
    ]
    assert run.states == [{"done": 1}]


def test_merged_records_wait_together(tenant: Tenant) -> None:
    lines = [account(f"C{n}", "nobody", Industry=i) for n in range(3) for i in ("a", "b")]
    run = load_accounts(tenant, *lines)
    assert run.outcomes() == {"rejected": 6}
    assert [line["record"]["Industry"] for line in run.rejects] == ["a", "b"] * 3
    assert {row["Industry"] for row in tenant.rows("company")} == {"b"}


def test_later_record_of_key_sets_parent(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "right"}])
    lines = [account("child", "wrong"), account("child", "right"), account("wrong")]
    run = load_accounts(tenant, *lines, read_group_size=1)
    assert run.outcomes() == {"created": 2, "updated": 1}
    assert parents(tenant) == {"right": None, "child": "right", "wrong": None}


def test_later_null_removes_parent(tenant: Tenant) -> None:
    lines = [account("child", "parent"), account("child", None), account("parent")]
    load_accounts(tenant, *lines, read_group_size=1)
    assert parents(tenant) == {"child": None, "parent": None}


def test_later_awaited_parent_wins(tenant: Tenant) -> None:
    lines = [account("child", "first"), account("child", "second")]
    lines += [account("second"), account("first")]
    run = load_accounts(tenant, *lines, read_group_size=1)
    assert run.outcomes()["created"] == 3
    assert parents(tenant)["child"] == "second"


def test_inserted_duplicates_get_their_own_parents(tenant: Tenant) -> None:
    """Under insert a later record with the same key is another row."""
    fillers = [account(f"C{n}") for n in range(100)]
    lines = [account("twin", "P1"), *fillers, account("twin", "P2"), account("P1"), account("P2")]
    run = load_accounts(tenant, *lines, sync_mode="insert", read_group_size=1, max_concurrency=1)
    assert run.outcomes() == {"created": 104}
    rows = tenant.rows("company")
    names = {row["Gsid"]: row["Name"] for row in rows}
    twins = [names.get(row["ParentCompany"]) for row in rows if row["Name"] == "twin"]
    assert twins == ["P1", "P2"]


def test_lookup_of_other_stream_keeps_child_waiting(tenant: Tenant) -> None:
    people = schema("people", {"Email": TEXT, "company": TEXT}, keys=["Email"])
    lines = [accounts_schema(), people, account("child", "parent")]
    lines += [record("people", Email="ann@x.io", company="child"), account("parent")]
    run = tenant.load(
        *lines,
        streams={
            "accounts": {"object_type": "company", "lookups": parent_lookup()},
            "people": {"object_type": "person", "company_links": {"lookup": {"company": "Name"}}},
        },
        read_group_size=1,
    )
    assert run.outcomes("people") == {"created": 1}
    assert run.outcomes() == {"created": 2}
    assert parents(tenant) == {"child": "parent", "parent": None}


def test_refused_merge_keeps_child_waiting(start_tenant: Callable[..., Tenant]) -> None:
    rule = {"object": "company", "field": "Industry", "value": "refused"}
    tenant = start_tenant(rules=[rule])
    lines = [account("child", "parent")]
    lines += [account("merged", Industry="good"), account("merged", Industry="refused")]
    lines += [*(account(f"C{n}") for n in range(120)), account("parent")]
    run = load_accounts(tenant, *lines, read_group_size=20, max_concurrency=1)
    assert run.outcomes() == {"created": 123, "rejected": 1}
    assert parents(tenant)["child"] == "parent"


def test_refused_completion_rejects_child_with_reason(tenant: Tenant) -> None:
    def refuse_updates(call: Call) -> tuple[int, Message] | None:
        return refusal("GSOBJ_1008", "no parents here") if call.method == "PUT" else None

    lines = [account("child", "parent"), account("parent"), state(done=1)]
    run = load_accounts(tenant, *lines, http=wired(refuse_updates))
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert run.codes == ["GSOBJ_1008"]
    assert "no parents here" in run.rejects[0]["gainsight_reject"]["message"]
    assert parents(tenant) == {"child": None, "parent": None}
    assert run.states == [{"done": 1}]


def test_completion_finds_row_if_gsid_keys_are_refused(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(switches={"keys_gsid_refused": True})
    run = load_accounts(tenant, account("child", "parent"), account("parent"))
    assert run.outcomes() == {"created": 2}
    assert parents(tenant)["child"] == "parent"


def test_failed_completion_is_unavailable_and_holds_state(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(faults=[{"kind": "server_error", "method": "PUT"}])
    run = load_accounts(tenant, account("child", "parent"), account("parent"), state(done=1))
    assert run.codes == ["unavailable"]
    assert run.states == []
