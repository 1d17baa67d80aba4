"""Values as sources send them, in links, Timeline, CTAs and bulk files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from activities import CTA_ENTRY, TENANT, TIMELINE_ENTRY
from singer_messages import TEXT, record, schema
from singer_runs import Tenant

NUMBER = {"type": ["null", "number"]}
ADA, BOB = "ada.park@ourcompany.example", "bob.day@ourcompany.example"
ATTENDEES = {"InternalAttendees": {"object_name": "gsuser", "fields": {"who": "Email"}}}


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    users = [{"Name": "Ada Park", "Email": ADA}, {"Name": "Day, Bob", "Email": BOB}]
    objects = {**TENANT["objects"], "Company": {"fields": {"Ext__gc": {"type": "STRING"}}}}
    rows = {**TENANT["rows"], "company": [{"Name": "Initech", "Ext__gc": "7000123456"}]}
    return start_tenant(objects=objects, rows=rows, users=users)


@pytest.mark.parametrize(
    "number", [7000123456, 7000123456.0, "7000123456"], ids=["whole", "float", "text"]
)
def test_number_matches_text_in_lookups_and_links(tenant: Tenant, number: object) -> None:
    person = tenant.load(
        schema("people", {"Email": TEXT, "firm": {}}, ["Email"]),
        record("people", Email="ann@initech.example", firm=number),
        object_type="person",
        company_links={"lookup": {"firm": "Ext__gc"}},
    )
    assert person.outcomes("people") == {"created": 1}
    ctas = tenant.load(
        schema("ctas", {"Response__gc": {}, "firm": {}, "Name": TEXT}, ["Response__gc"]),
        record("ctas", Response__gc=number, firm=number, Name="Call"),
        record("ctas", Response__gc="7000123456", firm=number, Name="Call"),
        object_type=None,
        streams={
            "ctas": {
                **CTA_ENTRY,
                "lookups": {"CompanyId": {"object_name": "company", "fields": {"firm": "Ext__gc"}}},
            }
        },
    )
    assert ctas.outcomes("ctas") == {"created": 1, "merged": 1}
    [row] = tenant.rows("call_to_action")
    assert row["Response__gc"] == "7000123456"


@pytest.mark.parametrize("blank", ["", "  ", "\u00a0\u200b", "\ufeff"])
def test_blank_reference_links_nothing(tenant: Tenant, blank: str) -> None:
    run = tenant.load(
        schema("people", {"Email": TEXT, "firm": TEXT}, ["Email"]),
        record("people", Email="ann@initech.example", firm=blank),
        object_type="person",
        company_links={"lookup": {"firm": "Ext__gc"}},
    )
    assert run.outcomes("people") == {"created": 1}
    assert tenant.rows("company_person") == []


def timeline(tenant: Tenant, columns: dict[str, Any], *records: Any, **entry: Any) -> Any:
    stream = {**TIMELINE_ENTRY, **entry}
    stream["lookups"] = {**TIMELINE_ENTRY["lookups"], **entry.get("lookups", {})}
    messages = [schema("nps", {"id": {}, "account": TEXT, **columns}, ["id"])]
    return tenant.load(*messages, *records, object_type=None, streams={"nps": stream})


def test_activity_takes_epochs_whole_ids_and_undeclared_columns(tenant: Tenant) -> None:
    columns = {"ActivityDate": {}}
    sent = {"account": "Initech", "ActivityDate": "1628720868248"}
    run = timeline(
        tenant,
        columns,
        record("nps", id=5.0, Subject="S", Notes="N", **sent),
        record("nps", id="6", Subject="S", **{**sent, "ActivityDate": 46418}),
        record("nps", id=" ", Subject="S", **sent),
    )
    assert run.outcomes("nps") == {"created": 1, "rejected": 2}
    reasons = [each["gainsight_reject"]["code"] for each in run.rejects]
    assert reasons == ["not_a_datetime", "key_missing"]
    [row] = tenant.rows("activity_timeline")
    assert (row["ExternalId"], row["Subject"], row["Notes"]) == ("5", "S", "N")
    assert row["ActivityDate"].startswith("2021-08-11T22:27:48.248")


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (f"{ADA};{BOB}", 2),
        (f" {ADA} , {BOB} ;", 2),
        (f"{ADA}\n{BOB}", 2),
        (f'["{ADA}", "{BOB}"]', 2),
        ([ADA, BOB], 2),
        (f"{ADA};{ADA.upper()}", 1),
        (f"mailto:{ADA}", 1),
        ("", 0),
        (" ; ", 0),
        (None, 0),
    ],
)
def test_text_may_list_attendees(tenant: Tenant, who: object, expected: int) -> None:
    sent = {"account": "Initech", "ActivityDate": "2026-05-01", "Subject": "S"}
    columns = {"ActivityDate": TEXT, "Subject": TEXT, "who": {}}
    run = timeline(tenant, columns, record("nps", id="1", who=who, **sent), lookups=ATTENDEES)
    assert run.outcomes("nps") == {"created": 1}
    [row] = tenant.rows("activity_timeline")
    assert len(row["InternalAttendees"] or []) == expected


def test_names_in_one_text_are_split_at_semicolons_only(tenant: Tenant) -> None:
    by_name = {"InternalAttendees": {"object_name": "gsuser", "fields": {"who": "Name"}}}
    sent = {"account": "Initech", "ActivityDate": "2026-05-01", "Subject": "S"}
    columns = {"ActivityDate": TEXT, "Subject": TEXT, "who": TEXT}
    run = timeline(
        tenant, columns, record("nps", id="1", who="Ada Park; Day, Bob", **sent), lookups=by_name
    )
    assert run.outcomes("nps") == {"created": 1}
    [row] = tenant.rows("activity_timeline")
    assert len(row["InternalAttendees"]) == 2


def test_name_with_a_comma_is_one_attendee(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("gsuser", [{"Name": "Day", "Email": "day@our.example"}])
    by_name = {"InternalAttendees": {"object_name": "gsuser", "fields": {"who": "Name"}}}
    sent = {"account": "Initech", "ActivityDate": "2026-05-01", "Subject": "S", "who": "Day, Bob"}
    columns = {"ActivityDate": TEXT, "Subject": TEXT, "who": TEXT}
    run = timeline(tenant, columns, record("nps", id="1", **sent), lookups=by_name)
    assert run.outcomes("nps") == {"created": 1}
    [bob] = tenant.rows("gsuser", Name="Day, Bob")
    [row] = tenant.rows("activity_timeline")
    assert row["InternalAttendees"] == [bob["Gsid"]]


def test_invalid_attendee_is_named_with_one_suggestion(tenant: Tenant) -> None:
    sent = {"account": "Initech", "ActivityDate": "2026-05-01", "Subject": "S"}
    columns = {"ActivityDate": TEXT, "Subject": TEXT, "who": TEXT}
    run = timeline(
        tenant, columns, record("nps", id="1", who=f"{ADA}; Bob", **sent), lookups=ATTENDEES
    )
    reason = run.rejects[0]["gainsight_reject"]
    assert (reason["code"], reason["value"]) == ("not_an_email", "Bob")
    assert reason["hint"] == (
        "Send one bare address, such as ann@example.com. Separate several by semicolons."
    )
    assert reason["hint"] not in reason["message"]
