"""Timeline activities: found by ExternalId, never duplicated, rejected one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from activities import (
    ACTIVITIES,
    ANSWER_LOST,
    BY_ACCOUNT,
    COLUMNS,
    TENANT,
    TIMELINE_ENTRY,
    WHEN,
    activities,
    activity,
    load_activities,
    notes_of,
)
from late_calls import late_calls
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, refusal, wired

from target_gainsight.sandbox import Fault, ServerRule

STREAM = "activities"
EXPECTED = ("Subject", "Notes")


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**TENANT)


def test_response_becomes_activity_of_company(tenant: Tenant) -> None:
    run = load_activities(tenant, [activity(1)])
    assert run.outcomes(STREAM) == {"created": 1}
    row = tenant.rows("activity_timeline")[0]
    company = tenant.rows("company", Name="Initech")[0]["Gsid"]
    assert (row["ExternalId"], row["ContextName"], row["TypeName"], row["GsCompanyId"]) == (
        "r1",
        "Company",
        "Survey Response",
        company,
    )
    assert row["ActivityDate"] == "2026-02-01T08:30:00.000Z"


def test_second_run_writes_nothing(tenant: Tenant) -> None:
    lines = activities(range(120))
    assert load_activities(tenant, lines).outcomes(STREAM) == {"created": 120}
    assert tenant.count_calls() == {"describe": 1, "query": 2 + 1, "timeline": 3}
    assert load_activities(tenant, lines).outcomes(STREAM) == {"unchanged": 120}
    assert tenant.count_calls() == {"describe": 1, "query": 2}


def test_changed_note_updates_one_activity(tenant: Tenant) -> None:
    load_activities(tenant, activities(range(3)))
    tenant.count_calls()
    run = load_activities(tenant, [*activities([0, 2]), activity(1, Notes="changed")])
    assert run.outcomes(STREAM) == {"updated": 1, "unchanged": 2}
    assert notes_of(tenant) == {"r0": "note 0", "r1": "changed", "r2": "note 2"}
    call = tenant.sandbox.tenant.calls("PUT")[0]
    assert call.path == f"{ACTIVITIES}?identifier=externalid"


def test_date_has_milliseconds_and_offset(tenant: Tenant) -> None:
    dates = ["2026-02-01", "2026-02-01T09:30:00Z", "2026-02-01 09:30:00.5+02:00"]
    columns = {"ActivityDate": TEXT}
    run = load_activities(
        tenant, [activity(n, ActivityDate=d) for n, d in enumerate(dates)], columns=columns
    )
    assert run.outcomes(STREAM) == {"created": 3}
    sent = json.loads(str(tenant.sandbox.tenant.calls("POST", ACTIVITIES)[0].request))["records"]
    assert [each["ActivityDate"] for each in sent] == [
        "2026-02-01T00:00:00.000+00:00",
        "2026-02-01T09:30:00.000+00:00",
        "2026-02-01T09:30:00.500+02:00",
    ]


def test_bad_record_is_rejected_without_its_neighbors(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(ServerRule("activity_timeline", "Subject", "NPS 17"))
    run = load_activities(tenant, activities(range(50)))
    assert run.outcomes(STREAM) == {"created": 49, "rejected": 1}
    assert run.rejects[0]["record"]["id"] == "r17"
    assert run.codes == ["GSOBJ_1008"]
    assert tenant.count_calls()["timeline"] == 1


@pytest.mark.parametrize("failed_records_answer", ["true_200", "false_200", "false_400"])
@pytest.mark.parametrize("timeline_answers", ["map", "list"])
def test_outcomes_do_not_depend_on_the_form_of_the_response(
    start_tenant: Callable[..., Tenant], failed_records_answer: str, timeline_answers: str
) -> None:
    tenant = start_tenant(
        **TENANT,
        switches={
            "failed_records_answer": failed_records_answer,
            "timeline_answers": timeline_answers,
        },
    )
    tenant.sandbox.tenant.faults.rules.append(ServerRule("activity_timeline", "Subject", "NPS 1"))
    run = load_activities(tenant, activities(range(3)))
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert "Value refused by a rule" in run.rejects[0]["gainsight_reject"]["message"]
    assert set(notes_of(tenant)) == {"r0", "r2"}


@pytest.mark.parametrize("max_concurrency", [1, 8])
def test_tenant_that_saves_one_activity_per_call_gets_one_per_call(
    start_tenant: Callable[..., Tenant], max_concurrency: int
) -> None:
    tenant = start_tenant(**TENANT, switches={"timeline_records": "one"})
    tenant.sandbox.tenant.faults.rules.append(ServerRule("activity_timeline", "Subject", "NPS 17"))
    lines = activities(range(230))
    run = load_activities(tenant, [*lines, state(done=1)], max_concurrency=max_concurrency)
    assert run.outcomes(STREAM) == {"created": 229, "rejected": 1}
    assert run.rejects[0]["record"]["id"] == "r17"
    assert run.states == [{"done": 1}]
    assert len(notes_of(tenant)) == 229
    assert sum("sending one per call" in line for line in run.log) == 1
    refused = sum(call.status == 400 for call in tenant.sandbox.tenant.calls("POST", ACTIVITIES))
    assert refused <= max_concurrency * 7
    changed = [activity(number, Notes="changed") for number in (3, 4, 5)]
    assert load_activities(tenant, changed).outcomes(STREAM) == {"updated": 3}


def test_refused_call_does_not_end_calls_with_several_activities(tenant: Tenant) -> None:
    def refuse_r1(call: Call) -> tuple[int, Message] | None:
        is_write = call.matches("POST", ACTIVITIES)
        if is_write and any(each["ExternalId"] == "r1" for each in call.body["records"]):
            return refusal("GSOBJ_1008", "No")
        return None

    run = load_activities(tenant, activities(range(100)), max_concurrency=1, http=wired(refuse_r1))
    assert run.outcomes(STREAM) == {"created": 99, "rejected": 1}
    assert not any("sending one per call" in line for line in run.log)
    assert tenant.count_calls()["timeline"] < 15


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_neither_loses_nor_duplicates_activities(
    tenant: Tenant, sync_mode: str, fault: Fault
) -> None:
    tenant.sandbox.tenant.faults.script(
        [fault, fault, "pass", fault], method="POST", path=ACTIVITIES
    )
    run = load_activities(
        tenant, [*activities(range(150)), state(done=1)], sync_mode=sync_mode, max_concurrency=1
    )
    assert run.outcomes(STREAM) == {"created": 150}
    assert tenant.sandbox.tenant.count("activity_timeline") == 150
    assert run.states == [{"done": 1}]


def test_late_commit_after_timeout_duplicates_nothing(tenant: Tenant) -> None:
    late = Fault("late_commit", method="POST", path=ACTIVITIES, seconds=3_600, times=1)
    target = tenant.target(
        http=late_calls(tenant.clock, late), streams={"activities": TIMELINE_ENTRY}
    )
    run = tenant.run(target, schema("activities", COLUMNS, keys=["id"]), *activities(range(5)))
    assert run.outcomes(STREAM) == {"created": 5}
    tenant.clock.advance(3_600)
    assert len(tenant.sandbox.tenant.calls("POST", ACTIVITIES)) == 2
    assert tenant.sandbox.tenant.count("activity_timeline") == 5


def test_concurrently_created_activity_is_updated(tenant: Tenant) -> None:
    taken = {"ContextName": "Company", "TypeName": "Update", "Notes": "theirs"}

    def another_integration_writes(call: Call) -> None:
        if call.matches("POST", ACTIVITIES) and not notes_of(tenant):
            tenant.sandbox.tenant.seed("activity_timeline", [{"ExternalId": "r1", **taken}])

    run = load_activities(tenant, activities(range(3)), http=wired(another_integration_writes))
    assert run.outcomes(STREAM) == {"created": 2, "updated": 1}
    assert notes_of(tenant) == {"r0": "note 0", "r1": "note 1", "r2": "note 2"}


def test_replay_after_outage_duplicates_no_activity(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.script(["reset_after_commit"] * 60, method="POST", path=ACTIVITIES)
    run = load_activities(tenant, activities(range(5)), max_retry_seconds=60)
    assert run.outcomes(STREAM) == {"rejected": 5}
    assert set(run.codes) == {"unavailable"}
    tenant.sandbox.tenant.faults.clear()
    again = tenant.load(*run.reject_lines, streams={"activities": TIMELINE_ENTRY})
    assert again.outcomes(STREAM) == {"unchanged": 5}
    assert tenant.sandbox.tenant.count("activity_timeline") == 5


def test_insert_keeps_existing_activities(tenant: Tenant) -> None:
    load_activities(tenant, activities(range(2)))
    lines = [activity(0), activity(1, Notes="changed"), activity(2)]
    run = load_activities(tenant, lines, sync_mode="insert")
    assert run.outcomes(STREAM) == {"created": 1, "unchanged": 1, "skipped": 1}
    assert notes_of(tenant) == {"r0": "note 0", "r1": "note 1", "r2": "note 2"}


def test_update_creates_nothing(tenant: Tenant) -> None:
    load_activities(tenant, [activity(0)])
    run = load_activities(tenant, [activity(0, Notes="changed"), activity(1)], sync_mode="update")
    assert run.outcomes(STREAM) == {"updated": 1, "skipped": 1}
    assert notes_of(tenant) == {"r0": "changed"}


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ("refused", "GS_TL_10_0207"),
        ("refused", "GS_TL_10_0999"),
        ("wrong_api", "GS_TL_10_0207"),
        ("forbidden", "GS_TL_10_0207"),
        ("unknown", "GS_TL_10_0207"),
    ],
)
def test_duplicate_code_reveals_existing_activities(
    start_tenant: Callable[..., Tenant], refused: str, code: str
) -> None:
    switches = {"timeline_query": refused, "timeline_duplicate_code": code}
    tenant = start_tenant(**TENANT, switches=switches)
    assert load_activities(tenant, activities(range(60))).outcomes(STREAM) == {"created": 60}
    lines = [*activities(range(59)), activity(59, Notes="changed"), activity(60)]
    run = load_activities(tenant, lines)
    assert run.outcomes(STREAM) == {"created": 1, "updated": 60}
    assert tenant.sandbox.tenant.count("activity_timeline") == 61
    assert notes_of(tenant)["r59"] == "changed"
    assert sum("refuses to read which records exist" in line for line in run.log) == 1
    assert tenant.count_calls()["timeline"] == 6


def test_insert_without_query_skips_existing_activities(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(**TENANT, switches={"timeline_query": "refused"})
    load_activities(tenant, [activity(0)])
    run = load_activities(tenant, [activity(0, Notes="x"), activity(1)], sync_mode="insert")
    assert run.outcomes(STREAM) == {"created": 1, "skipped": 1}
    assert notes_of(tenant) == {"r0": "note 0", "r1": "note 1"}


def test_update_without_query_creates_nothing(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**TENANT, switches={"timeline_query": "refused"})
    load_activities(tenant, [activity(0)])
    lines = [activity(0, Notes="changed"), activity(1)]
    run = load_activities(tenant, lines, sync_mode="update")
    assert run.outcomes(STREAM) == {"updated": 1, "rejected": 1}
    assert notes_of(tenant) == {"r0": "changed"}


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
def test_lost_response_duplicates_nothing_without_queries(
    start_tenant: Callable[..., Tenant], sync_mode: str
) -> None:
    tenant = start_tenant(**TENANT, switches={"timeline_query": "refused"})
    tenant.sandbox.tenant.faults.script(["reset_after_commit"], method="POST", path=ACTIVITIES)
    run = load_activities(tenant, activities(range(3)), sync_mode=sync_mode)
    assert run.outcomes(STREAM) == {"updated" if sync_mode == "upsert" else "skipped": 3}
    assert notes_of(tenant) == {"r0": "note 0", "r1": "note 1", "r2": "note 2"}


def test_too_large_query_is_halved(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**TENANT, switches={"query_max_values": 10})
    load_activities(tenant, activities(range(30)))
    run = load_activities(tenant, activities(range(30)))
    assert run.outcomes(STREAM) == {"unchanged": 30}


def test_unreadable_field_is_written_uncompared(tenant: Tenant) -> None:
    load_activities(tenant, activities(range(3)))

    def refuse_notes(call: Call) -> tuple[int, Message] | None:
        if call.kind == "query" and "Notes" in call.body["select"]:
            return refusal("GSOBJ_1002", "Invalid field Notes in object activity_timeline")
        return None

    run = load_activities(tenant, activities(range(4)), http=wired(refuse_notes))
    assert run.outcomes(STREAM) == {"created": 1, "updated": 3}
    assert sum("without being compared" in line for line in run.log) == 1


def test_missing_company_rejects_activity_alone(tenant: Tenant) -> None:
    run = load_activities(tenant, [activity(0, "Hooli"), activity(1)])
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("lookup_no_match", "GsCompanyId")
    assert "no row of company has Name = 'Hooli'" in reject["message"]


def test_company_of_same_run_is_found(tenant: Tenant) -> None:
    lines = [
        schema("accounts", {"Name": TEXT}, keys=["Name"]),
        record("accounts", Name="Hooli"),
        schema("activities", {"id": TEXT, "account": TEXT, "ActivityDate": TEXT}, keys=["id"]),
        record("activities", id="r1", account="Hooli", ActivityDate=WHEN),
    ]
    streams = {"activities": TIMELINE_ENTRY, "accounts": {"object_type": "company"}}
    run = tenant.load(*lines, streams=streams)
    assert run.outcomes(STREAM) == {"created": 1}
    company = tenant.rows("company", Name="Hooli")[0]["Gsid"]
    assert tenant.rows("activity_timeline")[0]["GsCompanyId"] == company


def test_author_and_attendees_are_found_by_their_emails(tenant: Tenant) -> None:
    users = {row["Email"]: row["Gsid"] for row in tenant.rows("gsuser")}
    ada, ben, _ = users
    by_email = {"object_name": "gsuser", "fields": {"who": "Email"}}
    lookups = {
        "GsCompanyId": BY_ACCOUNT,
        "AuthorId": {"object_name": "gsuser", "fields": {"author": "Email"}},
        "InternalAttendees": by_email,
    }
    columns = {"author": TEXT, "who": {"type": ["array", "string", "null"]}}
    lines = [
        activity(0, author=ada, who=[ada, ben, ada]),
        activity(1, author=ben, who=ben),
        activity(2, author=None, who=[]),
        activity(3, author=ada, who=[ada, "nobody@x.example"]),
    ]
    run = load_activities(tenant, lines, columns=columns, entry={"lookups": lookups})
    assert run.outcomes(STREAM) == {"created": 3, "rejected": 1}
    assert run.rejects[0]["gainsight_reject"]["value"] == "nobody@x.example"
    rows = tenant.rows("activity_timeline")
    assert [(row["AuthorId"], row["InternalAttendees"]) for row in rows] == [
        (users[ada], [users[ada], users[ben]]),
        (users[ben], [users[ben]]),
        (None, None),
    ]
    again = load_activities(tenant, lines[:3], columns=columns, entry={"lookups": lookups})
    assert again.outcomes(STREAM) == {"unchanged": 3}
    lenient = {**lookups, "InternalAttendees": {**by_email, "on_no_match": "leave_empty"}}
    kept = load_activities(tenant, lines[3:], columns=columns, entry={"lookups": lenient})
    assert kept.outcomes(STREAM) == {"created": 1}
    assert tenant.rows("activity_timeline")[-1]["InternalAttendees"] == [users[ada]]


def test_relationship_and_person_are_found(tenant: Tenant) -> None:
    company = tenant.rows("company")[0]["Gsid"]
    held = [{"Name": "Initech EMEA", "CompanyId": company}]
    relationship = tenant.sandbox.tenant.seed("relationship", held)[0]
    person = tenant.sandbox.tenant.seed("person", [{"Email": "bob@initech.example"}])[0]
    entry = {
        "constants": {"ContextName": "Relationship", "Author": "ada.park@ourcompany.example"},
        "lookups": {
            "GsRelationshipId": {"object_name": "relationship", "fields": {"account": "Name"}},
            "ExternalAttendees": {"object_name": "person", "fields": {"guests": "Email"}},
        },
    }
    columns = {"guests": {"type": ["array", "null"]}, "TypeName": TEXT}
    line = activity(0, "Initech EMEA", guests=["bob@initech.example"], TypeName="Call")
    run = load_activities(tenant, [line], columns=columns, entry=entry)
    assert run.outcomes(STREAM) == {"created": 1}
    row = tenant.rows("activity_timeline")[0]
    assert (row["ContextName"], row["TypeName"]) == ("Relationship", "Call")
    assert (row["GsRelationshipId"], row["ExternalAttendees"]) == (relationship, [person])


def test_free_columns_are_sent_and_do_not_count_as_a_change(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(auto_create=True, rows=TENANT["rows"])
    columns, entry = {"ticket": TEXT}, {"unknown_fields": "send"}
    load_activities(tenant, [activity(0, ticket="t-1")], columns=columns, entry=entry)
    assert tenant.rows("activity_timeline")[0]["ticket"] == "t-1"
    run = load_activities(tenant, [activity(0, ticket="t-2")], columns=columns, entry=entry)
    assert run.outcomes(STREAM) == {"unchanged": 1}


@pytest.mark.parametrize("dry_run", [False, True])
def test_constant_that_names_no_activity_type_stops_before_the_first_write(
    tenant: Tenant, dry_run: bool
) -> None:
    constants = {**TIMELINE_ENTRY["constants"], "TypeName": "Survey Respons"}
    run = load_activities(tenant, [activity(0)], entry={"constants": constants}, dry_run=dry_run)
    assert run.exit_code == 1
    assert "no item 'Survey Respons'" in run.log[-1]
    assert "Did you mean Survey Response?" in run.log[-1]
    assert tenant.sandbox.tenant.calls("POST", ACTIVITIES) == []


def load_types(tenant: Tenant, *names: str) -> TargetRun:
    lines = [activity(number, TypeName=name) for number, name in enumerate(names)]
    constants = {"ContextName": "Company", "Author": "ada.park@ourcompany.example"}
    columns = {"TypeName": TEXT}
    return load_activities(tenant, lines, columns=columns, entry={"constants": constants})


def test_unknown_activity_type_in_a_column_rejects_its_activity_alone(tenant: Tenant) -> None:
    run = load_types(tenant, "Survey Response", "Survey", "Call")
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert run.codes == ["unknown_option"]
    assert load_types(tenant, "Survey Response").outcomes(STREAM) == {"unchanged": 1}
    assert load_types(tenant, "Call").outcomes(STREAM) == {"updated": 1}


def test_unlisted_activity_types_are_left_to_tenant(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**TENANT, switches={"activity_types_described": False})
    run = load_types(tenant, "Survey Response", "Survey")
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["GS_TL_10_0208"]


def test_custom_field_that_activities_do_not_have_stops_the_stream(tenant: Tenant) -> None:
    columns = {"Ant__Scor__c": TEXT}
    run = load_activities(tenant, [activity(0, Ant__Scor__c="1")], columns=columns)
    assert run.exit_code == 1
    assert "no field Ant__Scor__c. Did you mean Ant__Score__c?" in run.log[-1]


def test_custom_fields_are_sent_unchecked_without_a_description(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(**TENANT, switches={"metadata_status": 403})
    columns = {"Ant__Score__c": {"type": "integer"}, "Ant__Scor__c": TEXT}
    lines = [activity(0, Ant__Score__c=3), activity(1, Ant__Scor__c="1")]
    run = load_activities(tenant, lines, columns=columns)
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}


def test_unfit_custom_field_value_rejects_activity(tenant: Tenant) -> None:
    lines = [activity(0, Ant__Score__c="3"), activity(1, Ant__Score__c="many")]
    run = load_activities(tenant, lines, columns={"Ant__Score__c": TEXT})
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["not_a_number"]


def test_refusal_is_quoted_verbatim(tenant: Tenant) -> None:
    text = "Ant__Risk__c is required for Survey Response. Allowed values: [Low, High, N/A]"
    rule = ServerRule("activity_timeline", "Subject", "NPS 1", code="GS_TL_10_0206", message=text)
    tenant.sandbox.tenant.faults.rules.append(rule)
    run = load_activities(tenant, activities(range(2)))
    reject = run.rejects[0]["gainsight_reject"]
    assert reject["code"] == "GS_TL_10_0206"
    assert reject["message"].startswith(text)


def without_author(**entry: Any) -> Message:
    constants = {"ContextName": "Company", "TypeName": "Survey Response"}
    return {"constants": constants, **entry}


def test_stream_without_author_stops_before_its_first_write(tenant: Tenant) -> None:
    run = load_activities(tenant, [activity(0)], entry=without_author())
    assert run.exit_code == 1
    assert "activity_timeline needs Author to create a record" in run.log[-1]
    assert tenant.sandbox.tenant.calls("POST", ACTIVITIES) == []


def test_undeclared_author_column_is_accepted(tenant: Tenant) -> None:
    lines = [activity(number, Author="ada.park@ourcompany.example") for number in range(2)]
    run = load_activities(tenant, lines, entry=without_author())
    assert run.outcomes(STREAM) == {"created": 2}


def test_activity_without_context_record_is_rejected_before_the_call(tenant: Tenant) -> None:
    lines = [activity(0, account="  "), activity(1, account=None), activity(2)]
    planned = load_activities(tenant, lines, dry_run=True)
    assert sum("required_missing: GsCompanyId" in line for line in planned.warnings) == 2
    run = load_activities(tenant, lines)
    assert run.codes == ["required_missing"] * 2
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 2}
    [sent] = tenant.calls("timeline")
    assert [each["ExternalId"] for each in sent.body["records"]] == ["r2"]


@pytest.mark.parametrize(
    "listed",
    [
        "{ada};{ben}",
        "{ada}, {ben};",
        "{ada}\n{ben}",
        '["{ada};{ben}"]',
        ["{ada};{ben}"],
        ["{ada}, {ben}"],
        ["{ada}", "{ben};{ada}", " "],
    ],
)
def test_attendees_in_one_text_or_element_are_split(tenant: Tenant, listed: Any) -> None:
    users = {row["Email"]: row["Gsid"] for row in tenant.rows("gsuser")}
    ada, ben, _ = users
    filled = json.loads(json.dumps(listed).replace("{ada}", ada).replace("{ben}", ben))
    by_email = {"object_name": "gsuser", "fields": {"who": "Email"}}
    entry = {"lookups": {"GsCompanyId": BY_ACCOUNT, "InternalAttendees": by_email}}
    run = load_activities(tenant, [activity(0, who=filled)], columns={"who": {}}, entry=entry)
    assert run.outcomes(STREAM) == {"created": 1}
    [row] = tenant.rows("activity_timeline")
    assert row["InternalAttendees"] == [users[ada], users[ben]]


def test_missing_attendee_of_several_is_named_with_one_suggestion(tenant: Tenant) -> None:
    by_email = {"object_name": "gsuser", "fields": {"who": "Email"}}
    entry = {"lookups": {"GsCompanyId": BY_ACCOUNT, "InternalAttendees": by_email}}
    line = activity(0, who=["ada.park@ourcompany.example;nobody@x.example"])
    run = load_activities(tenant, [line], columns={"who": {}}, entry=entry)
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["value"]) == ("lookup_no_match", "nobody@x.example")
    assert reject["hint"] == (
        "add the user in Gainsight, or correct the value: this target does not load users"
    )


def test_update_needs_no_author(tenant: Tenant) -> None:
    load_activities(tenant, [activity(0)])
    run = load_activities(
        tenant, [activity(0, Notes="new")], entry=without_author(sync_mode="update")
    )
    assert run.outcomes(STREAM) == {"updated": 1}


def test_email_that_finds_the_author_id_is_the_author(tenant: Tenant) -> None:
    author = {"object_name": "gsuser", "fields": {"csm": "Email"}, "on_no_match": "leave_empty"}
    entry = without_author(lookups={"GsCompanyId": BY_ACCOUNT, "AuthorId": author})
    lines = [
        activity(0, csm="ben.okafor@ourcompany.example"),
        activity(1, csm="who@elsewhere.example"),
        activity(2, csm=None),
    ]
    run = load_activities(tenant, lines, columns={"csm": TEXT}, entry=entry)
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    sent = json.loads(str(tenant.sandbox.tenant.calls("POST", ACTIVITIES)[0].request))["records"]
    assert [each["Author"] for each in sent] == [line["record"]["csm"] for line in lines[:2]]
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("required_missing", "Author")


def test_author_column_wins_over_lookup(tenant: Tenant) -> None:
    author = {"object_name": "gsuser", "fields": {"csm": "Email"}}
    entry = {"lookups": {"GsCompanyId": BY_ACCOUNT, "AuthorId": author}}
    line = activity(0, csm="ben.okafor@ourcompany.example")
    run = load_activities(tenant, [line], columns={"csm": TEXT}, entry=entry)
    assert run.outcomes(STREAM) == {"created": 1}
    [sent] = json.loads(str(tenant.sandbox.tenant.calls("POST", ACTIVITIES)[0].request))["records"]
    assert sent["Author"] == "ada.park@ourcompany.example"


def test_subject_longer_than_255_characters_rejects_its_activity(tenant: Tenant) -> None:
    lines = [activity(0, Subject="x" * 255), activity(1, Subject="x" * 256)]
    run = load_activities(tenant, lines)
    assert run.outcomes(STREAM) == {"created": 1, "rejected": 1}
    assert run.codes == ["too_long"]


@pytest.mark.parametrize(
    ("mapped", "missing"),
    [(["Subject", "Notes"], ""), (["Notes"], "Subject"), ([], "Subject and Notes")],
)
def test_missing_subject_or_notes_is_warned_of_at_stream_start(
    tenant: Tenant, mapped: list[str], missing: str
) -> None:
    columns = {name: column for name, column in COLUMNS.items() if name not in EXPECTED}
    columns |= {name: COLUMNS[name] for name in mapped}
    lines = [schema(STREAM, columns, keys=["id"]), activity(0)]
    run = tenant.load(*lines, streams={STREAM: {**TIMELINE_ENTRY, "unknown_fields": "drop"}})
    warnings = [line for line in run.log if "nothing fills" in line]
    assert len(warnings) == bool(missing)
    assert all(f"nothing fills {missing};" in line for line in warnings)


def test_author_does_not_count_as_a_change(tenant: Tenant) -> None:
    load_activities(tenant, [activity(0)])
    constants = {**TIMELINE_ENTRY["constants"], "Author": "ben.okafor@ourcompany.example"}
    again = load_activities(tenant, [activity(0)], entry={"constants": constants})
    assert again.outcomes(STREAM) == {"unchanged": 1}


def test_custom_fields_are_compared_too(tenant: Tenant) -> None:
    columns = {"Ant__Score__c": {"type": ["integer", "null"]}}
    load_activities(tenant, [activity(0, Ant__Score__c=3)], columns=columns)
    assert tenant.rows("activity_timeline")[0]["Ant__Score__c"] == 3
    lines = [activity(0, Ant__Score__c=3)]
    assert load_activities(tenant, lines, columns=columns).outcomes(STREAM) == {"unchanged": 1}
    lines = [activity(0, Ant__Score__c=9)]
    assert load_activities(tenant, lines, columns=columns).outcomes(STREAM) == {"updated": 1}
    assert tenant.rows("activity_timeline")[0]["Ant__Score__c"] == 9


def test_several_key_properties_make_one_external_id(tenant: Tenant) -> None:
    columns = {"survey": TEXT, "round": {"type": ["integer", "null"]}}
    lines = [
        activity(0, survey="a|b", round=1),
        activity(1, survey="a", round=2),
        activity(2, survey="a", round=None),
    ]
    run = load_activities(
        tenant, lines, columns=columns, keys=("survey", "round"), entry={"unknown_fields": "drop"}
    )
    assert run.outcomes(STREAM) == {"created": 2, "rejected": 1}
    assert set(notes_of(tenant)) == {"a\\|b|1", "a|2"}
    assert run.codes == ["key_missing"]


def test_external_id_column_wins(tenant: Tenant) -> None:
    entry = {"field_mapping": {"survey_id": "ExternalId"}}
    run = load_activities(
        tenant, [activity(0, survey_id="s-7")], columns={"survey_id": TEXT}, entry=entry
    )
    assert run.outcomes(STREAM) == {"created": 1}
    assert set(notes_of(tenant)) == {"s-7"}


def test_records_of_one_external_id_are_merged(tenant: Tenant) -> None:
    run = load_activities(tenant, [activity(0), activity(0, Notes="later")])
    assert run.outcomes(STREAM) == {"created": 1, "merged": 1}
    assert notes_of(tenant) == {"r0": "later"}


def test_null_clears_a_field_unless_it_is_omitted(tenant: Tenant) -> None:
    load_activities(tenant, activities(range(2)))
    load_activities(tenant, [activity(0, Notes=None)], null_values="omit")
    load_activities(tenant, [activity(1, Notes=None)])
    assert notes_of(tenant) == {"r0": "note 0", "r1": None}


def test_max_creates_stops_before_the_batch(tenant: Tenant) -> None:
    run = load_activities(
        tenant, activities(range(120)), entry={"max_creates": 100}, max_concurrency=1
    )
    assert run.exit_code == 1
    assert tenant.sandbox.tenant.count("activity_timeline") == 100


def test_activities_have_their_own_rate_limit(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(
        **TENANT,
        limits={"calls_per_minute": 5, "calls_per_day": 0, "timeline_calls_per_minute": 10},
    )
    began = tenant.clock.now()
    run = load_activities(
        tenant,
        activities(range(25)),
        batch_size_rows=1,
        calls_per_minute=5,
        timeline_calls_per_minute=10,
        quota_percent=100,
        max_concurrency=1,
    )
    assert run.outcomes(STREAM) == {"created": 25}
    assert {call.status for call in tenant.sandbox.tenant.calls()} == {200}
    assert 120 <= tenant.clock.now() - began < 240  # by the other limit it would be 300


def test_dry_run_writes_nothing_and_shows_the_plan(tenant: Tenant) -> None:
    load_activities(tenant, activities(range(2)))
    tenant.count_calls()
    lines = [activity(0), activity(1, Notes="changed"), activity(2)]
    run = load_activities(tenant, [*lines, state(done=1)], dry_run=True)
    assert run.outcomes(STREAM) == {"created": 1, "updated": 1, "unchanged": 1}
    assert run.states == []
    assert notes_of(tenant) == {"r0": "note 0", "r1": "note 1"}
    assert "timeline" not in tenant.count_calls()
    assert run.target.session.plan is not None
    cost = run.target.session.plan.cost(run.target.summary)
    assert cost["by_kind"]["timeline"] == 2
    assert cost["minutes"] == 0.1


def test_fixed_rejects_are_replayed(tenant: Tenant) -> None:
    run = load_activities(tenant, [activity(0, "Hooli"), activity(1)])
    tenant.sandbox.tenant.seed("company", [{"Name": "Hooli"}])
    again = tenant.load(*run.reject_lines, streams={"activities": TIMELINE_ENTRY})
    assert again.outcomes(STREAM) == {"created": 1}
    assert set(notes_of(tenant)) == {"r0", "r1"}


@pytest.mark.parametrize(
    ("columns", "entry", "message"),
    [
        ({"Subjekt": TEXT}, {}, "activity_timeline has no field Subjekt. Did you mean Subject?"),
        ({}, {"constants": {"ContextName": "Company"}}, "needs TypeName to create a record"),
        ({}, {"constants": {**TIMELINE_ENTRY["constants"], "Typename": "x"}}, "no field Typename"),
        ({}, {"lookups": {"CompanyId": BY_ACCOUNT}}, "no field CompanyId"),
        ({}, {"lookups": {"GsCompanyId": {**BY_ACCOUNT, "fields": {"account": "Nam"}}}}, "by Nam"),
        ({"Ant__Score": TEXT}, {}, "activity_timeline has no field Ant__Score"),
    ],
)
def test_mismatches_are_reported_before_the_first_write(
    tenant: Tenant, columns: Any, entry: Any, message: str
) -> None:
    run = load_activities(tenant, [activity(0)], columns=columns, entry=entry)
    assert run.exit_code == 1
    assert message in run.log[-1]
    assert "timeline" not in tenant.count_calls()


def test_missing_keys_suggest_an_external_id(tenant: Tenant) -> None:
    run = load_activities(tenant, [activity(0)], keys=(), entry={"unknown_fields": "drop"})
    assert run.exit_code == 1
    assert "lookup_keys: No column, constant or lookup fills ExternalId." in run.log[-1]
