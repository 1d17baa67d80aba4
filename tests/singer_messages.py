"""Singer messages as tests write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Message = dict[str, Any]

TEXT = {"type": ["string", "null"]}
COMPANY_COLUMNS: Message = {
    "Name": TEXT,
    "Industry": TEXT,
    "Employees": {"type": ["integer", "null"]},
    "Status": TEXT,
    "RenewalDate": {"type": ["string", "null"], "format": "date"},
    "TickerSymbol": TEXT,
}


def schema(
    stream: str = "accounts", columns: Message | None = None, keys: Iterable[str] = ("Name",)
) -> Message:
    properties = COMPANY_COLUMNS if columns is None else columns
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
    }


def record(stream: str = "accounts", /, **fields: Any) -> Message:
    return {"type": "RECORD", "stream": stream, "record": fields}


def state(**value: Any) -> Message:
    return {"type": "STATE", "value": value}


NOTES: Message = {"objects": {"Note__gc": {"fields": {"Text__gc": {"type": "STRING"}}}}}
"""The description of a tenant with an object that has no natural key."""
NOTE_SETTINGS: Message = {
    "object_type": "custom_object",
    "custom_object_name": "Note__gc",
    "sync_mode": "insert",
}


def companies(numbers: Iterable[int], **fields: Any) -> list[Message]:
    """Records of companies C0, C1, …"""
    return [record(Name=f"C{number}", **fields) for number in numbers]


def notes(numbers: Iterable[int]) -> list[Message]:
    """A stream without keys: N0, N1, …"""
    columns = {"Text__gc": {"type": "string"}}
    lines = [record("notes", Text__gc=f"N{number}") for number in numbers]
    return [schema("notes", columns, keys=[]), *lines]
