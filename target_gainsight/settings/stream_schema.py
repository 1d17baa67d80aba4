"""The settings that say how a stream is loaded: at the top for all streams, in an entry for one.

Declared as those of the whole run are (``schema``), which it does not know.
"""

from __future__ import annotations

from singer_sdk import typing as th

SYNC_MODES = ("upsert", "insert", "update")
OBJECT_TYPES = (
    "company",
    "person",
    "relationship",
    "custom_object",
    "timeline",
    "cta",
    "survey_csv",
)

LIST_OR_TEXT = th.CustomType({"type": ["array", "string", "null"], "items": {"type": "string"}})
NAME_TO_NAME = th.CustomType({"type": ["object", "null"], "additionalProperties": True})

STREAM = (
    th.Property(
        "object_type",
        th.StringType(),
        allowed_values=list(OBJECT_TYPES),
        title="Object type",
        description="The kind of object that streams without an entry of their own are loaded to.",
    ),
    th.Property(
        "custom_object_name",
        th.StringType(),
        title="Custom object name",
        description="API name of the custom object, such as MyObject__gc.",
    ),
    th.Property(
        "sync_mode",
        th.StringType(),
        default="upsert",
        allowed_values=list(SYNC_MODES),
        title="Sync mode",
        description="upsert creates and updates, insert only creates, update only updates.",
    ),
    th.Property(
        "lookup_keys",
        LIST_OR_TEXT,
        title="Lookup keys",
        description=(
            "The 1 to 3 Gainsight fields that identify an existing record: a list, "
            "comma-separated text or JSON text. Default: Name where the stream carries it, "
            "else the stream's key properties. A person is always identified by Email, a Timeline "
            "activity by ExternalId (by default the stream's key properties, joined), a CTA never "
            "by its Name unless that is named here."
        ),
    ),
    th.Property(
        "field_mapping",
        NAME_TO_NAME,
        title="Field mapping",
        description="Source column to Gainsight field, applied after the stream maps.",
    ),
    th.Property(
        "constants",
        NAME_TO_NAME,
        title="Constants",
        description=(
            "Gainsight field to a value that is put into every record. A CTA's DueDate may be "
            "+14d: so many days after the run that creates it."
        ),
    ),
    th.Property(
        "unknown_fields",
        th.StringType(),
        default="fail",
        allowed_values=["fail", "drop", "send"],
        title="Unknown fields",
        description=(
            "What to do with a column the object does not have: fail at the stream's start with "
            "suggestions, drop it with one warning, or send it unchecked. With a field_mapping, "
            "unmapped unknown columns are dropped and listed once."
        ),
    ),
    th.Property(
        "lookups",
        NAME_TO_NAME,
        title="Lookups",
        description=(
            "Target field to {object_name, fields: {source column: match field}, "
            "on_no_match: reject|leave_empty, multi_match: reject|first}: resolves foreign keys "
            "in bulk. Source columns are named as they come out of the stream maps."
        ),
    ),
    th.Property(
        "company_links",
        NAME_TO_NAME,
        title="Company links",
        description=(
            "Person only: {lookup: {source column: match field of Company}, "
            "fields: {Title: source column}, on_no_match: reject|leave_empty}."
        ),
    ),
    th.Property(
        "multi_match",
        th.StringType(),
        default="reject",
        allowed_values=["reject", "first"],
        title="Multiple matches",
        description="What to do when the lookup keys match several rows.",
    ),
    th.Property(
        "skip_unchanged",
        th.BooleanType(),
        default=True,
        title="Skip unchanged",
        description="Do not write a row whose sent fields already hold these values.",
    ),
    th.Property(
        "null_values",
        th.StringType(),
        default="send",
        allowed_values=["send", "omit"],
        title="Null values",
        description="send clears the field, omit leaves it as it is.",
    ),
    th.Property(
        "date_format",
        th.StringType(),
        default="iso",
        allowed_values=["iso", "MM-DD-YYYY"],
        title="Date format",
        description=(
            "How DATE fields are written. An ISO date that the tenant refuses is tried once "
            "the other way."
        ),
    ),
    th.Property(
        "rich_text",
        th.StringType(),
        allowed_values=["html", "as_is"],
        title="Rich text",
        description=(
            "How rich text fields are written: html turns line breaks into <br>, because Gainsight "
            "shows no others; text that has HTML of its own stays as it is. as_is sends every text "
            "unchanged. Default: html for the Notes of an activity and the Comments of a CTA, "
            "as_is for other fields."
        ),
    ),
    th.Property(
        "max_creates",
        th.IntegerType(minimum=1),
        title="Most creates",
        description="Per stream: stop before the batch that would create more than this.",
    ),
)

SURVEY_COLUMNS = (
    th.Property(
        "survey_columns",
        NAME_TO_NAME,
        title="Survey columns",
        description=(
            "survey_csv only: column of the survey import (Company, Email, Score, Comment, Survey "
            "Name, Response Date, Language, Channel, or others) to source column. One that is not "
            "named is filled by the source column of its name, whatever case and separators."
        ),
    ),
)
"""What only streams of object_type survey_csv heed."""

ONLY_ENTRIES = (
    th.Property(
        "transport",
        th.StringType(),
        default="rest",
        allowed_values=["rest", "bulk"],
        title="Transport",
        description="rest writes records by calls, bulk hands CSV files to a bulk job.",
    ),
    th.Property(
        "bulk_job_id",
        th.StringType(),
        title="Bulk job id",
        description="The job's id, from its cURL command in Gainsight.",
    ),
)
"""What only an entry of ``streams`` may carry: a job loads one object from one kind of file."""

STREAM_SETTINGS = tuple(setting.name for setting in (*STREAM, *SURVEY_COLUMNS))
"""Names of the settings that say how a stream is loaded, at the top or in its entry."""

ENTRY_SETTINGS = (*STREAM_SETTINGS, *(setting.name for setting in ONLY_ENTRIES))
"""Names of the settings that an entry of ``streams`` may carry."""
