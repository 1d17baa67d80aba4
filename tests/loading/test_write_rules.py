"""Write rules: which fields of an existing row are written, and which cause a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_messages import TEXT, record, schema
from tenant_runs import companies

from target_gainsight.sandbox import ServerRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_messages import Message
    from tenant_runs import Loading, LoadRun

CREATE, EMPTY, STAMP = {"write": "create"}, {"write": "empty"}, {"compare": False}
MODES = ["upsert", "update"]
UPDATES = "/v1/data/objects/company"
COLUMNS = dict.fromkeys(("Name", "Industry", "TickerSymbol", "Summary"), TEXT)


def load(loading: Loading, *lines: Message, rules: Message, **settings: Any) -> LoadRun:
    return loading.load([schema(columns=COLUMNS), *lines], field_rules=rules, **settings)


def row_of(loading: Loading, name: str = "Acme", *fields: str) -> list[Any]:
    [row] = loading.tenant.rows("company", Name=name)
    return [row[field] for field in fields or ("Industry", "TickerSymbol")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("held", "expected"), [(None, "new"), ("", "new"), ("  ", "new"), ("by hand", "by hand")]
)
def test_empty_fills_only_an_empty_field(
    loading: Loading, mode: str, held: str | None, expected: str
) -> None:
    loading.tenant.seed("company", [{"Name": "Acme", "Industry": held, "TickerSymbol": "old"}])
    line = record(Name="Acme", Industry="new", TickerSymbol="new")
    run = load(loading, line, rules={"Industry": EMPTY}, sync_mode=mode)
    assert run.outcomes() == {"updated": 1}
    assert row_of(loading) == [expected, "new"]


@pytest.mark.parametrize("mode", MODES)
def test_create_leaves_an_existing_row_as_it_is(loading: Loading, mode: str) -> None:
    loading.tenant.seed("company", [{"Name": "Acme", "TickerSymbol": "old"}])
    line = record(Name="Acme", Industry="new", TickerSymbol="new")
    load(loading, line, rules={"Industry": CREATE}, sync_mode=mode)
    assert row_of(loading) == [None, "new"]


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP, {**EMPTY, **STAMP}])
def test_every_field_is_written_on_create(loading: Loading, rule: Message) -> None:
    load(loading, record(Name="Acme", Industry="new"), rules={"Industry": rule})
    assert row_of(loading, "Acme", "Industry") == ["new"]


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP])
@pytest.mark.parametrize("mode", MODES)
def test_difference_that_a_rule_keeps_causes_no_write(
    loading: Loading, rule: Message, mode: str
) -> None:
    loading.tenant.seed("company", [{"Name": "Acme", "Industry": "old"}])
    line = record(Name="Acme", Industry="new")
    assert load(loading, line, rules={"Industry": rule}, sync_mode=mode).outcomes() == {
        "unchanged": 1
    }
    assert loading.calls()["update"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_uncompared_field_is_written_along(loading: Loading, mode: str) -> None:
    loading.tenant.seed("company", [{"Name": "Acme", "Industry": "a", "TickerSymbol": "monday"}])
    line = record(Name="Acme", Industry="b", TickerSymbol="tuesday")
    load(loading, line, rules={"TickerSymbol": STAMP}, sync_mode=mode)
    assert row_of(loading) == ["b", "tuesday"]


def test_nightly_load_with_a_stamp_writes_nothing(loading: Loading) -> None:
    numbers = range(10_000)
    rows = [{"Name": f"C{n}", "Industry": "a", "TickerSymbol": "monday"} for n in numbers]
    loading.tenant.seed("company", rows)
    lines = companies(numbers, Industry="a", TickerSymbol="tuesday")
    run = load(loading, *lines, rules={"TickerSymbol": STAMP})
    assert run.outcomes() == {"unchanged": 10_000}
    assert loading.calls() == {"describe": 1, "query": 5}


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
    loading: Loading, group: int, rule: Message, values: Iterable[str | None], expected: str | None
) -> None:
    lines = [record(Name="Acme", Industry=value) for value in values]
    load(loading, *lines, rules={"Industry": rule}, read_group_size=group)
    assert row_of(loading, "Acme", "Industry") == [expected]


@pytest.mark.parametrize("group", [1, 10])
def test_create_rule_ignores_a_field_that_only_a_later_record_carries(
    loading: Loading, group: int
) -> None:
    lines = [record(Name="Acme", Industry="a"), record(Name="Acme", TickerSymbol="late")]
    load(loading, *lines, rules={"TickerSymbol": CREATE}, read_group_size=group)
    assert row_of(loading) == ["a", None]


def test_refused_merge_is_split_and_the_rules_still_hold(loading: Loading) -> None:
    loading.tenant.faults.rules.append(ServerRule("company", "Summary", "poison"))
    lines = [record(Name="Acme", Industry="a"), record(Name="Acme", Industry="b", Summary="poison")]
    run = load(loading, *lines, rules={"Industry": EMPTY})
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert row_of(loading, "Acme", "Industry") == ["a"]
