"""Singer messages as tests write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

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
