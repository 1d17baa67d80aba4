"""How one stream is loaded: the settings, as they are declared and as they are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal

from target_gainsight.settings.setting import declare

ObjectType = Literal[
    "company", "person", "relationship", "custom_object", "timeline", "cta", "survey_csv"
]
OnNoMatch = Literal["reject", "leave_empty"]
MultiMatch = Literal["reject", "first"]
DateFormat = Literal["iso", "MM-DD-YYYY"]

OBJECT_NAMES: Mapping[str, str] = {
    "company": "Company",
    "person": "Person",
    "relationship": "Relationship",
    "timeline": "activity_timeline",
    "cta": "call_to_action",
}
"""API name of each standard object type; a custom object brings its own."""

OWN_KEYS: Mapping[str, tuple[str, ...]] = {"person": ("Email",), "timeline": ("ExternalId",)}
"""The field by which records of an object type are always identified."""

DUE_DATE = "DueDate"
_DAYS_AHEAD = re.compile(r"\+([0-9]{1,4})d")

_mapping = partial(declare, group="Object and mapping", scope="stream")
_mode = partial(declare, group="Modes and keys", scope="stream")
_file = partial(declare, group="Bulk jobs and survey files", scope="entry")


@dataclass(frozen=True)
class Lookup:
    """A foreign key that is resolved by the fields of an object."""

    object_name: str = declare("Set it to the API name of the object to look in.")
    fields: Mapping[str, str] = declare(
        "Set it to {source column: match field}, up to 6.", maximum=6
    )
    on_no_match: OnNoMatch = declare("What to do with a record without a parent.", "reject")
    multi_match: MultiMatch = declare("What to do when several rows match.", "reject")


@dataclass(frozen=True)
class CompanyLinks:
    """How a person is linked to its companies."""

    lookup: Mapping[str, str] = declare(
        "Set it to {source column: match field of Company}, up to 6.", maximum=6
    )
    fields: Mapping[str, str] = declare("Field of the link to source column.", {})
    on_no_match: OnNoMatch = declare("What to do with a person without a company.", "reject")


@dataclass(frozen=True)
class FieldRule:
    """When a field of an existing row is written."""

    write: Literal["always", "empty", "create"] = declare(
        "Always, only where the row has no value, or never: on create only.", "always"
    )
    compare: bool = declare("Whether a difference in the field causes a write.", default=True)

    def __str__(self) -> str:
        parts = {"create": ["written on create only"], "empty": ["written only where empty"]}
        compared = [] if self.compare else ["not compared"]
        return ", ".join([*parts.get(self.write, []), *compared]) or "always written"


@dataclass(frozen=True)
class StreamSettings:
    """How one stream is loaded; a field is a setting, which its text describes."""

    object_type: ObjectType = _mapping(
        "The kind of object to load into. At the top: for all streams without an entry in streams."
    )
    custom_object_name: str = _mapping("API name of the custom object, such as MyObject__gc.", "")
    field_mapping: Mapping[str, str] = _mapping(
        "Maps source columns to Gainsight fields, after the stream maps.", {}
    )
    constants: Mapping[str, object] = _mapping(
        "Maps Gainsight fields to values that are set on every record. The DueDate of a CTA may "
        "be relative to the day of the run that creates it, such as +14d.",
        {},
    )
    lookups: Mapping[str, Lookup] = _mapping(
        "Fills foreign keys with the GSIDs of other records. Maps a Gainsight field to "
        "{object_name, fields: {source column: match field}, on_no_match: reject|leave_empty, "
        "multi_match: reject|first}.",
        {},
    )
    company_links: CompanyLinks | None = _mapping(
        "The companies of a person: {lookup: {source column: match field of Company}, "
        "fields: {Title: source column}, on_no_match: reject|leave_empty}."
    )
    unknown_fields: Literal["fail", "drop", "send"] = _mapping(
        "What to do with a column that the object does not have: fail before the first write, drop "
        "it with one warning, or send it unchecked. With a field_mapping, fail is the same as "
        "drop.",
        "fail",
    )
    date_format: DateFormat = _mapping(
        "How to write DATE fields. A refused date is tried once in the other format.", "iso"
    )
    rich_text: Literal["html", "as_is"] | None = _mapping(
        "How to write rich text: with html, line breaks become <br>, because Gainsight shows no "
        "others. When not set: html for the Notes of activities and the Comments of CTAs."
    )
    sync_mode: Literal["upsert", "insert", "update"] = _mode(
        "Whether to create and update records (upsert), only create (insert) or only update.",
        "upsert",
        otherwise="This target never deletes rows that the source lacks, and Gainsight has no "
        "lists with members: use upsert and load a status or flag field, or set deletes: delete if "
        "the source marks rows with _sdc_deleted_at.",
    )
    lookup_keys: tuple[str, ...] = _mode(
        "The 1 to 3 Gainsight fields that identify an existing record, as a list or "
        "comma-separated text. When not set: Name if the stream has it (except for CTAs), else "
        "the stream's key properties. People are always identified by Email, Timeline activities "
        "by ExternalId, which is by default made of the key properties.",
        (),
        maximum=3,
    )
    fallback_keys: tuple[str, ...] = _mode(
        "The 1 to 3 Gainsight fields that find a row without lookup keys, such as a company that "
        "was created by hand. The row is updated and gets the lookup keys. For companies, "
        "relationships and custom objects, under upsert and update.",
        (),
        maximum=3,
    )
    multi_match: MultiMatch = _mode(
        "If several rows have the lookup keys: reject the record, or update the first.", "reject"
    )
    near_matches: Literal["reject", "ignore"] = _mode(
        "What to do with a new record whose key differs from an existing one only in spelling, "
        "such as case: reject it as ambiguous_key, or create it.",
        "reject",
    )
    skip_unchanged: bool = _mode("Do not write rows that already have the values to be sent.", True)
    field_rules: Mapping[str, FieldRule] = _mode(
        "When fields of existing rows are written: Gainsight field to {write: always|empty|create, "
        "compare: true|false}. With empty, only where the row has no value; with create, on create "
        "only. With `compare: false`, the field is sent only if another field has changed.",
        {},
    )
    null_values: Literal["send", "omit"] = _mode(
        "Whether a null clears the field (send) or leaves it as it is (omit).", "send"
    )
    max_creates: int | None = _mode("Stop a stream before it creates more records than this.")
    deletes: Literal["skip", "delete"] = _mode(
        "What to do with a record that `_sdc_deleted_at` marks as deleted: skip it, or delete the "
        "row with its lookup keys, for companies, relationships and custom objects. A file beside "
        "the rejects keeps each row.",
        "skip",
    )
    max_deletes: int = _mode("Stop a run before it deletes more rows of a stream than this.", 100)
    min_records: int | None = _mode(
        "The run fails at its end if the stream has fewer records than this.", scope="entry"
    )
    transport: Literal["rest", "bulk"] = _file(
        "Whether to write records by calls (rest) or by CSV files for a bulk job (bulk).", "rest"
    )
    bulk_job_id: str = _file("The ID of the bulk job, from its cURL command in Gainsight.", "")
    survey_columns: Mapping[str, str] = _file(
        "For object_type survey_csv: column of the survey import (Company, Email, Score, Comment, "
        "Survey Name, Response Date, Language, Channel, or others) to source column. Others are "
        "filled from the source column of the same name, whatever its case and separators.",
        {},
        scope="stream",
    )

    @property
    def object_name(self) -> str:
        """API name of the object; empty for a survey file."""
        return OBJECT_NAMES.get(self.object_type) or self.custom_object_name

    @property
    def named_keys(self) -> tuple[str, ...]:
        """The lookup keys, where the settings or the object type name them."""
        return OWN_KEYS.get(self.object_type) or self.lookup_keys

    @property
    def days_until_due(self) -> int | None:
        """Days from the run that creates a CTA to its due date, where the constant is relative."""
        due = self.constants.get(DUE_DATE) if self.object_type == "cta" else None
        found = _DAYS_AHEAD.fullmatch(due) if isinstance(due, str) else None
        return int(found[1]) if found else None

    def constants_on(self, day: date) -> Mapping[str, object]:
        """Return the constants, with a date in place of a due date relative to this day."""
        days = self.days_until_due
        if days is None:
            return self.constants
        return {**self.constants, DUE_DATE: (day + timedelta(days=days)).isoformat()}
