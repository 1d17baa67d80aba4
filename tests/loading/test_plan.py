"""A plan writes nothing and predicts exactly what the run that follows does and costs."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from responses import RESPONSES, TEXT, response, responses_schema, routed
from singer_messages import (
    COMPANY_COLUMNS,
    NOTE_SETTINGS,
    NOTES,
    Message,
    companies,
    notes,
    record,
    schema,
)
from singer_runs import TargetRun, Tenant

WRITES = {"insert", "update", "person", "delete"}
PARENT = {"ParentCompany": {"object_name": "Company", "fields": {"parent": "Name"}}}


def plan_of(run: TargetRun) -> Message:
    assert run.target.session.plan is not None
    return run.target.session.plan.to_json(run.target.summary)


def text_of(run: TargetRun) -> str:
    assert run.target.session.plan is not None
    return run.target.session.plan.to_text(run.target.summary)


def plan(tenant: Tenant, messages: Sequence[Message], **settings: Any) -> TargetRun:
    """Plan, and see that nothing is written, filed or emitted."""
    tenant.count_calls()
    files = set((tenant.folder / "rejects").glob("*"))
    planned = tenant.load(*messages, dry_run=True, **settings)
    assert not set(tenant.count_calls()) & WRITES
    assert planned.states == []
    assert set((tenant.folder / "rejects").glob("*")) == files
    return planned


def counted(run: TargetRun) -> Message:
    """Everything that is counted per stream."""
    return run.summary["streams"]


def assert_predicts(
    tenant: Tenant, messages: Sequence[Message], **settings: Any
) -> tuple[Message, TargetRun]:
    """Plan a run, make it, and compare."""
    planned = plan(tenant, messages, **settings)
    tenant.count_calls()
    run = tenant.load(*messages, **settings)
    calls = tenant.count_calls()
    cost = plan_of(planned)["cost"]
    assert counted(planned) == counted(run)
    assert cost["by_kind"] == run.summary["calls"]["by_kind"] == calls
    assert cost["calls"] == calls.total()
    assert {code: e["count"] for code, e in planned.summary["rejects"].items()} == {
        code: e["count"] for code, e in run.summary["rejects"].items()
    }
    return plan_of(planned), run


def test_plan_of_ten_thousand_rows_with_one_percent_changed(tenant: Tenant) -> None:
    rows = [{"Name": f"C{n}", "Industry": "Retail", "Employees": n} for n in range(10_000)]
    tenant.sandbox.tenant.seed("company", rows)
    changed = set(random.Random(7).sample(range(10_000), 100))
    lines = [record(**{**row, "Employees": n + (n in changed)}) for n, row in enumerate(rows)]
    planned, run = assert_predicts(tenant, [schema(), *lines])
    assert run.outcomes() == {"updated": 100, "unchanged": 9900}
    assert planned["cost"]["by_kind"] == {"describe": 1, "query": 5, "update": 2}
    assert planned["cost"]["fits_into_a_day"]


def test_every_kind_of_outcome_is_predicted(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": f"C{n}", "Industry": "Old"} for n in range(300)]
    )
    tenant.sandbox.tenant.seed("company", [{"Name": "Twin"}, {"Name": "Twin"}])
    lines = [
        *companies(range(100), Industry="New"),
        *companies(range(100, 180), Industry="Old"),
        *companies(range(180, 220), Industry=None),
        *companies(range(300, 420), Industry="Fresh"),
        record(Name="Twin", Industry="x"),
        record(Name=" C5", Industry="x"),
        record(Name="Odd", Employees="many"),
        record(Name="Gone", _sdc_deleted_at="2026-01-01T00:00:00Z"),
        *companies(range(300, 310), Employees=5),
    ]
    planned, run = assert_predicts(tenant, [schema(), *lines], read_group_size=400)
    assert run.outcomes() == {
        "created": 120,
        "updated": 140,
        "unchanged": 80,
        "skipped": 1,
        "rejected": 3,
        "merged": 10,
    }
    assert planned["streams"]["accounts"]["fields_cleared"] == 40


def test_plan_counts_the_reads_that_save_rows_before_deletes(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(201)])
    lines = companies(range(202), _sdc_deleted_at="2026-01-01T00:00:00Z")
    assert_predicts(tenant, [schema(), *lines], deletes="delete", max_deletes=1000)


def test_plan_that_stops_shows_no_examples_of_unsent_writes(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "C0"}, {"Name": "C1"}, {"Name": "C2"}])
    deleted = companies([1, 2], _sdc_deleted_at="2026-01-01T00:00:00Z")
    lines = [schema(), *companies([0], Industry="new"), *deleted]
    text = text_of(plan(tenant, lines, deletes="delete", max_deletes=1))
    assert "would delete 1, such as 'C1'" in text
    assert "would update" not in text


def test_plan_without_records_says_so(tenant: Tenant) -> None:
    assert "no records were read" in text_of(plan(tenant, [schema()]))


def test_plan_shows_examples_differences_and_cost(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Initech", "Industry": "Old", "Employees": 7}])
    tenant.sandbox.tenant.seed("company", [{"Name": "Twin"}, {"Name": "Twin"}])
    lines = [
        record(Name="Initech", Industry="New", Employees=None),
        record(Name="Twin"),
        record(Name="Hooli"),
        record(Name="Gone", _sdc_deleted_at="2026-01-01T00:00:00Z"),
    ]
    planned = plan(tenant, [schema(), *lines], calls_per_minute=10, calls_per_day=100)
    text = text_of(planned)
    assert text.startswith("plan: nothing was written")
    assert "'accounts': would create 1, such as 'Hooli'\n" in text
    assert (
        "'accounts': would update 1, such as\n"
        "- 'Initech'\n"
        "  · Industry: 'Old' → 'New'\n"
        "  · Employees: 7 → null\n" in text
    )
    assert "'accounts': would skip 1: deleted_in_source" in text
    assert "rejects multi_match: 1, such as in accounts:" in text
    assert "accounts: multi_match" not in text
    assert (
        "cost: 5 calls (1 describe, 1 insert, 2 query, 1 update), "
        "0.6 minutes at the allowed rate, 5.6% of a day's quota" in text
    )
    assert "does not fit" not in text
    stream = plan_of(planned)["streams"]["accounts"]
    assert stream["examples_updated"] == [
        {
            "key": "Initech",
            "fields": {
                "Industry": {"before": "Old", "after": "New"},
                "Employees": {"before": 7, "after": None},
            },
        }
    ]
    assert stream["examples_created"] == ["Hooli"]
    assert stream["skipped_because"] == {"deleted_in_source": 1}


def test_plan_shows_labels_and_names_not_gsids(start_tenant: Callable[..., Tenant]) -> None:
    users = [
        {"Name": "Ada Park", "Email": "ada@x.example"},
        {"Name": "Bo", "Email": "bo@x.example"},
    ]
    tenant = start_tenant(users=users)
    gsids = {row["Email"]: row["Gsid"] for row in tenant.rows("gsuser")}
    ada = gsids["ada@x.example"]
    rows = [
        {"Name": "Initech", "Stage": "Adopting", "Tags": ["Pilot", "At Risk"], "Csm": ada},
        {"Name": "Hooli", "Stage": "Launched", "Tags": ["Pilot"], "Csm": ada},
    ]
    tenant.sandbox.tenant.seed("company", rows)
    columns = {**COMPANY_COLUMNS, "Stage": TEXT, "Tags": TEXT, "csm": TEXT}
    lines = [
        record(Name="Initech", Stage="Churn", Tags="Reference", csm="bo@x.example"),
        record(Name="Hooli", Stage="Launched", Tags="Pilot;Reference", csm="ada@x.example"),
    ]
    lookups = {"Csm": {"object_name": "gsuser", "fields": {"csm": "Email"}}}
    planned = plan(tenant, [schema(columns=columns), *lines], lookups=lookups)
    assert (
        "- 'Initech'\n"
        "  · Stage: 'Adopting' → 'Churn'\n"
        "  · Tags: ['Pilot', 'At Risk'] → ['Reference']\n"
        "  · Csm: 'ada@x.example' → 'bo@x.example'\n"
        "- 'Hooli'\n"
        "  · Tags: ['Pilot'] → ['Pilot', 'Reference']\n" in text_of(planned)
    )
    [first, _] = plan_of(planned)["streams"]["accounts"]["examples_updated"]
    assert first["fields"]["Stage"] == {"before": "Adopting", "after": "Churn"}
    assert first["fields"]["Tags"] == {"before": ["Pilot", "At Risk"], "after": ["Reference"]}
    assert first["fields"]["Csm"] == {"before": "ada@x.example", "after": "bo@x.example"}
    assert plan_of(planned)["cost"]["by_kind"] == {"describe": 1, "query": 2, "update": 1}


def test_plan_keeps_the_gsid_of_a_row_that_no_lookup_has_found(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Parent"}])
    [parent] = tenant.rows()
    tenant.sandbox.tenant.seed("company", [{"Name": "Initech", "ParentCompany": parent["Gsid"]}])
    columns = {**COMPANY_COLUMNS, "ParentCompany": TEXT}
    planned = plan(tenant, [schema(columns=columns), record(Name="Initech", ParentCompany=None)])
    assert f"  · ParentCompany: '{parent['Gsid']}' → null\n" in text_of(planned)


def test_run_longer_than_a_day_is_warned_of(tenant: Tenant) -> None:
    planned = plan(tenant, [schema(), *companies(range(1000))], calls_per_day=10)
    assert plan_of(planned)["cost"]["fits_into_a_day"] is False
    assert "warning: this does not fit into a day; it takes 3 days" in text_of(planned)


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_repeated_key_is_compared_with_planned_writes(tenant: Tenant, size: int) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}", "Industry": "Old"} for n in range(10)])
    lines = [
        *companies(range(20), Industry="New"),
        *companies(range(20), Industry="New"),
        *companies(range(20), Industry="Old"),
        *companies(range(5), Employees=3),
        *companies(range(15, 20), Employees=None),
    ]
    assert_predicts(tenant, [schema(), *lines], read_group_size=size)


def test_streams_of_one_object_share_planned_writes(tenant: Tenant) -> None:
    first, second = (schema(name) for name in ("first", "second"))
    lines = [first, *(record("first", Name=f"C{n}", Industry="A") for n in range(100))]
    lines += [second, *(record("second", Name=f"C{n}", Industry="A") for n in range(50, 150))]
    _, run = assert_predicts(tenant, lines, read_group_size=50, max_concurrency=1)
    assert tenant.sandbox.tenant.count("company") == 150
    assert run.outcomes("second") == {"created": 50, "unchanged": 50}


@pytest.mark.parametrize("mode", ["insert", "update"])
def test_insert_and_update_are_predicted(tenant: Tenant, mode: str) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(10)])
    lines = [schema(), *companies(range(5, 120), Industry="New"), *companies([7, 110], Industry="")]
    assert_predicts(tenant, lines, sync_mode=mode, lookup_keys="Name", read_group_size=60)


def test_records_without_keys_are_predicted(start_tenant: Callable[..., Tenant]) -> None:
    assert_predicts(start_tenant(**NOTES), notes(range(120)), **NOTE_SETTINGS)


def test_lookup_finds_parents_that_would_be_created(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**RESPONSES)
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(10)])
    lines = [schema(), responses_schema()]
    for start in range(0, 60, 20):
        lines += companies(range(start, start + 20))
        lines += [response(f"r{start}-{n}", f"C{n}") for n in range(70)]
    _, run = assert_predicts(tenant, lines, streams={"responses": routed()}, read_group_size=50)
    assert run.outcomes("responses") == {"created": 140, "rejected": 70}
    assert run.outcomes() == {"created": 50, "unchanged": 10}


@pytest.mark.parametrize("mode", ["upsert", "insert"])
def test_self_lookups_are_predicted(tenant: Tenant, mode: str) -> None:
    columns = {**COMPANY_COLUMNS, "parent": TEXT}
    lines = [record(Name=f"C{n}", parent=f"C{(n * 7) % 100}") for n in range(90)]
    assert_predicts(
        tenant,
        [schema(columns=columns), *lines],
        lookups=PARENT,
        sync_mode=mode,
        read_group_size=20,
    )


def test_people_and_their_companies_are_predicted(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Initech"}, {"Name": "Hooli"}])
    columns = {"Email": TEXT, "FirstName": TEXT, "company": TEXT, "title": TEXT}
    links = {"lookup": {"company": "Name"}, "fields": {"Title": "title"}}
    settings = {"object_type": "person", "company_links": links, "read_group_size": 4}

    def person(number: int, company: str | None, title: str = "CEO") -> Message:
        email = f"p{number}@x.io"
        return record("people", Email=email, FirstName="P", company=company, title=title)

    known = [person(n, "Initech") for n in range(5)]
    tenant.load(schema("people", columns, keys=["Email"]), *known, **settings)
    lines = [
        *known,
        *(person(n, "Hooli") for n in range(3, 8)),
        person(1, "Initech", "CTO"),
        person(9, "Nowhere"),
        person(3, "Initech"),
        person(6, None),
        person(7, "Hooli"),
        person(7, "Hooli", "CTO"),
    ]
    planned, run = assert_predicts(
        tenant, [schema("people", columns, keys=["Email"]), *lines], **settings
    )
    assert planned["cost"]["by_kind"]["person"] == 6
    assert run.outcomes("people")["rejected"] == 1


def test_reject_limits_stop_dry_run(tenant: Tenant) -> None:
    planned = plan(tenant, [schema(), *companies(range(200))], max_creates=70)
    assert planned.exit_code == 1
    assert "max_creates (70)" in planned.log[-1]
    bad = [record(Name=f"C{n}", Employees="x") for n in range(200)]
    planned = plan(tenant, [schema(), *bad], max_reject_percent=5)
    assert planned.exit_code == 1
    assert "The reasons are in the plan" in planned.log[-1]


def test_dry_run_with_rejects_only_fails(tenant: Tenant) -> None:
    planned = plan(tenant, [schema(), record(Name="C0", Employees="x")])
    assert planned.exit_code == 1
    assert "every record was rejected (1)" in planned.log[-1]


def test_dry_run_prints_the_plan_once_to_standard_error(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.load(schema(), record(Name="C0"), dry_run=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("plan: nothing was written") == 1


def test_dry_run_without_records_does_not_connect(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tenant.load(*([]), dry_run=True)
    assert run.exit_code == 0
    assert not tenant.count_calls()
    assert "cost: 0 calls" in capsys.readouterr().err


def test_summary_file_marks_a_dry_run(tenant: Tenant) -> None:
    path = tenant.folder / "summary.json"
    tenant.load(schema(), record(Name="C0"), dry_run=True, summary_path=str(path))
    assert json.loads(path.read_text())["dry_run"] is True
    tenant.load(schema(), record(Name="C0"), summary_path=str(path))
    assert json.loads(path.read_text())["dry_run"] is False


@pytest.mark.parametrize("seed", range(6))
def test_randomly_repeated_keys_are_predicted(tenant: Tenant, seed: int) -> None:
    """The same batches are sent in any order of responses."""
    chance = random.Random(seed)
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}", "Industry": "a"} for n in range(150)])
    lines = [
        record(Name=f"C{chance.randrange(300)}", Industry=chance.choice("aaab")) for _ in range(600)
    ]
    assert_predicts(tenant, [schema(), *lines], read_group_size=chance.choice([7, 30, 45]))


def test_later_groups_see_planned_writes_of_earlier_ones(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}", "Industry": "a"} for n in range(200)])
    lines = companies(range(200), Industry="a")
    for place, name in ((3, "C3"), (50, "C3"), (30, "new"), (70, "new"), (150, "C3")):
        lines[place] = record(Name=name, Industry=f"at {place}" if place < 150 else "a")
    _, run = assert_predicts(tenant, [schema(), *lines], read_group_size=10)
    assert tenant.rows("company", Name="C3")[0]["Industry"] == "a"
    assert tenant.rows("company", Name="new")[0]["Industry"] == "at 70"
    assert run.outcomes() == {"created": 1, "updated": 4, "unchanged": 195}
