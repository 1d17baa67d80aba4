"""Shared by the tests of deletes: three kinds of objects, and records that delete their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from singer_messages import TEXT, Message, record, schema
from singer_runs import TargetRun, Tenant

DELETED_AT = "2026-01-01T00:00:00Z"
DELETES: Message = {"deletes": "delete"}

TENANT: Message = {
    "objects": {
        "relationship": {
            "fields": {
                "CompanyId": {"type": "LOOKUP", "object": "company"},
                "Note__gc": {"type": "STRING"},
            }
        },
        "Plan__gc": {
            "fields": {
                "Code__gc": {"type": "STRING"},
                "Note__gc": {"type": "STRING"},
                "Company__gc": {"type": "LOOKUP", "object": "company"},
            }
        },
        "Visit__gc": {
            "fields": {
                "Company__gc": {"type": "LOOKUP", "object": "company"},
                "Relationship__gc": {"type": "LOOKUP", "object": "relationship"},
                "Plan__gc": {"type": "LOOKUP", "object": "Plan__gc"},
            }
        },
    }
}
"""Three kinds of objects, and one whose rows refer to theirs."""


@dataclass(frozen=True)
class Kind:
    """An object whose rows are deleted.

    Attributes:
        key: The lookup key.
        text: Another field of text.
        reference: The field of a visit that refers to a row.
    """

    object_name: str
    key: str
    text: str
    settings: Mapping[str, Any]
    reference: str

    def schema(self) -> Message:
        columns = dict.fromkeys((self.key, self.text), TEXT)
        return schema("rows", columns, keys=[self.key])

    def write(self, key: object, text: str = "new") -> Message:
        return record("rows", **{self.key: key, self.text: text})

    def delete(self, key: object) -> Message:
        return record("rows", **{self.key: key}, _sdc_deleted_at=DELETED_AT)

    def seed(self, tenant: Tenant, *keys: str) -> list[str]:
        rows = [{self.key: key, self.text: "old"} for key in keys]
        return tenant.sandbox.tenant.seed(self.object_name, rows)

    def keys(self, tenant: Tenant) -> list[str]:
        return sorted(row[self.key] for row in tenant.rows(self.object_name))

    def load(self, tenant: Tenant, *lines: Message, **settings: Any) -> TargetRun:
        return tenant.load(self.schema(), *lines, **{**self.settings, **DELETES, **settings})


COMPANY = Kind("company", "Name", "Industry", {}, "Company__gc")
RELATIONSHIP = Kind(
    "relationship",
    "Name",
    "Note__gc",
    {"object_type": "relationship"},
    "Relationship__gc",
)
PLAN = Kind(
    "Plan__gc",
    "Code__gc",
    "Note__gc",
    {
        "object_type": "custom_object",
        "custom_object_name": "Plan__gc",
        "lookup_keys": ["Code__gc"],
    },
    "Plan__gc",
)
KINDS = (COMPANY, RELATIONSHIP, PLAN)


def deleted_lines(run: TargetRun) -> list[Message]:
    """The messages of the file of deleted rows."""
    path = run.summary["files"].get("deleted")
    if path is None:
        return []
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the summary has text
        return [json.loads(line) for line in file]


def deleted_gsids(run: TargetRun) -> list[str]:
    """The GSIDs of the rows in the file of deleted rows."""
    lines = deleted_lines(run)
    return [line["gainsight_deleted"]["gsid"] for line in lines if line["type"] == "RECORD"]
