"""CTAs: found by lookup keys before they are created, answered by reference, never doubled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from activities import (
    ANSWER_LOST,
    BY_ACCOUNT,
    CTA_COLUMNS,
    CTA_ENTRY,
    CTAS,
    TENANT,
    comments_of,
    cta,
    ctas,
    load_ctas,
)
from late_calls import put_late_calls
from singer_messages import TEXT, record, schema, state

from target_gainsight.sandbox import Fault, ServerRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenant_runs import Loading

STREAM = "ctas"
DAY = 86_400


@pytest.fixture
def loading(start_loading: Callable[..., Loading]) -> Loading:
    return start_loading(**TENANT)


def item_names(loading: Loading, row: dict[str, Any]) -> list[str | None]:
    names = {item["Gsid"]: item["Name"] for item in loading.tenant.rows("cta_item")}
    fields = ("TypeId", "ReasonId", "StatusId", "PriorityId")
    return [names.get(row[field]) for field in fields]


def test_a_detractor_becomes_a_cta_with_its_names_company_and_due_date(loading: Loading) -> None:
    run = load_ctas(loading, [cta(1, reason="Low NPS")], columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 1}
    row = loading.tenant.rows("call_to_action")[0]
    assert item_names(loading, row) == ["Risk", "Low NPS", "New", "High"]
    assert row["CompanyId"] == loading.tenant.rows("company", Name="Initech")[0]["Gsid"]
    assert (row["Name"], row["DueDate"]) == ("Low NPS", "2026-01-15")


def test_the_requests_carry_references(loading: Loading) -> None:
    load_ctas(loading, ctas(range(2)))
    sent = json.loads(str(loading.tenant.calls("POST", "cockpit")[0].request))["requests"]
    assert [each["record"]["referenceId"] for each in sent] == ["1", "2"]
    assert "lookups" not in json.loads(str(loading.tenant.calls("POST", "cockpit")[0].request))


def test_a_second_run_writes_nothing_also_on_another_day(loading: Loading) -> None:
    lines = ctas(range(70))
    assert load_ctas(loading, lines).outcomes(STREAM) == {"created": 70}
    assert loading.calls() == {"describe": 1, "cta names": 1, "query": 2 + 1, "cta": 2}
    loading.clock.advance(3 * DAY)
    assert load_ctas(loading, lines).outcomes(STREAM) == {"unchanged": 70}
    assert loading.calls() == {"describe": 1, "cta names": 1, "query": 2}


def test_a_changed_comment_updates_one_and_leaves_its_due_date(loading: Loading) -> None:
    load_ctas(loading, ctas(range(3)))
    loading.clock.advance(3 * DAY)
    run = load_ctas(loading, [*ctas([0, 2]), cta(1, Comments="changed")])
    assert run.outcomes(STREAM) == {"updated": 1, "unchanged": 2}
    assert comments_of(loading) == {"r0": "comment 0", "r1": "changed", "r2": "comment 2"}
    assert {row["DueDate"] for row in loading.tenant.rows("call_to_action")} == {"2026-01-15"}


def test_a_due_date_of_the_streams_own_is_compared_and_changed(loading: Loading) -> None:
    columns = {"due": TEXT}
    entry = {"field_mapping": {"due": "DueDate"}, "constants": {"type": "Risk"}}
    load_ctas(loading, [cta(0, due="2026-02-01")], columns=columns, entry=entry)
    again = load_ctas(loading, [cta(0, due="2026-03-01")], columns=columns, entry=entry)
    assert again.outcomes(STREAM) == {"updated": 1}
    assert loading.tenant.rows("call_to_action")[0]["DueDate"] == "2026-03-01"


def test_insert_leaves_what_a_csm_has_changed(loading: Loading) -> None:
    load_ctas(loading, ctas(range(2)))
    items = {row["Name"]: row["Gsid"] for row in loading.tenant.rows("cta_item")}
    work = loading.tenant.seed("cta_item", [{"Kind": "status", "Name": "Closed Success"}])[0]
    gsid = loading.tenant.rows("call_to_action", Response__gc="r0")[0]["Gsid"]
    model = loading.tenant.named_object("call_to_action")
    loading.tenant.store.update(model, [(gsid, (("StatusId",), [work]))])
    run = load_ctas(loading, ctas(range(3)), sync_mode="insert")
    assert run.outcomes(STREAM) == {"created": 1, "unchanged": 1, "skipped": 1}
    rows = loading.tenant.rows("call_to_action")
    assert [row["StatusId"] for row in rows] == [work, items["New"], items["New"]]


def test_ctas_of_one_name_are_not_taken_for_one(loading: Loading) -> None:
    run = load_ctas(loading, ctas(range(3)), entry={"lookup_keys": None})
    assert run.outcomes(STREAM) == {"created": 3}
    assert len(comments_of(loading)) == 3


@pytest.mark.parametrize("dry_run", [False, True])
def test_constant_that_names_no_reason_stops_before_the_first_write(
    loading: Loading, dry_run: bool
) -> None:
    constants = {**CTA_ENTRY["constants"], "reason": "Low NPPS"}
    run = load_ctas(loading, ctas(range(3)), entry={"constants": constants}, dry_run=dry_run)
    assert run.exit_code == 1
    assert "no item 'Low NPPS'" in run.log[-1]
    assert "'Low NPS'" in run.log[-1]
    assert loading.tenant.calls("POST", "cockpit") == []


@pytest.mark.parametrize("cta_names", ["by_category", "flat"])
def test_names_of_the_administrator_are_known(
    start_loading: Callable[..., Loading], cta_names: str
) -> None:
    rows = {**TENANT["rows"], "cta_item": [{"Kind": "reason", "Name": "Detractor"}]}
    loading = start_loading(**{**TENANT, "rows": rows}, switches={"cta_names": cta_names})
    lines = [cta(1, reason="Detractor"), cta(2, reason="Dectractor")]
    run = load_ctas(loading, lines, columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["unknown_option"]
    again = load_ctas(loading, lines[:1], columns={"reason": TEXT})
    assert again.outcomes(STREAM) == {"unchanged": 1}


@pytest.mark.parametrize("cta_names", ["refused", "unknown"])
def test_names_that_are_not_listed_are_left_to_the_tenant(
    start_loading: Callable[..., Loading], cta_names: str
) -> None:
    loading = start_loading(**TENANT, switches={"cta_names": cta_names})
    lines = [cta(1, reason="Low NPS"), cta(2, reason="No such reason")]
    run = load_ctas(loading, lines, columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert message == "Invalid reason (reason = No such reason)."


def test_custom_field_that_ctas_do_not_have_stops_the_stream(loading: Loading) -> None:
    run = load_ctas(loading, [cta(0)], entry={"lookup_keys": ["Respons__gc"]})
    assert run.exit_code == 1
    assert "call_to_action has no field Respons__gc. Did you mean Response__gc" in run.log[-1]


def test_a_reference_that_failed_is_a_reject_with_its_message(loading: Loading) -> None:
    loading.tenant.faults.rules.append(ServerRule("call_to_action", "Comments", "comment 7"))
    lines = [*ctas(range(49)), cta(49, reason="No such reason")]
    run = load_ctas(loading, lines, columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 48, "rejected": 2}
    messages = [each["gainsight_reject"]["message"] for each in run.rejects]
    assert "Value refused by a rule of the tenant (Comments = comment 7)." in messages[0]
    assert "the picklist has no item 'No such reason'" in messages[1]
    assert [each["record"]["Response__gc"] for each in run.rejects] == ["r7", "r49"]
    assert loading.calls()["cta"] == 1


@pytest.mark.parametrize("failed_records_answer", ["true_200", "false_200", "false_400"])
@pytest.mark.parametrize("cta_answers", ["map", "list"])
def test_outcomes_do_not_depend_on_the_form_of_the_response(
    start_loading: Callable[..., Loading], failed_records_answer: str, cta_answers: str
) -> None:
    switches = {"failed_records_answer": failed_records_answer, "cta_answers": cta_answers}
    loading = start_loading(**TENANT, switches=switches)
    loading.tenant.faults.rules.append(ServerRule("call_to_action", "Comments", "comment 1"))
    run = load_ctas(loading, ctas(range(3)))
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert set(comments_of(loading)) == {"r0", "r2"}


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_neither_loses_nor_duplicates_ctas(
    loading: Loading, sync_mode: str, fault: Fault
) -> None:
    loading.tenant.faults.script([fault, fault, "pass", fault], method="POST", path=CTAS)
    run = load_ctas(
        loading, [*ctas(range(120)), state(done=1)], sync_mode=sync_mode, max_concurrency=1
    )
    assert run.outcomes(STREAM) == {"created": 120}
    assert len(comments_of(loading)) == loading.tenant.count("call_to_action") == 120
    assert run.states == [{"done": 1}]


def test_a_commit_that_comes_after_the_timeout_is_waited_for(loading: Loading) -> None:
    target = loading.target(streams={"ctas": CTA_ENTRY})
    put_late_calls(target, Fault("late_commit", method="POST", path=CTAS, seconds=90))
    run = loading.run(target, [schema("ctas", CTA_COLUMNS, keys=["Response__gc"]), *ctas(range(5))])
    assert run.outcomes(STREAM) == {"created": 5}
    assert len(comments_of(loading)) == 5


def test_what_never_comes_after_a_timeout_is_unknown_and_looked_up_when_replayed(
    loading: Loading,
) -> None:
    target = loading.target(streams={"ctas": CTA_ENTRY})
    put_late_calls(target, Fault("late_commit", method="POST", path=CTAS, seconds=3_600, times=1))
    run = loading.run(target, [schema("ctas", CTA_COLUMNS, keys=["Response__gc"]), *ctas(range(5))])
    assert set(run.codes) == {"outcome_unknown"}
    loading.clock.advance(3_600)
    assert loading.tenant.count("call_to_action") == 5
    again = loading.load(run.reject_lines, streams={"ctas": CTA_ENTRY})
    assert again.outcomes(STREAM) == {"unchanged": 5}
    assert loading.tenant.count("call_to_action") == 5


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_lost_response_without_keys_leaves_the_outcome_unknown(loading: Loading, kind: str) -> None:
    loading.tenant.faults.script([kind], method="POST", path=CTAS)
    entry = {"lookup_keys": None, "sync_mode": "insert"}
    lines = [record("ctas", id="1", account="Initech", Name="Low NPS")]
    columns = {"id": TEXT, "account": TEXT, "Name": TEXT}
    streams = {"ctas": {**CTA_ENTRY, **entry, "unknown_fields": "drop"}}
    run = loading.load([schema("ctas", columns, keys=["id"]), *lines], streams=streams)
    assert run.outcomes(STREAM) == {"rejected": 1}
    assert run.codes == ["outcome_unknown"]
    assert loading.tenant.count("call_to_action") == (1 if kind == "reset_after_commit" else 0)


def test_without_a_look_nothing_is_written(start_loading: Callable[..., Loading]) -> None:
    loading = start_loading(**TENANT, switches={"metadata_status": 403})
    loading.tenant.faults.script(["pass"], path="*")
    run = load_ctas(
        loading,
        [cta(0)],
        entry={"lookup_keys": ["Nothing__gc"], "constants": {"type": "Risk", "Nothing__gc": "x"}},
    )
    assert run.exit_code == 1
    assert "the tenant refuses to read call_to_action by Nothing__gc" in run.log[-1]
    assert loading.tenant.count("call_to_action") == 0


def test_missing_user_is_to_be_added_in_gainsight(loading: Loading) -> None:
    owner = {"object_name": "gsuser", "fields": {"owner": "Email"}}
    entry = {"lookups": {"CompanyId": BY_ACCOUNT, "OwnerId": owner}}
    lines = [cta(0, owner="nobody@x.example"), cta(1, "Hooli", owner="ada.park@ourcompany.example")]
    run = load_ctas(loading, lines, columns={"owner": TEXT}, entry=entry)
    hints = [each["gainsight_reject"]["hint"] for each in run.rejects]
    assert hints[0].startswith("add the user in Gainsight")
    assert hints[1].startswith("load the parent first")


def test_missing_company_and_owner_reject_the_record_alone(loading: Loading) -> None:
    owner = {"object_name": "gsuser", "fields": {"owner": "Email"}, "on_no_match": "leave_empty"}
    entry = {"lookups": {"CompanyId": BY_ACCOUNT, "OwnerId": owner}}
    lines = [
        cta(0, "Hooli", owner="ada.park@ourcompany.example"),
        cta(1, owner="ada.park@ourcompany.example"),
        cta(2, owner="nobody@x.example"),
    ]
    run = load_ctas(loading, lines, columns={"owner": TEXT}, entry=entry)
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert run.codes == ["lookup_no_match"]
    ada = loading.tenant.rows("gsuser")[0]["Gsid"]
    assert [row["OwnerId"] for row in loading.tenant.rows("call_to_action")] == [ada, None]


def test_a_null_company_is_refused_before_it_is_sent(loading: Loading) -> None:
    run = load_ctas(loading, [cta(0, None), cta(1)])
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["required_missing"]


def test_update_creates_nothing(loading: Loading) -> None:
    load_ctas(loading, [cta(0)])
    lines = [cta(0, Comments="changed"), cta(1)]
    run = load_ctas(loading, lines, sync_mode="update")
    assert run.outcomes(STREAM) == {"updated": 1, "skipped": 1}
    assert comments_of(loading) == {"r0": "changed"}


def test_a_number_and_its_text_are_one_key(start_loading: Callable[..., Loading]) -> None:
    numbers = {"call_to_action": {"fields": {"Response__gc": {"type": "NUMBER"}}}}
    switches = {"numeric_strings": True}
    loading = start_loading(**{**TENANT, "objects": numbers}, switches=switches)
    lines = [record("ctas", Response__gc="7", account="Initech", Name="Low NPS")]
    assert load_ctas(loading, lines).outcomes(STREAM) == {"created": 1}
    assert load_ctas(loading, lines).outcomes(STREAM) == {"unchanged": 1}
    assert [row["Response__gc"] for row in loading.tenant.rows("call_to_action")] == [7]


def test_dry_run_writes_nothing_and_shows_the_plan(loading: Loading) -> None:
    load_ctas(loading, ctas(range(2)))
    loading.calls()
    lines = [cta(0), cta(1, Comments="changed"), cta(2)]
    run = load_ctas(loading, lines, dry_run=True)
    assert run.outcomes(STREAM) == {"created": 1, "updated": 1, "unchanged": 1}
    assert "cta" not in loading.calls()
    assert comments_of(loading) == {"r0": "comment 0", "r1": "comment 1"}


def test_rejects_are_replayed_once_they_are_mended(loading: Loading) -> None:
    run = load_ctas(loading, [cta(0, "Hooli"), cta(1)])
    loading.tenant.seed("company", [{"Name": "Hooli"}])
    again = loading.load(run.reject_lines, streams={"ctas": CTA_ENTRY})
    assert again.outcomes(STREAM) == {"created": 1}
    assert set(comments_of(loading)) == {"r0", "r1"}


@pytest.mark.parametrize(
    ("columns", "entry", "message"),
    [
        ({"Comment": TEXT}, {}, "call_to_action has no field Comment. Did you mean Comments?"),
        ({"Status": TEXT}, {}, "status differs only in case"),
        ({}, {"constants": {}}, "needs type to create a record"),
        ({}, {"lookups": {}, "unknown_fields": "drop"}, "needs CompanyId to create a record"),
        ({}, {"lookup_keys": ["ResponseId"]}, "call_to_action has no field ResponseId"),
    ],
)
def test_mismatches_are_reported_before_the_first_write(
    loading: Loading, columns: Any, entry: Any, message: str
) -> None:
    run = load_ctas(loading, [cta(0)], columns=columns, entry=entry)
    assert run.exit_code == 1
    assert message in run.log[-1]
    assert "cta" not in loading.calls()


def test_a_stream_without_keys_is_asked_for_some(loading: Loading) -> None:
    run = load_ctas(loading, [cta(0)], keys=(), entry={"lookup_keys": None})
    assert run.exit_code == 1
    assert "set lookup_keys to the 1 to 3 fields that identify a record" in run.log[-1]
