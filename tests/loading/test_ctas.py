"""CTAs: found by lookup keys before they are created, matched by reference, never duplicated."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

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
from late_calls import late_calls
from singer_messages import TEXT, record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault, ServerRule

STREAM = "ctas"
DAY = 86_400


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**TENANT)


def item_names(tenant: Tenant, row: dict[str, Any]) -> list[str | None]:
    names = {item["Gsid"]: item["Name"] for item in tenant.rows("cta_item")}
    fields = ("TypeId", "ReasonId", "StatusId", "PriorityId")
    return [names.get(row[field]) for field in fields]


def test_detractor_becomes_cta(tenant: Tenant) -> None:
    run = load_ctas(tenant, [cta(1, reason="Low NPS")], columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 1}
    row = tenant.rows("call_to_action")[0]
    assert item_names(tenant, row) == ["Risk", "Low NPS", "New", "High"]
    assert row["CompanyId"] == tenant.rows("company", Name="Initech")[0]["Gsid"]
    assert (row["Name"], row["DueDate"]) == ("Low NPS", "2026-01-15")


def test_requests_carry_references(tenant: Tenant) -> None:
    load_ctas(tenant, ctas(range(2)))
    sent = json.loads(str(tenant.sandbox.tenant.calls("POST", "cockpit")[0].request))["requests"]
    assert [each["record"]["referenceId"] for each in sent] == ["1", "2"]
    assert "lookups" not in json.loads(
        str(tenant.sandbox.tenant.calls("POST", "cockpit")[0].request)
    )


def test_second_run_on_another_day_writes_nothing(tenant: Tenant) -> None:
    lines = ctas(range(70))
    assert load_ctas(tenant, lines).outcomes(STREAM) == {"created": 70}
    assert tenant.count_calls() == {"describe": 1, "cta names": 1, "query": 2 + 1, "cta": 2}
    tenant.clock.advance(3 * DAY)
    assert load_ctas(tenant, lines).outcomes(STREAM) == {"unchanged": 70}
    assert tenant.count_calls() == {"describe": 1, "cta names": 1, "query": 2}


def test_changed_comment_keeps_due_date(tenant: Tenant) -> None:
    load_ctas(tenant, ctas(range(3)))
    tenant.clock.advance(3 * DAY)
    run = load_ctas(tenant, [*ctas([0, 2]), cta(1, Comments="changed")])
    assert run.outcomes(STREAM) == {"updated": 1, "unchanged": 2}
    assert comments_of(tenant) == {"r0": "comment 0", "r1": "changed", "r2": "comment 2"}
    assert {row["DueDate"] for row in tenant.rows("call_to_action")} == {"2026-01-15"}


def test_due_date_column_is_compared_and_changed(tenant: Tenant) -> None:
    columns = {"due": TEXT}
    entry = {"field_mapping": {"due": "DueDate"}, "constants": {"type": "Risk"}}
    load_ctas(tenant, [cta(0, due="2026-02-01")], columns=columns, entry=entry)
    again = load_ctas(tenant, [cta(0, due="2026-03-01")], columns=columns, entry=entry)
    assert again.outcomes(STREAM) == {"updated": 1}
    assert tenant.rows("call_to_action")[0]["DueDate"] == "2026-03-01"


def test_insert_keeps_changes_by_csm(tenant: Tenant) -> None:
    load_ctas(tenant, ctas(range(2)))
    items = {row["Name"]: row["Gsid"] for row in tenant.rows("cta_item")}
    work = tenant.sandbox.tenant.seed("cta_item", [{"Kind": "status", "Name": "Closed Success"}])[0]
    gsid = tenant.rows("call_to_action", Response__gc="r0")[0]["Gsid"]
    model = tenant.sandbox.tenant.named_object("call_to_action")
    tenant.sandbox.tenant.store.update(model, [(gsid, (("StatusId",), [work]))])
    run = load_ctas(tenant, ctas(range(3)), sync_mode="insert")
    assert run.outcomes(STREAM) == {"created": 1, "unchanged": 1, "skipped": 1}
    rows = tenant.rows("call_to_action")
    assert [row["StatusId"] for row in rows] == [work, items["New"], items["New"]]


def test_ctas_with_one_name_stay_distinct(tenant: Tenant) -> None:
    run = load_ctas(tenant, ctas(range(3)), entry={"lookup_keys": None})
    assert run.outcomes(STREAM) == {"created": 3}
    assert len(comments_of(tenant)) == 3


@pytest.mark.parametrize("dry_run", [False, True])
def test_constant_that_names_no_reason_stops_before_the_first_write(
    tenant: Tenant, dry_run: bool
) -> None:
    constants = {**CTA_ENTRY["constants"], "reason": "Low NPPS"}
    run = load_ctas(tenant, ctas(range(3)), entry={"constants": constants}, dry_run=dry_run)
    assert run.exit_code == 1
    assert "no item 'Low NPPS'" in run.log[-1]
    assert "Did you mean Low NPS?" in run.log[-1]
    assert tenant.sandbox.tenant.calls("POST", "cockpit") == []


@pytest.mark.parametrize("cta_names", ["by_category", "flat"])
def test_configured_names_are_accepted(start_tenant: Callable[..., Tenant], cta_names: str) -> None:
    rows = {**TENANT["rows"], "cta_item": [{"Kind": "reason", "Name": "Detractor"}]}
    tenant = start_tenant(**{**TENANT, "rows": rows}, switches={"cta_names": cta_names})
    lines = [cta(1, reason="Detractor"), cta(2, reason="Dectractor")]
    run = load_ctas(tenant, lines, columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["unknown_option"]
    again = load_ctas(tenant, lines[:1], columns={"reason": TEXT})
    assert again.outcomes(STREAM) == {"unchanged": 1}


@pytest.mark.parametrize("cta_names", ["refused", "unknown"])
def test_unlisted_names_are_left_to_tenant(
    start_tenant: Callable[..., Tenant], cta_names: str
) -> None:
    tenant = start_tenant(**TENANT, switches={"cta_names": cta_names})
    lines = [cta(1, reason="Low NPS"), cta(2, reason="No such reason")]
    run = load_ctas(tenant, lines, columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert message == "Invalid reason (reason = No such reason)."


def test_custom_field_that_ctas_do_not_have_stops_the_stream(tenant: Tenant) -> None:
    run = load_ctas(tenant, [cta(0)], entry={"lookup_keys": ["Respons__gc"]})
    assert run.exit_code == 1
    assert "call_to_action has no field Respons__gc. Did you mean Response__gc" in run.log[-1]


def test_failed_reference_is_rejected_with_its_message(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(ServerRule("call_to_action", "Comments", "comment 7"))
    lines = [*ctas(range(49)), cta(49, reason="No such reason")]
    run = load_ctas(tenant, lines, columns={"reason": TEXT})
    assert run.outcomes(STREAM) == {"created": 48, "rejected": 2}
    messages = [each["gainsight_reject"]["message"] for each in run.rejects]
    assert "Value refused by a rule of the tenant (Comments = comment 7)." in messages[0]
    assert "the picklist has no item 'No such reason'" in messages[1]
    assert [each["record"]["Response__gc"] for each in run.rejects] == ["r7", "r49"]
    assert tenant.count_calls()["cta"] == 1


@pytest.mark.parametrize("failed_records_answer", ["true_200", "false_200", "false_400"])
@pytest.mark.parametrize("cta_answers", ["map", "list"])
def test_outcomes_do_not_depend_on_the_form_of_the_response(
    start_tenant: Callable[..., Tenant], failed_records_answer: str, cta_answers: str
) -> None:
    switches = {"failed_records_answer": failed_records_answer, "cta_answers": cta_answers}
    tenant = start_tenant(**TENANT, switches=switches)
    tenant.sandbox.tenant.faults.rules.append(ServerRule("call_to_action", "Comments", "comment 1"))
    run = load_ctas(tenant, ctas(range(3)))
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert set(comments_of(tenant)) == {"r0", "r2"}


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_neither_loses_nor_duplicates_ctas(
    tenant: Tenant, sync_mode: str, fault: Fault
) -> None:
    tenant.sandbox.tenant.faults.script([fault, fault, "pass", fault], method="POST", path=CTAS)
    run = load_ctas(
        tenant, [*ctas(range(120)), state(done=1)], sync_mode=sync_mode, max_concurrency=1
    )
    assert run.outcomes(STREAM) == {"created": 120}
    assert len(comments_of(tenant)) == tenant.sandbox.tenant.count("call_to_action") == 120
    assert run.states == [{"done": 1}]


def test_late_commit_after_timeout_is_found(tenant: Tenant) -> None:
    late = Fault("late_commit", method="POST", path=CTAS, seconds=90)
    target = tenant.target(http=late_calls(tenant.clock, late), streams={"ctas": CTA_ENTRY})
    run = tenant.run(target, schema("ctas", CTA_COLUMNS, keys=["Response__gc"]), *ctas(range(5)))
    assert run.outcomes(STREAM) == {"created": 5}
    assert len(comments_of(tenant)) == 5


def test_timeout_without_commit_is_unknown_and_looked_up_on_replay(tenant: Tenant) -> None:
    late = Fault("late_commit", method="POST", path=CTAS, seconds=3_600, times=1)
    target = tenant.target(http=late_calls(tenant.clock, late), streams={"ctas": CTA_ENTRY})
    run = tenant.run(target, schema("ctas", CTA_COLUMNS, keys=["Response__gc"]), *ctas(range(5)))
    assert set(run.codes) == {"outcome_unknown"}
    tenant.clock.advance(3_600)
    assert tenant.sandbox.tenant.count("call_to_action") == 5
    again = tenant.load(*run.reject_lines, streams={"ctas": CTA_ENTRY})
    assert again.outcomes(STREAM) == {"unchanged": 5}
    assert tenant.sandbox.tenant.count("call_to_action") == 5


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_lost_response_without_keys_leaves_the_outcome_unknown(tenant: Tenant, kind: str) -> None:
    tenant.sandbox.tenant.faults.script([kind], method="POST", path=CTAS)
    entry = {"lookup_keys": None, "sync_mode": "insert"}
    lines = [record("ctas", id="1", account="Initech", Name="Low NPS")]
    columns = {"id": TEXT, "account": TEXT, "Name": TEXT}
    streams = {"ctas": {**CTA_ENTRY, **entry, "unknown_fields": "drop"}}
    run = tenant.load(schema("ctas", columns, keys=["id"]), *lines, streams=streams)
    assert run.outcomes(STREAM) == {"rejected": 1}
    assert run.codes == ["outcome_unknown"]
    assert tenant.sandbox.tenant.count("call_to_action") == (
        1 if kind == "reset_after_commit" else 0
    )


def test_refused_read_by_keys_writes_nothing(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**TENANT, switches={"metadata_status": 403})
    tenant.sandbox.tenant.faults.script(["pass"], path="*")
    run = load_ctas(
        tenant,
        [cta(0)],
        entry={"lookup_keys": ["Nothing__gc"], "constants": {"type": "Risk", "Nothing__gc": "x"}},
    )
    assert run.exit_code == 1
    assert "the tenant cannot read Nothing__gc of call_to_action" in run.log[-1]
    assert tenant.sandbox.tenant.count("call_to_action") == 0


def test_missing_user_suggests_adding_it_in_gainsight(tenant: Tenant) -> None:
    owner = {"object_name": "gsuser", "fields": {"owner": "Email"}}
    entry = {"lookups": {"CompanyId": BY_ACCOUNT, "OwnerId": owner}}
    lines = [cta(0, owner="nobody@x.example"), cta(1, "Hooli", owner="ada.park@ourcompany.example")]
    run = load_ctas(tenant, lines, columns={"owner": TEXT}, entry=entry)
    hints = [each["gainsight_reject"]["hint"] for each in run.rejects]
    assert hints[0].startswith("add the user in Gainsight")
    assert hints[1].startswith("load the parent first")


def test_missing_company_or_owner_rejects_record_alone(tenant: Tenant) -> None:
    owner = {"object_name": "gsuser", "fields": {"owner": "Email"}, "on_no_match": "leave_empty"}
    entry = {"lookups": {"CompanyId": BY_ACCOUNT, "OwnerId": owner}}
    lines = [
        cta(0, "Hooli", owner="ada.park@ourcompany.example"),
        cta(1, owner="ada.park@ourcompany.example"),
        cta(2, owner="nobody@x.example"),
    ]
    run = load_ctas(tenant, lines, columns={"owner": TEXT}, entry=entry)
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert run.codes == ["lookup_no_match"]
    ada = tenant.rows("gsuser")[0]["Gsid"]
    assert [row["OwnerId"] for row in tenant.rows("call_to_action")] == [ada, None]


def test_null_company_is_rejected_before_the_call(tenant: Tenant) -> None:
    run = load_ctas(tenant, [cta(0, None), cta(1)])
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["required_missing"]


def test_update_creates_nothing(tenant: Tenant) -> None:
    load_ctas(tenant, [cta(0)])
    lines = [cta(0, Comments="changed"), cta(1)]
    run = load_ctas(tenant, lines, sync_mode="update")
    assert run.outcomes(STREAM) == {"updated": 1, "skipped": 1}
    assert comments_of(tenant) == {"r0": "changed"}


def test_number_and_its_text_are_one_key(start_tenant: Callable[..., Tenant]) -> None:
    numbers = {"call_to_action": {"fields": {"Response__gc": {"type": "NUMBER"}}}}
    switches = {"numeric_strings": True}
    tenant = start_tenant(**{**TENANT, "objects": numbers}, switches=switches)
    lines = [record("ctas", Response__gc="7", account="Initech", Name="Low NPS")]
    assert load_ctas(tenant, lines).outcomes(STREAM) == {"created": 1}
    assert load_ctas(tenant, lines).outcomes(STREAM) == {"unchanged": 1}
    assert [row["Response__gc"] for row in tenant.rows("call_to_action")] == [7]


def test_dry_run_writes_nothing_and_shows_the_plan(tenant: Tenant) -> None:
    load_ctas(tenant, ctas(range(2)))
    tenant.count_calls()
    lines = [cta(0), cta(1, Comments="changed"), cta(2)]
    run = load_ctas(tenant, lines, dry_run=True)
    assert run.outcomes(STREAM) == {"created": 1, "updated": 1, "unchanged": 1}
    assert "cta" not in tenant.count_calls()
    assert comments_of(tenant) == {"r0": "comment 0", "r1": "comment 1"}


def test_fixed_rejects_are_replayed(tenant: Tenant) -> None:
    run = load_ctas(tenant, [cta(0, "Hooli"), cta(1)])
    tenant.sandbox.tenant.seed("company", [{"Name": "Hooli"}])
    again = tenant.load(*run.reject_lines, streams={"ctas": CTA_ENTRY})
    assert again.outcomes(STREAM) == {"created": 1}
    assert set(comments_of(tenant)) == {"r0", "r1"}


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
    tenant: Tenant, columns: Any, entry: Any, message: str
) -> None:
    run = load_ctas(tenant, [cta(0)], columns=columns, entry=entry)
    assert run.exit_code == 1
    assert message in run.log[-1]
    assert "cta" not in tenant.count_calls()


def test_stream_without_keys_is_refused(tenant: Tenant) -> None:
    run = load_ctas(tenant, [cta(0)], keys=(), entry={"lookup_keys": None})
    assert run.exit_code == 1
    assert "set lookup_keys to the 1 to 3 fields that identify a record" in run.log[-1]
