"""Settings that do not apply to streams that are written to files.

One in the stream's own entry is an error with its reason; an inherited one is meant for other
streams and dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.streams import StreamEntry

BULK_OBJECTS = ("company", "relationship", "custom_object")
"""What bulk jobs load (GS Bulk API connector)."""

_JOB = "the Gainsight job defines the {}"
_NO_ROWS = "current rows are not read, so {}"
NOT_WITH_BULK = {
    "sync_mode": _JOB.format("operation"),
    "lookup_keys": _JOB.format("keys"),
    "fallback_keys": _JOB.format("keys"),
    "field_rules": _NO_ROWS.format("no rule can be applied"),
    "lookups": _JOB.format("lookups"),
    "company_links": _JOB.format("lookups"),
    "unknown_fields": _JOB.format("columns. Name the columns to send in field_mapping"),
    "multi_match": _NO_ROWS.format("none can match"),
    "near_matches": _NO_ROWS.format("none can match"),
    "skip_unchanged": _NO_ROWS.format("none can be compared"),
    "max_creates": _NO_ROWS.format("it is not known which records are new"),
    "null_values": "an empty cell is the only null of a CSV file",
    "survey_columns": "it is for object_type: survey_csv",
}
_IMPORTED = "its file is imported by an administrator"
NOT_WITH_SURVEYS = dict.fromkeys(
    (*NOT_WITH_BULK, "rich_text", "custom_object_name", "transport", "bulk_job_id"), _IMPORTED
)
NOT_WITH_SURVEYS["field_mapping"] = "survey_columns assigns source columns to the import's columns"
del NOT_WITH_SURVEYS["survey_columns"]


def drop_inapplicable(entry: StreamEntry, errors: ConfigErrors) -> StreamEntry:
    """Drop the settings that do not apply to a stream that is written to files."""
    kind, reasons = _reasons(entry.values)
    for name, value in entry.own.items():
        if name in reasons and kind:
            errors.add_message(
                f"{entry.name_of(name)} cannot be combined with {kind}; {reasons[name]}. Remove it."
            )
        elif name in reasons:
            errors.add_message(
                f"{entry.name_of(name)} ({display(value)}) applies to object_type: survey_csv "
                "only. Remove it."
            )
    applicable = replace(
        entry,
        own={name: value for name, value in entry.own.items() if name not in reasons},
        inherited={name: value for name, value in entry.inherited.items() if name not in reasons},
    )
    _check_job(applicable, errors)
    return applicable


def _reasons(values: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """Return what kind of file is written, and why it rules a setting out."""
    if values.get("object_type") == "survey_csv":
        return "object_type: survey_csv", NOT_WITH_SURVEYS
    if values.get("transport") == "bulk":
        return "transport: bulk", NOT_WITH_BULK
    return "", {"survey_columns": ""}


def _check_job(entry: StreamEntry, errors: ConfigErrors) -> None:
    object_type, job = entry.values.get("object_type"), entry.values.get("bulk_job_id")
    if entry.values.get("transport") != "bulk":
        if job is not None:
            errors.add_message(f"{entry.name_of('bulk_job_id')} requires transport: bulk.")
        return
    if not (job or "").strip():
        errors.add_message(
            f"{entry.name_of('bulk_job_id')} is missing: set it to the job's ID, which Gainsight "
            "shows in the job's cURL command."
        )
    if object_type is not None and object_type not in BULK_OBJECTS:
        errors.add_message(
            f"{entry.name_of('transport')} cannot be bulk for object_type: {object_type}; bulk "
            f"jobs load {', '.join(BULK_OBJECTS)}. Remove it."
        )
