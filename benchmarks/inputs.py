"""The inputs: Singer files of companies and people, the same for everything that is compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]

TEXT = {"type": ["string", "null"]}
WHOLE = {"type": ["integer", "null"]}
COMPANY = {
    "Name": {"type": "string"},
    "Industry": TEXT,
    "Employees": WHOLE,
    "ARR": {"type": ["number", "null"]},
    "Users": WHOLE,
    "Status": {"type": ["string", "null"], "enum": ["Active", "Inactive", "Churn", None]},
    "Stage": TEXT,
    "RenewalDate": {"type": ["string", "null"], "format": "date"},
    "TickerSymbol": {"type": ["string", "null"], "maxLength": 20},
    "BillingAddress": TEXT,
    "Summary": TEXT,
    "LifecycleInWeeks": {"type": ["integer", "null"], "minimum": 0},
}
"""Twelve columns of the kinds that a warehouse delivers."""

PERSON = {"Email": {"type": "string"}, "FirstName": TEXT, "LastName": TEXT, "Location": TEXT}
INDUSTRIES = ("Software", "Manufacturing", "Healthcare", "Retail")
STATUSES = ("Active", "Inactive", "Churn")
STAGES = ("New Customer", "Kicked Off", "Launched", "Adopting")


def company(number: int) -> Record:
    """One company."""
    return {
        "Name": f"Company {number:07}",
        "Industry": INDUSTRIES[number % 4],
        "Employees": number % 5000,
        "ARR": 1000.25 + number % 900,
        "Users": number % 300,
        "Status": STATUSES[number % 3],
        "Stage": STAGES[number % 4],
        "RenewalDate": f"20{26 + number % 4}-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "TickerSymbol": f"T{number % 9999}",
        "BillingAddress": f"{number % 200} Main Street, Springfield",
        "Summary": None if number % 3 else "Renewed early, and asked for more seats",
        "LifecycleInWeeks": number % 400,
    }


def person(number: int) -> Record:
    """One person."""
    return {
        "Email": f"person{number}@customer.example",
        "FirstName": "Ann",
        "LastName": f"Number {number}",
        "Location": "Springfield",
    }


def every(step: int, **fields: object) -> Callable[[int, Record], Record]:
    """Change fields of every n-th record."""
    return lambda number, record: {**record, **fields} if number % step == 0 else record


def as_is(_number: int, record: Record) -> Record:
    """Leave a record as it is."""
    return record


def write_input(
    path: Path,
    count: int,
    *,
    kind: str = "company",
    change: Callable[[int, Record], Record] = as_is,
) -> Path:
    """Write a Singer file of so many companies or people, with one STATE at its end.

    Args:
        path: Where to.
        count: How many records.
        kind: company or person.
        change: What is made of each, by its number.

    Returns:
        The path.
    """
    make = company if kind == "company" else person
    with path.open("w", encoding="utf-8") as file:
        file.writelines(_lines(kind, (change(n, make(n)) for n in range(count))))
        file.write(json.dumps({"type": "STATE", "value": {"done": count}}) + "\n")
    return path


def _lines(kind: str, records: Iterator[Record]) -> Iterator[str]:
    properties = COMPANY if kind == "company" else PERSON
    yield _line(
        {
            "type": "SCHEMA",
            "stream": "benchmark",
            "schema": {"type": "object", "properties": properties},
            "key_properties": ["Name" if kind == "company" else "Email"],
        }
    )
    for record in records:
        yield _line({"type": "RECORD", "stream": "benchmark", "record": record})


def _line(message: Record) -> str:
    return json.dumps(message) + "\n"
