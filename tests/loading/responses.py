"""A stream of survey responses that refer to companies, for tests of lookups."""

from __future__ import annotations

from typing import Any

from singer_messages import Message, record, schema
from singer_runs import TargetRun, Tenant

TEXT = {"type": ["string", "null"]}
WHOLE = {"type": ["integer", "null"]}

RESPONSES: Message = {
    "objects": {
        "Response__gc": {
            "fields": {
                "Code__gc": {"type": "STRING", "required": True},
                "Company__gc": {"type": "LOOKUP", "object": "company"},
                "Manager__gc": {"type": "LOOKUP", "object": "gsuser"},
                "Partner__gc": {"type": "LOOKUP", "object": "company"},
                "Month__gc": {"type": "NUMBER"},
                "Score__gc": {"type": "NUMBER"},
            }
        }
    }
}
COLUMNS = {"Code__gc": TEXT, "Score__gc": WHOLE, "account": TEXT}


def by_name(**further: Any) -> Message:
    """A lookup of a company by its name, from column ``account``."""
    return {"object_name": "company", "fields": {"account": "Name"}, **further}


def routed(lookups: Message | None = None, **further: Any) -> Message:
    """The entry of stream ``responses``."""
    return {
        "object_type": "custom_object",
        "custom_object_name": "Response__gc",
        "lookup_keys": ["Code__gc"],
        "lookups": {"Company__gc": by_name()} if lookups is None else lookups,
        **further,
    }


def responses_schema(**columns: Message) -> Message:
    return schema("responses", {**COLUMNS, **columns}, keys=["Code__gc"])


def response(code: str, account: object = None, **fields: Any) -> Message:
    return record("responses", Code__gc=code, account=account, **fields)


def load_responses(
    tenant: Tenant,
    lines: list[Message],
    lookups: Message | None = None,
    *,
    columns: Message | None = None,
    entry: Message | None = None,
    **settings: Any,
) -> TargetRun:
    """Load responses that were written with ``response``."""
    streams = {"responses": routed(lookups, **(entry or {}))}
    messages = [responses_schema(**(columns or {})), *lines]
    return tenant.load(*messages, streams=streams, **settings)


def companies_of(tenant: Tenant, field: str = "Company__gc") -> dict[str, str | None]:
    """By the code of each response in the tenant, the name of the company it points to."""
    names = {row["Gsid"]: row["Name"] for row in tenant.rows("company")}
    return {
        row["Code__gc"]: names.get(row[field]) if row[field] else None
        for row in tenant.rows("Response__gc")
    }


def queries(tenant: Tenant, object_name: str) -> int:
    """Count the queries of an object that the tenant received."""
    calls = tenant.sandbox.tenant.calls("POST", f"/query/{object_name}")
    return sum(call.path.lower().endswith(f"/query/{object_name.lower()}") for call in calls)
