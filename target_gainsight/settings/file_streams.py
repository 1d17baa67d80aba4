"""Settings that do not apply to streams that are written to files.

One in the stream's own entry is an error with its reason; an inherited one is meant for other
streams and dropped.
"""

from __future__ import annotations

from dataclasses import replace

from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.stream_parsing import StreamEntry

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
    kind, reasons = "", {"survey_columns": ""}
    if entry.get("object_type") == "survey_csv":
        kind, reasons = "object_type: survey_csv", NOT_WITH_SURVEYS
    elif entry.get("transport") == "bulk":
        kind, reasons = "transport: bulk", NOT_WITH_BULK
    for name in (name for name in entry.own if name in reasons):
        why = f" cannot be combined with {kind}; {reasons[name]}"
        if not kind:
            why = f" ({display(entry.own[name])}) applies to object_type: survey_csv only"
        errors.append(f"{entry.name_of(name)}{why}. Remove it.")
    applicable = replace(
        entry,
        own={name: value for name, value in entry.own.items() if name not in reasons},
        inherited={name: value for name, value in entry.inherited.items() if name not in reasons},
    )
    _check_job(applicable, errors)
    return applicable


def _check_job(entry: StreamEntry, errors: ConfigErrors) -> None:
    object_type = entry.get("object_type")
    if entry.get("transport") != "bulk":
        if "bulk_job_id" in entry.own:
            errors.append(f"{entry.name_of('bulk_job_id')} requires transport: bulk.")
        return
    if not entry.get("bulk_job_id").strip():
        errors.append(
            f"{entry.name_of('bulk_job_id')} is missing: set it to the job's ID, which Gainsight "
            "shows in the job's cURL command."
        )
    if object_type is not None and object_type not in BULK_OBJECTS:
        errors.append(
            f"{entry.name_of('transport')} cannot be bulk for object_type: {object_type}; bulk "
            f"jobs load {', '.join(BULK_OBJECTS)}. Remove it."
        )
