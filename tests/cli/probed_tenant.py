"""A tenant with an object for write probes, and what it holds, value for value."""

from __future__ import annotations

from typing import Any

from target_gainsight.sandbox import Tenant
from target_gainsight.sandbox.storage.store import quoted

OBJECT = "Trial__gc"
EMAIL = "ann@initech.example"
PROBED: dict[str, Any] = {
    "limits": {"calls_per_minute": 0, "calls_per_day": 0},
    "objects": {
        OBJECT: {
            "fields": {
                "Code__gc": {"type": "STRING", "required": True},
                "Note__gc": {"type": "STRING"},
                "Day__gc": {"type": "DATE"},
                "At__gc": {"type": "DATETIME"},
                "Kind__gc": {"type": "PICKLIST", "options": ["Red", "Blue"]},
                "Flag__gc": {"type": "BOOLEAN"},
                "Score__gc": {"type": "NUMBER"},
                "Company__gc": {"type": "LOOKUP", "object": "company"},
            }
        },
    },
    "rows": {
        "company": [{"Name": "Initech"}],
        "person": [{"Email": EMAIL, "FirstName": "Ann", "LastName": "Lee"}],
        OBJECT: [
            {"Code__gc": "K1", "Note__gc": "probe 2", "Score__gc": 5},
            {"Code__gc": "tg-probe-0123456789ab-3", "Note__gc": "typed by hand"},
            {"Code__gc": "TG-PROBE-", "Kind__gc": "Blue"},
            {"Code__gc": "", "Flag__gc": True},
        ],
    },
}


def held(tenant: Tenant) -> dict[str, list[Any]]:
    """Every stored value of every row, those that the server sets included."""
    return {
        model.name: sorted(tenant.store.rows(f"SELECT * FROM {quoted(model.name)}"), key=repr)  # noqa: S608
        for model in tenant.objects()
    }


def sent_kinds(tenant: Tenant) -> list[str]:
    """The kinds of the calls so far."""
    return [call.kind for call in tenant.calls()]
