"""The input of the soak: five streams that refer to each other, mixed, a state after every few."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

REFUSED = "refused by a rule of the tenant"
STATE_EVERY = 7
_PARENT_OF = {1: lambda place: f"C{place + 1}", 4: lambda place: f"C{place - 4}"}
_TEXT = {"type": ["string", "null"]}
_BY_ACCOUNT = {"object_name": "company", "fields": {"account": "Name"}}
_WHEN = "2026-02-01T09:30:00+01:00"

TENANT: Message = {
    "limits": dict.fromkeys(("calls_per_minute", "calls_per_day", "timeline_calls_per_minute"), 0),
    "objects": {
        "Response__gc": {
            "fields": {
                "Code__gc": {"type": "STRING", "required": True},
                "Company__gc": {"type": "LOOKUP", "object": "company"},
                "Score__gc": {"type": "NUMBER"},
            }
        },
        "call_to_action": {"fields": {"Response__gc": {"type": "STRING"}}},
    },
    "rows": {"activity_type": [{"Name": "Survey Response"}]},
}
SETTINGS: Message = {
    "read_group_size": 10,
    "batch_size_rows": 5,
    "calls_per_minute": 1_000_000,
    "calls_per_day": 1_000_000_000,
    "timeline_calls_per_minute": 1_000_000,
    "max_reject_percent": 100,
    "streams": {
        "accounts": {
            "object_type": "company",
            "lookups": {"ParentCompany": {"object_name": "company", "fields": {"parent": "Name"}}},
        },
        "responses": {
            "object_type": "custom_object",
            "custom_object_name": "Response__gc",
            "lookup_keys": ["Code__gc"],
            "lookups": {"Company__gc": _BY_ACCOUNT},
        },
        "people": {"object_type": "person", "company_links": {"lookup": {"account": "Name"}}},
        "activities": {
            "object_type": "timeline",
            "constants": {
                "ContextName": "Company",
                "TypeName": "Survey Response",
                "Author": "ada.park@ourcompany.example",
            },
            "lookups": {"GsCompanyId": _BY_ACCOUNT},
        },
        "ctas": {
            "object_type": "cta",
            "lookup_keys": ["Response__gc"],
            "constants": {"type": "Risk", "status": "New", "priority": "High"},
            "lookups": {"CompanyId": _BY_ACCOUNT},
        },
    },
}
KEYS = {
    "accounts": "Name",
    "responses": "Code__gc",
    "people": "Email",
    "activities": "id",
    "ctas": "Response__gc",
}
FIELDS = {
    "company": ("Name", "Industry", "Employees", "ParentCompany"),
    "Response__gc": ("Code__gc", "Score__gc", "Company__gc"),
    "person": ("Email", "FirstName"),
    "company_person": ("Person_ID", "Company_ID"),
    "activity_timeline": ("ExternalId", "Notes", "GsCompanyId"),
    "call_to_action": ("Response__gc", "Comments", "CompanyId"),
}
"""Fields that are compared in each object; the first one names a row, except of links."""

SCHEMAS: tuple[Message, ...] = tuple(
    {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": columns},
        "key_properties": [KEYS[stream]],
    }
    for stream, columns in {
        "accounts": {
            "Name": _TEXT,
            "Industry": _TEXT,
            "Employees": {"type": ["integer", "null"]},
            "parent": _TEXT,
        },
        "responses": {
            "Code__gc": _TEXT,
            "Score__gc": {"type": ["integer", "null"]},
            "account": _TEXT,
        },
        "people": {"Email": _TEXT, "FirstName": _TEXT, "account": _TEXT},
        "activities": {
            "id": _TEXT,
            "account": _TEXT,
            "Subject": _TEXT,
            "Notes": _TEXT,
            "ActivityDate": {"type": ["string", "null"], "format": "date-time"},
        },
        "ctas": {
            "Response__gc": _TEXT,
            "account": _TEXT,
            "Name": _TEXT,
            "Comments": _TEXT,
            "DueDate": {"type": ["string", "null"], "format": "date"},
        },
    }.items()
)


class SoakInput:
    """Records in an order that a seed makes.

    Children name companies that came before; a company may name a parent that comes soon after.
    Some companies come twice, some are refused by the tenant, and their children with them.

    Args:
        count: How many records.
        seed: Of all chance.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._companies = 0
        self.records = [self._record(number) for number in range(count)]

    def messages(self, start: int) -> Iterator[Message]:
        """The input from one record on, which a state of this number covers."""
        yield from SCHEMAS
        for number, record in enumerate(self.records[start:], start=start + 1):
            yield record
            if number % STATE_EVERY == 0 or number == len(self.records):
                yield {"type": "STATE", "value": {"read": number}}

    def _record(self, number: int) -> Message:
        kinds = ("accounts", "responses", "people", "activities", "ctas")
        stream = self._chance.choices(kinds, weights=(4, 3, 1, 1, 1))[0]
        if not self._companies:
            stream = "accounts"
        fields = getattr(self, f"_of_{stream}")(number)
        return {"type": "RECORD", "stream": stream, "record": fields}

    def _of_accounts(self, number: int) -> Message:
        again = self._companies and self._chance.random() < 0.2  # noqa: PLR2004
        place = self._chance.randrange(self._companies) if again else self._companies
        self._companies = max(self._companies, place + 1)
        refused = place % 23 == 11  # noqa: PLR2004
        return {
            "Name": f"C{place}",
            "Industry": REFUSED if refused else f"industry {number}",
            "Employees": number,
            "parent": _PARENT_OF.get(place % 5, lambda _: None)(place),
        }

    def _of_responses(self, number: int) -> Message:
        return {"Code__gc": f"r{number}", "Score__gc": number % 11, "account": self._account()}

    def _of_people(self, number: int) -> Message:
        return {
            "Email": f"p{number % 40}@x.io",
            "FirstName": f"first {number}",
            "account": self._account(),
        }

    def _of_activities(self, number: int) -> Message:
        return {
            "id": f"a{number}",
            "account": self._account(),
            "Subject": "NPS",
            "Notes": f"note {number}",
            "ActivityDate": _WHEN,
        }

    def _of_ctas(self, number: int) -> Message:
        return {
            "Response__gc": f"r{number}",
            "account": self._account(),
            "Name": "Low NPS",
            "Comments": f"comment {number}",
            "DueDate": "2026-09-01",
        }

    def _account(self) -> str:
        return f"C{self._chance.randrange(self._companies)}"
