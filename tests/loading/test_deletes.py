"""Opt-in deletes: order, caches, the file of deleted rows, and how a run ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deleting import COMPANY, DELETED_AT, DELETES, PLAN, TENANT, deleted_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import Tenant
from wire import Call, wired

from target_gainsight.sandbox import Fault

EXAMPLES = itertools.count()
"""Numbers that keep the rows of examples apart."""


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**TENANT)


def delete(name: str, stream: str = "rows") -> Message:
    return record(stream, Name=name, _sdc_deleted_at=DELETED_AT)


# Order


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_row_is_changed_before_it_is_deleted(tenant: Tenant, size: int) -> None:
    COMPANY.seed(tenant, "A")
    lines = [COMPANY.write("A", "changed"), COMPANY.delete("A")]
    run = COMPANY.load(tenant, *lines, read_group_size=size)
    assert run.outcomes("rows") == {"updated": 1, "deleted": 1}
    assert COMPANY.keys(tenant) == []
    assert deleted_lines(run)[1]["record"]["Industry"] == "changed"


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_row_that_comes_again_is_created_anew(tenant: Tenant, size: int) -> None:
    (old,) = COMPANY.seed(tenant, "A")
    lines = [COMPANY.delete("A"), COMPANY.write("A", "again")]
    run = COMPANY.load(tenant, *lines, read_group_size=size)
    assert run.outcomes("rows") == {"created": 1, "deleted": 1}
    (row,) = tenant.rows()
    assert row["Industry"] == "again"
    assert row["Gsid"] != old


def test_row_is_deleted_once(tenant: Tenant) -> None:
    COMPANY.seed(tenant, "A")
    run = COMPANY.load(tenant, COMPANY.delete("A"), COMPANY.delete("A"))
    assert run.outcomes("rows") == {"deleted": 1, "skipped": 1}
    assert len(tenant.calls("delete")) == 1


def test_streams_of_one_object_delete_in_input_order(tenant: Tenant) -> None:
    lines = [
        schema("first", {"Name": TEXT}),
        schema("second", {"Name": TEXT}),
        record("first", Name="A"),
        delete("A", "second"),
        record("first", Name="B"),
        delete("B", "second"),
        record("first", Name="B"),
    ]
    run = tenant.load(*lines, **DELETES, read_group_size=1)
    assert run.outcomes("second") == {"deleted": 2}
    assert tenant.names() == ["B"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from("ABa"), st.sampled_from(["x", "y", None]))),
    size=st.integers(1, 4),
    dry_run=st.booleans(),
)
def test_changes_and_deletes_take_effect_in_input_order(
    tenant: Tenant, steps: list[tuple[str, str | None]], size: int, dry_run: bool
) -> None:
    number = next(EXAMPLES)
    held: dict[str, str] = {}
    deleted = 0
    lines = []
    for letter, text in steps:
        key = f"{letter}-{number}"
        lines.append(COMPANY.delete(key) if text is None else COMPANY.write(key, text))
        deleted += text is None and held.pop(key, None) is not None
        if text is not None:
            held[key] = text
    run = COMPANY.load(tenant, *lines, read_group_size=size, dry_run=dry_run, near_matches="ignore")
    skipped = sum(text is None for _, text in steps) - deleted
    outcomes = run.outcomes("rows")
    assert (outcomes.get("deleted", 0), outcomes.get("skipped", 0)) == (deleted, skipped)
    rows = {row["Name"]: row["Industry"] for row in tenant.rows()}
    assert {name: rows[name] for name in rows if name.endswith(f"-{number}")} == (
        {} if dry_run else held
    )


@pytest.mark.parametrize("order", ["ABC", "CBA", "BAC"])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_rows_that_refer_to_each_other_are_deleted_in_any_order(
    tenant: Tenant, order: str, concurrency: int
) -> None:
    parent = None
    for name in "ABC":
        row = {"Name": name, "ParentCompany": parent}
        (parent,) = tenant.sandbox.tenant.seed("company", [row])
    lines = [COMPANY.delete(name) for name in order]
    run = COMPANY.load(tenant, *lines, max_concurrency=concurrency, max_deletes=3)
    assert (run.exit_code, run.outcomes("rows")) == (0, {"deleted": 3})
    assert tenant.rows() == []


# What is remembered of a row


def test_key_is_free_for_another_spelling_after_its_row_is_deleted(tenant: Tenant) -> None:
    lines = [COMPANY.write("acme"), COMPANY.delete("acme"), COMPANY.write("ACME")]
    run = COMPANY.load(tenant, *lines)
    assert run.outcomes("rows") == {"created": 2, "deleted": 1}
    assert COMPANY.keys(tenant) == ["ACME"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_row_in_another_spelling_is_created_after_a_delete(tenant: Tenant, dry_run: bool) -> None:
    COMPANY.seed(tenant, "ACME")
    lines = [COMPANY.delete("ACME"), COMPANY.write("acme")]
    run = COMPANY.load(tenant, *lines, dry_run=dry_run)
    assert run.outcomes("rows") == {"created": 1, "deleted": 1}
    assert COMPANY.keys(tenant) == ["ACME" if dry_run else "acme"]


def test_key_in_another_spelling_deletes_nothing(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"query_ignores_case": "all"})
    COMPANY.seed(tenant, "ACME")
    run = COMPANY.load(tenant, COMPANY.delete("acme"), COMPANY.write("B"))
    assert (run.codes, COMPANY.keys(tenant)) == (["ambiguous_key"], ["ACME", "B"])


PARENT_AND_CHILD: Message = {
    "streams": {
        "accounts": {"object_type": "company", **DELETES},
        "plans": {
            **PLAN.settings,
            "lookups": {"Company__gc": {"object_name": "Company", "fields": {"account": "Name"}}},
        },
    }
}


@pytest.mark.parametrize("dry_run", [False, True])
def test_lookup_of_a_deleted_parent_finds_nothing(
    start_tenant: Callable[..., Tenant], dry_run: bool
) -> None:
    tenant = start_tenant(**TENANT, switches={"lookup_must_exist": False})
    COMPANY.seed(tenant, "A")
    columns = {"Code__gc": TEXT, "account": TEXT}
    lines = [
        schema("accounts", {"Name": TEXT}),
        schema("plans", columns, keys=["Code__gc"]),
        record("plans", Code__gc="before", account="A"),
        record("plans", Code__gc="filler", account="A"),
        delete("A", "accounts"),
        record("plans", Code__gc="after", account="A"),
    ]
    run = tenant.load(*lines, **PARENT_AND_CHILD, dry_run=dry_run, read_group_size=2)
    assert run.outcomes("plans") == {"created": 2, "rejected": 1}
    (reject,) = run.summary["rejects"].values()
    assert "no row of company has Name = 'A'" in reject["example"]
    assert "spelling" not in reject["example"]


def test_child_awaiting_parent_is_not_written_after_its_delete(tenant: Tenant) -> None:
    lookups = {"ParentCompany": {"object_name": "Company", "fields": {"parent": "Name"}}}
    lines = [
        schema("rows", {"Name": TEXT, "parent": TEXT}),
        record("rows", Name="child", parent="parent"),
        delete("child"),
        record("rows", Name="parent", parent=None),
    ]
    run = tenant.load(*lines, **DELETES, lookups=lookups)
    assert run.outcomes("rows") == {"created": 2, "deleted": 1}
    assert tenant.names() == ["parent"]


def test_row_is_found_by_a_lookup_in_its_keys(tenant: Tenant) -> None:
    first, second = COMPANY.seed(tenant, "First", "Second")
    rows = [{"Code__gc": "1", "Company__gc": gsid} for gsid in (first, second)]
    tenant.sandbox.tenant.seed("Plan__gc", rows)
    columns = {"Code__gc": TEXT, "account": TEXT, "Note__gc": TEXT}
    entry = {
        **PARENT_AND_CHILD["streams"]["plans"],
        **DELETES,
        "lookup_keys": ["Company__gc", "Code__gc"],
    }
    lines = [
        schema("plans", columns, keys=["Code__gc", "account"]),
        record("plans", Code__gc="1", account="First", _sdc_deleted_at=DELETED_AT),
    ]
    run = tenant.load(*lines, streams={"plans": entry})
    assert run.outcomes("plans") == {"deleted": 1}
    assert [row["Company__gc"] for row in tenant.rows("Plan__gc")] == [second]


# The file of deleted rows

WHOLE = {
    "Name": "Initech",
    "Industry": "Software",
    "Employees": 1500,
    "Status": "Active",
    "RenewalDate": "1975-03-31",
    "Summary": "two\nlines",
    "Tags": ["Pilot", "Reference"],
}


def test_deleted_row_is_loaded_again_from_its_file(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [WHOLE])
    (before,) = tenant.rows()
    run = tenant.load(schema("rows", {"Name": TEXT}), delete("Initech"), **DELETES)
    assert tenant.rows() == []
    path = Path(run.summary["files"]["deleted"])
    again = tenant.load_text(path.read_bytes())
    assert (again.exit_code, again.outcomes("rows")) == (0, {"created": 1})
    (after,) = tenant.rows()
    by_server = {"Gsid", "CreatedDate", "ModifiedDate"}
    assert {k: v for k, v in after.items() if k not in by_server} == {
        k: v for k, v in before.items() if k not in by_server
    }
    assert tenant.load_text(path.read_bytes()).outcomes("rows") == {"unchanged": 1}


def test_deleted_rows_under_a_field_mapping_are_refused(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [WHOLE])
    mapped: dict[str, Any] = {"field_mapping": {"title": "Name"}}
    gone = record("rows", title="Initech", _sdc_deleted_at=DELETED_AT)
    run = tenant.load(schema("rows", {"title": TEXT}, ["title"]), gone, **mapped, **DELETES)
    text = Path(run.summary["files"]["deleted"]).read_bytes()
    again = tenant.load_text(text, **mapped)
    assert (again.exit_code, tenant.rows()) == (1, [])
    assert "Name is filled by column Name and column title." in again.error
    assert tenant.load_text(text).outcomes("rows") == {"created": 1}


def test_file_is_private_and_has_the_row_as_it_was_read(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [WHOLE])
    (before,) = tenant.rows()
    run = tenant.load(schema("rows", {"Name": TEXT}), delete("Initech"), **DELETES)
    path = Path(run.summary["files"]["deleted"])
    assert path.name == f"{run.summary['run']}.deleted.singer"
    assert path.parent == run.reject_path.parent
    assert path.stat().st_mode & 0o777 == 0o600
    head, line = deleted_lines(run)
    deleted = line["gainsight_deleted"]
    assert (head["type"], head["stream"], head["key_properties"]) == ("SCHEMA", "rows", ["Name"])
    assert (deleted["object"], deleted["gsid"]) == ("Company", before["Gsid"])
    assert deleted["row"].keys() >= before.keys()


def test_row_is_on_disk_before_it_is_deleted(tenant: Tenant) -> None:
    COMPANY.seed(tenant, "A", "B")
    seen: list[int] = []

    def count_saved(call: Call) -> None:
        if call.method == "DELETE":
            (path,) = (tenant.folder / "rejects").glob("*.deleted.singer")
            seen.append(path.read_text(encoding="utf-8").count('"RECORD"'))

    target = tenant.target(http=wired(before=count_saved), **DELETES)
    tenant.run(target, COMPANY.schema(), COMPANY.delete("A"), COMPANY.delete("B"))
    assert seen == [2, 2]
    assert COMPANY.keys(tenant) == []


def test_rows_that_cannot_be_saved_are_not_deleted(tenant: Tenant) -> None:
    COMPANY.seed(tenant, "A")
    target = tenant.target(**COMPANY.settings, **DELETES)
    (tenant.folder / "rejects").write_text("a file in place of the folder", encoding="utf-8")
    run = tenant.run(target, COMPANY.schema(), COMPANY.delete("A"), state(done=1))
    assert (run.exit_code, run.states) == (1, [])
    assert COMPANY.keys(tenant) == ["A"]


@pytest.mark.parametrize(
    "switches", [{"unreadable_field": "Summary"}, {"metadata_status": 500}], ids=str
)
def test_row_is_saved_without_what_cannot_be_read(
    start_tenant: Callable[..., Tenant], switches: Message
) -> None:
    tenant = start_tenant(switches=switches)
    tenant.sandbox.tenant.seed("company", [WHOLE])
    run = tenant.load(schema("rows", {"Name": TEXT}), delete("Initech"), **DELETES)
    assert run.outcomes("rows") == {"deleted": 1}
    _, line = deleted_lines(run)
    assert (line["record"]["Name"], line["record"]["Employees"]) == ("Initech", 1500)


def test_rows_are_read_one_by_one_if_a_query_returns_others(tenant: Tenant) -> None:
    COMPANY.seed(tenant, "A", "B", "C")

    def ignore_filter(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind == "query" and "Summary" in call.body["select"]:
            rows = [{"Gsid": row["Gsid"], "Name": row["Name"]} for row in tenant.rows()]
            envelope["data"] = rows[1:2]
        return status, envelope

    target = tenant.target(http=wired(after=ignore_filter), **DELETES)
    run = tenant.run(target, COMPANY.schema(), COMPANY.delete("A"))
    assert run.outcomes("rows") == {"deleted": 1}
    assert [line["record"]["Industry"] for line in deleted_lines(run)[1:]] == ["old"]
    assert COMPANY.keys(tenant) == ["B", "C"]


def test_row_that_vanishes_before_it_is_saved_is_skipped(tenant: Tenant) -> None:
    (gsid,) = COMPANY.seed(tenant, "A")

    def vanish(call: Call) -> None:
        if call.kind == "query" and "Summary" in call.body["select"]:
            store = tenant.sandbox.tenant.store
            store.delete(tenant.sandbox.tenant.named_object("company"), gsid)

    target = tenant.target(http=wired(before=vanish), **DELETES)
    run = tenant.run(target, COMPANY.schema(), COMPANY.delete("A"))
    assert (run.outcomes("rows"), tenant.calls("delete")) == ({"skipped": 1}, [])


def test_row_that_vanishes_before_its_delete_is_skipped(tenant: Tenant) -> None:
    (gsid,) = COMPANY.seed(tenant, "A")

    def vanish(call: Call) -> None:
        if call.method == "DELETE":
            store = tenant.sandbox.tenant.store
            store.delete(tenant.sandbox.tenant.named_object("company"), gsid)

    target = tenant.target(http=wired(before=vanish), **DELETES)
    run = tenant.run(target, COMPANY.schema(), COMPANY.delete("A"), state(done=1))
    assert (run.outcomes("rows"), run.states) == ({"skipped": 1}, [{"done": 1}])


# Calls and limits


def test_deletes_keep_the_allowed_rate(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(limits={"calls_per_minute": 20, "calls_per_day": 0})
    COMPANY.seed(tenant, *map(str, range(90)))
    lines = [COMPANY.delete(str(number)) for number in range(90)]
    run = COMPANY.load(tenant, *lines, calls_per_minute=20)
    assert run.outcomes("rows") == {"deleted": 90}
    assert run.summary["calls"]["throttled"] == 0


def test_spent_day_stops_deletes_with_the_covered_state(tenant: Tenant) -> None:
    COMPANY.seed(tenant, *map(str, range(20)))
    lines = []
    for number in range(20):
        lines += [COMPANY.delete(str(number)), state(read=number + 1)]
    day = {"calls_per_day": 10, "quota_percent": 100, "max_concurrency": 1}
    run = COMPANY.load(tenant, *lines, **day)
    assert (run.exit_code, len(COMPANY.keys(tenant))) == (1, 20 - 7)
    assert run.states[-1] == {"read": 7}


def test_deletes_cost_two_reads_and_a_call_each(tenant: Tenant) -> None:
    COMPANY.seed(tenant, *map(str, range(90)))
    run = COMPANY.load(tenant, *(COMPANY.delete(str(number)) for number in range(90)))
    assert run.outcomes("rows") == {"deleted": 90}
    assert tenant.count_calls() == {"describe": 1, "query": 2, "delete": 90}


def test_limit_holds_over_groups_and_changed_schemas(tenant: Tenant) -> None:
    COMPANY.seed(tenant, "A", "B", "C")
    wider = schema("rows", {"Name": TEXT, "Status": TEXT})
    lines = [COMPANY.delete("A"), COMPANY.delete("B"), wider, COMPANY.delete("C")]
    run = COMPANY.load(tenant, *lines, max_deletes=2, read_group_size=1)
    assert (run.exit_code, COMPANY.keys(tenant)) == (1, ["C"])


def test_limit_does_not_count_missing_rows(tenant: Tenant) -> None:
    COMPANY.seed(tenant, "A")
    lines = [COMPANY.delete("gone"), COMPANY.delete("A")]
    run = COMPANY.load(tenant, *lines, max_deletes=1)
    assert (run.exit_code, run.outcomes("rows")) == (0, {"deleted": 1, "skipped": 1})


@pytest.mark.parametrize("budget", [1, 2, 3, 4, 5])
def test_spent_call_budget_loses_no_delete(tenant: Tenant, budget: int) -> None:
    COMPANY.seed(tenant, "A", "B")
    lines = [COMPANY.delete("A"), state(read=1), COMPANY.delete("B"), state(read=2)]
    run = COMPANY.load(tenant, *lines, max_calls_per_run=budget, max_concurrency=1)
    left = len(COMPANY.keys(tenant))
    assert run.exit_code == 0
    assert tenant.count_calls().total() <= budget
    assert run.outcomes("rows").get("deleted", 0) == 2 - left
    assert [each["read"] for each in run.states][-1:] == [[2], [1], []][left]


def test_deletes_that_are_unavailable_in_a_row_stop_the_run(tenant: Tenant) -> None:
    COMPANY.seed(tenant, *"ABCD")
    tenant.sandbox.tenant.faults.add(Fault("bad_gateway", method="DELETE"))
    lines = [each for key in "ABCD" for each in (COMPANY.delete(key), state(read=key))]
    run = COMPANY.load(tenant, *lines, max_concurrency=1)
    assert (run.exit_code, run.states, COMPANY.keys(tenant)) == (1, [], [*"ABCD"])


# Rejects


NOT_DELETED: list[object] = ["", " ", 0, "0", 0.0, "0.0", False, "False", "f", "no", "N", "null"]
NOT_DELETED += ["None", "NaN", float("nan"), "NaT", "n/a", "NA", "0000-00-00 00:00:00"]


@pytest.mark.parametrize("deletes", ["delete", "skip"])
@pytest.mark.parametrize("marker", NOT_DELETED)
def test_record_that_is_marked_as_not_deleted_is_loaded(
    tenant: Tenant, marker: object, deletes: str
) -> None:
    COMPANY.seed(tenant, "A")
    live = record("rows", Name="A", Industry="new", _sdc_deleted_at=marker)
    run = COMPANY.load(tenant, live, deletes=deletes)
    assert run.outcomes("rows") == {"updated": 1}
    assert [(row["Name"], row["Industry"]) for row in tenant.rows()] == [("A", "new")]


@pytest.mark.parametrize(
    "marker", [True, "true", "T", "yes", 1, "1", 1628720868, "2026-01-01", "2026-01-01 10:00:00+02"]
)
def test_time_and_words_for_yes_delete_a_row(tenant: Tenant, marker: object) -> None:
    COMPANY.seed(tenant, "A")
    run = COMPANY.load(tenant, record("rows", Name="A", _sdc_deleted_at=marker))
    assert (run.outcomes("rows"), COMPANY.keys(tenant)) == ({"deleted": 1}, [])


@pytest.mark.parametrize("deletes", ["delete", "skip"])
@pytest.mark.parametrize(
    "marker",
    ["-infinity", "x", 2, [], {}, "1970-01-01T00:00:00Z", "0001-01-01", "9999-12-31"],
)
def test_unclear_marker_of_a_delete_rejects_the_record(
    tenant: Tenant, marker: object, deletes: str
) -> None:
    COMPANY.seed(tenant, "A")
    run = COMPANY.load(tenant, record("rows", Name="A", _sdc_deleted_at=marker), deletes=deletes)
    reason = run.rejects[0]["gainsight_reject"]
    assert (reason["code"], reason["field"]) == ("not_a_datetime", "_sdc_deleted_at")
    assert "Send an ISO 8601 time or true if it has" in run.log[0]
    assert COMPANY.keys(tenant) == ["A"]


def test_reasons_of_skipped_records_are_logged(tenant: Tenant) -> None:
    gone = [COMPANY.delete("A"), COMPANY.delete("B")]
    run = COMPANY.load(tenant, *gone, COMPANY.write("C"), deletes="skip", sync_mode="update")
    assert "'rows' skipped: deleted_in_source 2, no_match 1" in str(run.target.summary)


def test_rejected_delete_is_replayed(tenant: Tenant) -> None:
    (gsid,) = COMPANY.seed(tenant, "A")
    (child,) = tenant.sandbox.tenant.seed("Visit__gc", [{"Company__gc": gsid}])
    first = COMPANY.load(tenant, COMPANY.delete("A"), COMPANY.write("B"))
    assert first.codes == ["GSOBJ_1003"]
    store = tenant.sandbox.tenant.store
    store.delete(tenant.sandbox.tenant.named_object("Visit__gc"), child)
    replay = tenant.load_text(first.reject_path.read_bytes(), **DELETES)
    assert (replay.exit_code, replay.outcomes("rows")) == (0, {"deleted": 1})
    assert COMPANY.keys(tenant) == ["B"]


@pytest.mark.parametrize("missing", ["nothing_matches", "delete_failed", "not_found"])
def test_delete_of_missing_row_is_skipped_for_any_refusal(
    start_tenant: Callable[..., Tenant], missing: str
) -> None:
    tenant = start_tenant(switches={"delete_missing": missing})
    (gsid,) = COMPANY.seed(tenant, "A")

    def vanish(call: Call) -> None:
        if call.method == "DELETE":
            store = tenant.sandbox.tenant.store
            store.delete(tenant.sandbox.tenant.named_object("company"), gsid)

    target = tenant.target(http=wired(before=vanish), **DELETES)
    run = tenant.run(target, COMPANY.schema(), COMPANY.delete("A"))
    assert run.outcomes("rows") == {"skipped": 1}


def test_fallback_key_finds_no_row_to_delete(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "A"}])
    columns = {"SfdcAccountId": TEXT, "Name": TEXT}
    gone = record("rows", SfdcAccountId="0015000000ABCDE", Name="A", _sdc_deleted_at=DELETED_AT)
    keys: dict[str, Any] = {"lookup_keys": ["SfdcAccountId"], "fallback_keys": ["Name"]}
    run = tenant.load(schema("rows", columns, keys=["SfdcAccountId"]), gone, **keys, **DELETES)
    assert run.outcomes("rows") == {"skipped": 1}
    assert tenant.names() == ["A"]


def test_run_and_plan_announce_deletes_and_their_limit(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    COMPANY.seed(tenant, "A")
    run = COMPANY.load(tenant, COMPANY.delete("A"), max_deletes=7, dry_run=True)
    announced = [text for _, text in run.logged if "deletes are on" in text]
    assert len(announced) == 1
    assert "at most 7 in this run (max_deletes)" in announced[0]
    plan = capsys.readouterr().err
    assert "'rows': would delete 1, such as 'A'; at most 7 in a run (max_deletes)" in plan
