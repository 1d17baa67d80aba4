"""Write rules: which fields of an existing row are written, and which cause a write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from singer_messages import TEXT, Message, companies, record, schema
from singer_runs import TargetRun, Tenant

from target_gainsight.sandbox import ServerRule

CREATE, EMPTY, STAMP = {"write": "create"}, {"write": "empty"}, {"compare": False}
MODES = ["upsert", "update"]
UPDATES = "/v1/data/objects/company"
COLUMNS = dict.fromkeys(("Name", "Industry", "TickerSymbol", "Summary"), TEXT)


def load(tenant: Tenant, *lines: Message, rules: Message, **settings: Any) -> TargetRun:
    return tenant.load(schema(columns=COLUMNS), *lines, field_rules=rules, **settings)


def row_of(tenant: Tenant, name: str = "Acme", *fields: str) -> list[Any]:
    [row] = tenant.rows("company", Name=name)
    return [row[field] for field in fields or ("Industry", "TickerSymbol")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("held", "expected"), [(None, "new"), ("", "new"), ("  ", "new"), ("by hand", "by hand")]
)
def test_empty_fills_only_an_empty_field(
    tenant: Tenant, mode: str, held: str | None, expected: str
) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": "Acme", "Industry": held, "TickerSymbol": "old"}]
    )
    line = record(Name="Acme", Industry="new", TickerSymbol="new")
    run = load(tenant, line, rules={"Industry": EMPTY}, sync_mode=mode)
    assert run.outcomes() == {"updated": 1}
    assert row_of(tenant) == [expected, "new"]


@pytest.mark.parametrize("mode", MODES)
def test_create_leaves_an_existing_row_as_it_is(tenant: Tenant, mode: str) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "TickerSymbol": "old"}])
    line = record(Name="Acme", Industry="new", TickerSymbol="new")
    load(tenant, line, rules={"Industry": CREATE}, sync_mode=mode)
    assert row_of(tenant) == [None, "new"]


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP, {**EMPTY, **STAMP}])
def test_every_field_is_written_on_create(tenant: Tenant, rule: Message) -> None:
    load(tenant, record(Name="Acme", Industry="new"), rules={"Industry": rule})
    assert row_of(tenant, "Acme", "Industry") == ["new"]


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP])
@pytest.mark.parametrize("mode", MODES)
def test_difference_that_a_rule_keeps_causes_no_write(
    tenant: Tenant, rule: Message, mode: str
) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": "old"}])
    line = record(Name="Acme", Industry="new")
    assert load(tenant, line, rules={"Industry": rule}, sync_mode=mode).outcomes() == {
        "unchanged": 1
    }
    assert tenant.count_calls()["update"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_uncompared_field_is_sent_with_other_changes(tenant: Tenant, mode: str) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": "Acme", "Industry": "a", "TickerSymbol": "monday"}]
    )
    line = record(Name="Acme", Industry="b", TickerSymbol="tuesday")
    load(tenant, line, rules={"TickerSymbol": STAMP}, sync_mode=mode)
    assert row_of(tenant) == ["b", "tuesday"]


def test_nightly_load_with_a_stamp_writes_nothing(tenant: Tenant) -> None:
    numbers = range(10_000)
    rows = [{"Name": f"C{n}", "Industry": "a", "TickerSymbol": "monday"} for n in numbers]
    tenant.sandbox.tenant.seed("company", rows)
    lines = companies(numbers, Industry="a", TickerSymbol="tuesday")
    run = load(tenant, *lines, rules={"TickerSymbol": STAMP})
    assert run.outcomes() == {"unchanged": 10_000}
    assert tenant.count_calls() == {"describe": 1, "query": 5}


@pytest.mark.parametrize("group", [1, 10])
@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        (EMPTY, ("a", "b"), "a"),
        (EMPTY, (None, "b", "c"), "b"),
        (EMPTY, ("a", None), "a"),
        (CREATE, ("a", "b"), "a"),
        (CREATE, (None, "b"), None),
        ({"write": "always"}, ("a", "b"), "b"),
    ],
)
def test_rules_hold_among_records_of_one_key(
    tenant: Tenant, group: int, rule: Message, values: Iterable[str | None], expected: str | None
) -> None:
    lines = [record(Name="Acme", Industry=value) for value in values]
    load(tenant, *lines, rules={"Industry": rule}, read_group_size=group)
    assert row_of(tenant, "Acme", "Industry") == [expected]


@pytest.mark.parametrize("group", [1, 10])
def test_create_rule_ignores_field_of_later_record(tenant: Tenant, group: int) -> None:
    lines = [record(Name="Acme", Industry="a"), record(Name="Acme", TickerSymbol="late")]
    load(tenant, *lines, rules={"TickerSymbol": CREATE}, read_group_size=group)
    assert row_of(tenant) == ["a", None]


def test_refused_merge_is_split_and_the_rules_still_hold(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(ServerRule("company", "Summary", "poison"))
    lines = [record(Name="Acme", Industry="a"), record(Name="Acme", Industry="b", Summary="poison")]
    run = load(tenant, *lines, rules={"Industry": EMPTY})
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert row_of(tenant, "Acme", "Industry") == ["a"]
