"""A summary document as a night in production leaves it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

RUN = "20260201T020000Z-3f9a17c4"
START = datetime(2026, 2, 1, 2, tzinfo=timezone.utc)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def calls_per_minute(*counts: int, group: str = "synchronous") -> list[dict[str, Any]]:
    """Calls of one group, minute by minute; 0 leaves the minute out."""
    return [
        {"minute": (START + timedelta(minutes=at)).isoformat(timespec="minutes"), group: count}
        for at, count in enumerate(counts)
        if count
    ]


def document(**changes: Any) -> dict[str, Any]:
    """A run with rejects in one of three streams."""
    hint = "Send the label as Gainsight has it, or add the item there."
    example = {
        "stream": "accounts",
        "key": {"account_id": "001A00000012Ab3"},
        "field": "Industry",
        "value": "Softwear",
        "message": "Industry has no item 'Softwear'. Did you mean Software?",
        "suggestion": hint,
    }
    child = {
        "stream": "contacts",
        "key": {"contact_id": 7781},
        "field": "company_links",
        "value": "001A00000012Ab3",
        "message": "no row of company has SfdcAccountId = '001A00000012Ab3'",
        "suggestion": "its parent was rejected in this run: fix that one first, then replay",
    }
    minutes = calls_per_minute(12, 64, *([90] * 24), 71, 90, 90, *([89, 90] * 8))
    for entry in minutes[30:]:
        entry["timeline"] = 120 + int(entry["minute"][14:16]) % 7 * 10
    # As many as the minutes add up to: 3,919 synchronous and 2,240 Timeline calls.
    by_kind = {
        "person": 3839,
        "timeline": 2240,
        "update": 39,
        "query": 31,
        "insert": 7,
        "describe": 3,
    }
    return {
        "run": RUN,
        "status": "success",
        "exit_code": 0,
        "error": None,
        "started_at": "2026-02-01T02:00:00+00:00",
        "ended_at": "2026-02-01T02:45:12+00:00",
        "duration_seconds": 2712.4,
        "version": "0.1.0",
        "tenant": "initech.gainsightcloud.com",
        "dry_run": False,
        "streams": {
            "accounts": {
                "read": 24_080,
                "created": 312,
                "updated": 1904,
                "unchanged": 21_790,
                "skipped": 0,
                "rejected": 42,
                "merged": 32,
                "skipped_because": {},
                "fields_cleared": 17,
                "fields_changed": {"ARR": 1204, "RenewalDate": 611, "Industry": 240, "Csm": 98},
            },
            "contacts": {
                "read": 12_340,
                "created": 1210,
                "updated": 2629,
                "unchanged": 8412,
                "skipped": 3,
                "rejected": 86,
                "merged": 0,
                "skipped_because": {"deleted_in_source": 3},
                "fields_cleared": 0,
                "fields_changed": {"Title": 1980, "Phone": 644, "LastName": 52},
            },
            "nps_responses": {
                "read": 111_783,
                "created": 111_783,
                "skipped_because": {},
                "fields_changed": {},
            },
        },
        "calls": {
            "total": sum(by_kind.values()),
            "by_kind": by_kind,
            "throttled": 0,
            "retried": 4,
            "seconds_waited": 2410.0,
            "rate_used_percent": 96,
            "allowed_per_minute": {"synchronous": 90, "timeline": 180},
            "calls_per_minute": minutes,
        },
        "rejects": {
            "unknown_option": {
                "count": 42,
                "stream": "accounts",
                "example": "",
                "suggestion": hint,
                "examples": [example],
            },
            "lookup_rejected_parent": {
                "count": 86,
                "stream": "contacts",
                "example": "",
                "suggestion": child["suggestion"],
                "examples": [child],
            },
        },
        "files": {
            "rejects": f"gainsight-rejects/{RUN}.singer",
            "created": f"gainsight-rejects/{RUN}.created.csv",
        },
        **changes,
    }


def failed_document() -> dict[str, Any]:
    """A run that stopped before its first record."""
    error = {
        "code": "stream_mismatch",
        "message": (
            "Stream 'accounts' does not fit company: 1 problem.\n"
            "  - lookup_keys: company has no field Nam. Did you mean Name?\n"
            "In meltano.yml, under the loader's config:\n"
            "  streams:\n    accounts:\n      lookup_keys: [Name]"
        ),
        "suggestion": "Correct the settings of the stream; the message lists every problem.",
    }
    calls = {"total": 1, "by_kind": {"describe": 1}, "calls_per_minute": calls_per_minute(1)}
    return document(
        status="failed", exit_code=1, error=error, streams={}, rejects={}, files={}, calls=calls
    )
