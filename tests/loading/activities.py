"""Streams of survey responses that become Timeline activities or CTAs, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from singer_messages import TEXT, Message, record, schema
from singer_runs import TargetRun, Tenant

from target_gainsight.sandbox import Fault

ACTIVITIES = "/v1/ant/es/activity"
CTAS = "/v2/cockpit/cta*"
COLUMNS: Message = {
    "id": TEXT,
    "account": TEXT,
    "Subject": TEXT,
    "Notes": TEXT,
    "ActivityDate": {"type": ["string", "null"], "format": "date-time"},
}
ANSWER_LOST = (
    Fault("reset_before_commit"),
    Fault("reset_after_commit"),
    Fault("server_error", committed=True),
    Fault("truncated_body"),
    Fault("empty_body"),
    Fault("html_body"),
    Fault("wrong_shape"),
)
WHEN = "2026-02-01T09:30:00+01:00"
TENANT: Message = {
    "objects": {
        "activity_timeline": {"fields": {"Ant__Score__c": {"type": "NUMBER"}}},
        "call_to_action": {"fields": {"Response__gc": {"type": "STRING"}}},
    },
    "rows": {
        "company": [{"Name": "Initech"}, {"Name": "Globex"}],
        "activity_type": [{"Name": "Survey Response"}],
    },
}
BY_ACCOUNT: Message = {"object_name": "company", "fields": {"account": "Name"}}
TIMELINE_ENTRY: Message = {
    "object_type": "timeline",
    "constants": {
        "ContextName": "Company",
        "TypeName": "Survey Response",
        "Author": "ada.park@ourcompany.example",
    },
    "lookups": {"GsCompanyId": BY_ACCOUNT},
}
CTA_COLUMNS: Message = {"Response__gc": TEXT, "account": TEXT, "Name": TEXT, "Comments": TEXT}
CTA_ENTRY: Message = {
    "object_type": "cta",
    "lookup_keys": ["Response__gc"],
    "constants": {"type": "Risk", "status": "New", "priority": "High", "DueDate": "+14d"},
    "lookups": {"CompanyId": BY_ACCOUNT},
}


def activity(number: int | str, account: str | None = "Initech", **fields: Any) -> Message:
    defaults = {"Subject": f"NPS {number}", "Notes": f"note {number}", "ActivityDate": WHEN}
    return record("activities", id=f"r{number}", account=account, **{**defaults, **fields})


def activities(numbers: Iterable[int], **fields: Any) -> list[Message]:
    return [activity(number, **fields) for number in numbers]


def load_activities(
    tenant: Tenant,
    lines: Iterable[Message],
    *,
    columns: Message | None = None,
    keys: Iterable[str] = ("id",),
    entry: Message | None = None,
    **settings: Any,
) -> TargetRun:
    """Load activities that were written with ``activity``."""
    streams = {"activities": {**TIMELINE_ENTRY, **(entry or {})}}
    start = schema("activities", {**COLUMNS, **(columns or {})}, keys=keys)
    return tenant.load(start, *lines, streams=streams, **settings)


def notes_of(tenant: Tenant) -> dict[str, str | None]:
    """By ExternalId, the notes of every activity in the tenant."""
    return {row["ExternalId"]: row["Notes"] for row in tenant.rows("activity_timeline")}


def cta(number: int, account: str | None = "Initech", **fields: Any) -> Message:
    defaults = {"Name": "Low NPS", "Comments": f"comment {number}"}
    return record("ctas", Response__gc=f"r{number}", account=account, **{**defaults, **fields})


def ctas(numbers: Iterable[int], **fields: Any) -> list[Message]:
    return [cta(number, **fields) for number in numbers]


def load_ctas(
    tenant: Tenant,
    lines: Iterable[Message],
    *,
    columns: Message | None = None,
    keys: Iterable[str] = ("Response__gc",),
    entry: Message | None = None,
    **settings: Any,
) -> TargetRun:
    """Load CTAs that were written with ``cta``."""
    streams = {"ctas": {**CTA_ENTRY, **(entry or {})}}
    start = schema("ctas", {**CTA_COLUMNS, **(columns or {})}, keys=keys)
    return tenant.load(start, *lines, streams=streams, **settings)


def comments_of(tenant: Tenant) -> dict[str, str | None]:
    """By the response it is for, the comment of every CTA in the tenant."""
    return {row["Response__gc"]: row["Comments"] for row in tenant.rows("call_to_action")}
