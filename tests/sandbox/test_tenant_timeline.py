"""Sections 7 and 8: Timeline and CTAs, with an outcome per record."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

from target_gainsight.sandbox import ServerRule

ACTIVITY = "/v1/ant/es/activity"
CTA = "/v2/cockpit/cta/"
WHEN = "2026-02-01T09:30:00.000+01:00"
ADA = "ada.park@ourcompany.example"
BEN = "ben.okafor@ourcompany.example"


def lookup(column: str, field: str, object_name: str, **options: str) -> dict[str, Any]:
    return {
        "fields": {column: field},
        "lookupField": "Gsid",
        "objectName": object_name,
        "multiMatchOption": "FIRSTMATCH",
        "onNoMatch": "ERROR",
        **options,
    }


LOOKUPS = {
    "AuthorId": lookup("Author", "Email", "GsUser"),
    "GsCompanyId": lookup("companyName", "Name", "Company"),
    "InternalAttendees": lookup("internalAttendees", "Email", "GsUser"),
}
SAMPLE = {
    "ContextName": "Company",
    "TypeName": "Update",
    "ExternalId": "16f0383a",
    "Subject": "Demo",
    "Notes": "notes",
    "ActivityDate": WHEN,
    "Author": ADA,
    "companyName": "One",
    "internalAttendees": [ADA, BEN],
}


def save(
    api: Api, *records: Any, method: str = "POST", lookups: Any = None, query: str = ""
) -> requests.Response:
    body = {"records": list(records), **({"lookups": lookups} if lookups else {})}
    return api.call(method, f"{ACTIVITY}{query}", body)


def update(api: Api, *records: Any) -> requests.Response:
    return save(api, *records, method="PUT", query="?identifier=externalid")


def plain(api: Api, external_id: str, **fields: Any) -> dict[str, Any]:
    company = api.tenant.rows("company")[0]["Gsid"]
    defaults = {"ContextName": "Company", "TypeName": "Update", "ActivityDate": WHEN, "Author": ADA}
    return {**defaults, "ExternalId": external_id, "GsCompanyId": company, **fields}


def failures(answer: requests.Response) -> dict[str, str]:
    """The code of each reference that failed."""
    listed = answer.json()["data"]["failures"]
    return {reference: why[0]["errorCode"] for reference, why in listed.items()}


@pytest.fixture
def api(open_tenant: OpenTenant) -> Api:
    return open_tenant(rows={"company": [{"Name": "One"}], "activity_type": [{"Name": "Survey"}]})


def test_documented_sample_is_saved(api: Api) -> None:
    answer = save(api, SAMPLE, lookups=LOOKUPS)
    row = api.tenant.rows("activity_timeline")[0]
    assert answer.json()["data"] == {
        "success": {"16f0383a": [{"activityId": row["Gsid"]}]},
        "failures": {},
    }
    users = {user["Email"]: user["Gsid"] for user in api.tenant.rows("gsuser")}
    assert row["AuthorId"] == users[ADA]
    assert row["InternalAttendees"] == [users[ADA], users[BEN]]
    assert row["GsCompanyId"] == api.tenant.rows("company")[0]["Gsid"]
    assert row["ActivityDate"] == "2026-02-01T08:30:00.000Z"


def test_external_id_stays_taken(api: Api) -> None:
    save(api, plain(api, "a"))
    answer = save(api, plain(api, "a", Notes="x"), plain(api, "b"), plain(api, "b"))
    assert failures(answer) == {"a": "GS_TL_10_0207", "b": "GS_TL_10_0207"}
    assert [row["ExternalId"] for row in api.tenant.rows("activity_timeline")] == ["a", "b"]
    assert api.tenant.rows("activity_timeline")[0]["Notes"] is None


def test_put_changes_what_is_there_and_adds_nothing(api: Api) -> None:
    save(api, plain(api, "a", Subject="s"))
    answer = update(api, {"ExternalId": "a", "Notes": "new"}, {"ExternalId": "b"})
    assert set(answer.json()["data"]["success"]) == {"a"}
    assert set(failures(answer)) == {"b"}
    rows = api.tenant.rows("activity_timeline")
    assert [(row["Subject"], row["Notes"]) for row in rows] == [("s", "new")]


@pytest.mark.parametrize(
    ("switches", "fields", "missing"),
    [
        ({}, {"Author": None}, "Author"),
        ({"timeline_author": "author_or_id"}, {"Author": None}, "Author"),
        ({"timeline_author": "optional"}, {"Author": None}, ""),
        ({"timeline_texts_required": True}, {"Subject": "s"}, "Notes"),
        ({"timeline_texts_required": True}, {"Subject": "s", "Notes": "n"}, ""),
    ],
)
def test_required_activity_fields_are_a_switch(
    open_tenant: OpenTenant, switches: Any, fields: Any, missing: str
) -> None:
    api = open_tenant(rows={"company": [{"Name": "One"}]}, switches=switches)
    answer = save(api, plain(api, "a", **fields))
    failed = answer.json()["data"]["failures"]
    assert bool(failed) == bool(missing)
    if missing:
        assert failed["a"][0]["message"] == f"Missing field: {missing}"


def test_author_id_replaces_author_if_switched_on(open_tenant: OpenTenant) -> None:
    switches = {"timeline_author": "author_or_id"}
    api = open_tenant(rows={"company": [{"Name": "One"}]}, switches=switches)
    user = api.tenant.rows("gsuser")[0]["Gsid"]
    answer = save(api, plain(api, "a", Author=None, AuthorId=user))
    assert set(answer.json()["data"]["success"]) == {"a"}


@pytest.mark.parametrize("query", ["", "?identifier=gsid"])
def test_update_requires_the_identifier(api: Api, query: str) -> None:
    assert save(api, plain(api, "a"), method="PUT", query=query).status_code == 400


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"TypeName": None}, "GS_TL_10_0206"),
        ({"ActivityDate": ""}, "GS_TL_10_0206"),
        ({"GsCompanyId": None}, "GS_TL_10_0206"),
        ({"ContextName": "Relationship"}, "GS_TL_10_0206"),
        ({"ContextName": "Team"}, "GS_TL_10_0208"),
        ({"TypeName": "Gossip"}, "GS_TL_10_0208"),
        ({"ActivityDate": "2026-02-01T09:30:00+01:00"}, "GS_TL_10_0210"),
        ({"ActivityDate": "2026-02-01T09:30:00.000"}, "GS_TL_10_0210"),
        ({"ActivityDate": "2026-02-01"}, "GS_TL_10_0210"),
        ({"ActivityDate": 5}, "GS_TL_10_0210"),
        ({"GsCompanyId": "1P02" + "A" * 32}, "GSOBJ_1002"),
        ({"Ant__Nope__c": "x"}, "GSOBJ_1002"),
    ],
)
def test_invalid_record_fails_alone(api: Api, fields: Any, code: str) -> None:
    answer = save(api, plain(api, "good"), plain(api, "bad", **fields))
    assert answer.status_code == 200
    assert failures(answer) == {"bad": code}
    assert [row["ExternalId"] for row in api.tenant.rows("activity_timeline")] == ["good"]


def test_custom_activity_types_are_known(api: Api) -> None:
    assert failures(save(api, plain(api, "a", TypeName="Survey"))) == {}


@pytest.mark.parametrize(
    "fields",
    [{"companyName": "Two"}, {"Author": "x@y.example"}, {"internalAttendees": [ADA, "x@y.z"]}],
)
def test_missed_lookup_fails_its_record(api: Api, fields: Any) -> None:
    answer = save(api, {**SAMPLE, **fields}, {**SAMPLE, "ExternalId": "b"}, lookups=LOOKUPS)
    assert failures(answer) == {"16f0383a": "GS_TL_10_0213"}
    assert api.tenant.count("activity_timeline") == 1


@pytest.mark.parametrize("body", [None, {}, {"records": []}, {"records": [5]}, {"records": [{}]}])
def test_invalid_body_is_refused_as_a_whole(api: Api, body: Any) -> None:
    assert api.call("POST", ACTIVITY, body).status_code == 400


def test_at_most_fifty_in_a_call(api: Api) -> None:
    assert save(api, *(plain(api, str(n)) for n in range(51))).status_code == 400
    assert api.tenant.count("activity_timeline") == 0


def test_activities_are_read_by_query(api: Api) -> None:
    save(api, plain(api, "a", Notes="x"), plain(api, "b"))
    wanted = ("ExternalId", "IN", ["a", "c"])
    select = ["ExternalId", "Notes", "ContextName", "GsCompanyId__gr.Name"]
    assert api.found("activity_timeline", select, wanted) == [
        {"ExternalId": "a", "Notes": "x", "ContextName": "Company", "GsCompanyId__gr.Name": "One"}
    ]


def test_activities_are_not_written_through_the_records_api(api: Api) -> None:
    assert api.insert("activity_timeline", plain(api, "a")).json()["errorCode"] == "GSOBJ_1023"


def test_treatment_of_unknown_names_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(
        rows={"company": [{"Name": "One"}]},
        switches={
            "timeline_query": "refused",
            "timeline_answers": "list",
            "timeline_duplicate_code": "X",
            "failed_records_answer": "false_400",
        },
    )
    save(api, plain(api, "a"))
    answer = save(api, plain(api, "a"), plain(api, "b"))
    assert answer.status_code == 400
    assert answer.json()["result"] is False
    assert answer.json()["data"]["failures"][0]["a"][0]["errorCode"] == "X"
    assert list(answer.json()["data"]["success"][0]) == ["b"]
    assert api.query("activity_timeline", select=["Gsid"]).status_code == 400


def test_hidden_rules_fail_single_records(api: Api) -> None:
    api.tenant.faults.rules.append(ServerRule("Activity_Timeline", "Subject", "bad", code="Y"))
    answer = save(api, plain(api, "a", Subject="bad"), plain(api, "b", Subject="good"))
    assert failures(answer) == {"a": "Y"}


def test_auto_create_takes_fields_and_types_as_they_come(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True, rows={"company": [{"Name": "One"}]})
    answer = save(api, plain(api, "a", TypeName="Gossip", Ant__New__c=5, Author=ADA))
    assert failures(answer) == {}
    assert api.tenant.rows("activity_timeline")[0]["Ant__New__c"] == 5


def cta(**fields: Any) -> dict[str, Any]:
    defaults = {"Name": "Low NPS", "CompanyName": "One", "OwnerEmail": ADA, "DueDate": "2026-02-01"}
    named = {"type": "Risk", "reason": "Low NPS", "status": "New", "priority": "High"}
    return {"record": {**defaults, **named, **fields}}


CTA_LOOKUPS = {
    "OwnerId": lookup("OwnerEmail", "Email", "gsuser"),
    "CompanyId": lookup("CompanyName", "Name", "company"),
}


def send(api: Api, *requests_: Any, method: str = "POST", path: str = CTA) -> requests.Response:
    return api.call(method, path, {"requests": list(requests_), "lookups": CTA_LOOKUPS})


@pytest.mark.parametrize("path", [CTA, CTA.rstrip("/")])
def test_cta_is_created_by_names_and_lookups(api: Api, path: str) -> None:
    answer = send(api, cta(referenceId="r1"), path=path)
    row = api.tenant.rows("call_to_action")[0]
    assert answer.json()["data"] == {"success": [{"r1": row["Gsid"]}], "failure": []}
    select = ["Name", "CompanyId__gr.Name", "OwnerId__gr.Email", "TypeId__gr.Name", "DueDate"]
    assert api.found("call_to_action", select) == [
        {
            "Name": "Low NPS",
            "CompanyId__gr.Name": "One",
            "OwnerId__gr.Email": ADA,
            "TypeId__gr.Name": "Risk",
            "DueDate": 1_769_904_000_000,
        }
    ]


def test_each_reference_is_answered(api: Api) -> None:
    answer = send(
        api,
        cta(referenceId="a"),
        cta(referenceId="b", reason="Gossip"),
        cta(referenceId="c", CompanyName="Two"),
        cta(referenceId="d", Nope=1),
        cta(referenceId="e", type=None),
        cta(),
    )
    data = answer.json()["data"]
    assert [list(each) for each in data["success"]] == [["a"], ["6"]]
    assert data["failure"] == [
        {"b": "Invalid reason (reason = Gossip)."},
        {"c": "No record matches the lookup of CompanyId (CompanyId = Two)."},
        {"d": "Invalid field Nope"},
        {"e": "Mandatory fields are missing: TypeId"},
    ]
    assert api.tenant.count("call_to_action") == 2


def test_cta_is_updated_by_gsid(api: Api) -> None:
    send(api, cta(), cta(Name="Other"))
    gsid = api.tenant.rows("call_to_action")[0]["Gsid"]
    changed = {"record": {"referenceId": "x", "Gsid": gsid, "status": "Closed Success"}}
    missing = {"record": {"referenceId": "y", "Gsid": "1S01" + "A" * 32}}
    data = send(api, changed, missing, method="PUT").json()["data"]
    assert data["success"] == [{"x": gsid}]
    assert [list(each) for each in data["failure"]] == [["y"]]
    found = api.found("call_to_action", ["StatusId__gr.Name"])
    assert [row["StatusId__gr.Name"] for row in found] == ["Closed Success", "New"]


def test_custom_cta_items_are_known(open_tenant: OpenTenant) -> None:
    rows = {"company": [{"Name": "One"}], "cta_item": [{"Kind": "reason", "Name": "Gossip"}]}
    api = open_tenant(rows=rows)
    assert send(api, cta(reason="Gossip")).json()["data"]["failure"] == []


@pytest.mark.parametrize(
    "body", [None, {}, {"requests": []}, {"requests": [{}]}, {"requests": [1]}]
)
def test_requests_that_are_not_right_are_refused_whole(api: Api, body: Any) -> None:
    assert api.call("POST", CTA, body).status_code == 400
    assert api.call("PUT", CTA, body).status_code == 400
