"""How one stream is loaded, from the settings at the top and its entry under ``streams``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from target_gainsight.settings.environment import join_columns
from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.model import SETTINGS
from target_gainsight.settings.setting import Kind, check_names, read_values, settings_of
from target_gainsight.settings.stream_settings import (
    DUE_DATE,
    CompanyLinks,
    Deletes,
    FieldRule,
    Lookup,
    StreamSettings,
    days_ahead,
)

MAX_LOOKUP_KEYS = 3
"""Most fields that may identify a record (Company API, Update)."""

MAX_MATCH_FIELDS = 6
EXTERNAL_ID = "ExternalId"
LOOKUP_FORM = "{object_name: Company, fields: {source_column: MatchField}}"
LINKS_FORM = "{lookup: {source_column: MatchField}, fields: {Title: source_column}}"
RULE_FORM = "{write: always|empty|create, compare: true|false}"
DATE_FORMS = "a date such as 2026-02-01, or days from the run's day such as +14d (0 to 9999)"
MEANT_FOR_DAYS_AHEAD = re.compile(r"\s*[+-].*|.*\dd\s*", re.IGNORECASE | re.DOTALL)

WITHOUT_FALLBACK = {
    "person": "people are always identified by Email",
    "timeline": f"activities are always identified by {EXTERNAL_ID}",
    "cta": "the lookup keys of an existing CTA cannot be written",
}
"""Why rows of other objects are not found by fallback keys."""

NO_DELETES: Mapping[str, str] = {
    "person": "the People API does not delete",
    "timeline": "the Timeline API does not delete",
    "cta": "the Cockpit API does not delete",
    "survey_csv": "a survey file is imported by an administrator",
}
"""The object types whose rows cannot be deleted, and why."""

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
}
NOT_WITH_SURVEYS = dict.fromkeys(
    (*NOT_WITH_BULK, "rich_text", "custom_object_name", "transport", "bulk_job_id"),
    "its file is imported by an administrator",
) | {"field_mapping": "survey_columns assigns source columns to the import's columns"}


@dataclass(frozen=True)
class StreamEntry:
    """The settings of one stream, of valid types.

    Attributes:
        own: Those of its own entry under ``streams``.
        inherited: Those at the top that hold for it as well.
        prefix: What precedes the names of its own settings, such as ``streams.accounts.``.
    """

    own: Mapping[str, Any]
    inherited: Mapping[str, Any]
    prefix: str = ""

    def get(self, setting: str) -> Any:  # noqa: ANN401 - what its kind says
        """Return a setting as it was given, its own before an inherited one, or its default."""
        for given in (self.own, self.inherited):
            if setting in given:
                return given[setting]
        declared = SETTINGS[setting]
        return {} if declared.kind is Kind.OBJECT else declared.default

    def name_of(self, setting: str) -> str:
        """Return the full name under which a setting was given, or would be."""
        is_inherited = setting in self.inherited and setting not in self.own
        return setting if is_inherited else self.prefix + setting


def parse_stream(given: StreamEntry, errors: ConfigErrors) -> StreamSettings | None:
    """Parse how one stream is loaded; None if no setting names its object."""
    entry = _drop_inapplicable(given, errors)
    _check_job(entry, errors)
    object_type = entry.get("object_type")
    if object_type is None and entry.get("custom_object_name"):
        object_type = "custom_object"
    for setting in ("lookup_keys", "fallback_keys"):
        keys = entry.get(setting)
        if len(keys) > MAX_LOOKUP_KEYS:
            expected = f"at most {MAX_LOOKUP_KEYS} fields"
            errors.add(entry.name_of(setting), display(list(keys)), expected)
    parsed = {
        "field_rules": _parse_rules(entry, errors),
        "lookups": _parse_lookups(entry, errors),
        "company_links": _parse_links(entry, errors),
        "field_mapping": _parse_mapping(entry, "field_mapping", "the name of a field", errors),
        "survey_columns": _parse_mapping(
            entry, "survey_columns", "the name of a source column", errors
        ),
    }
    if object_type is None:
        return None
    _check_object(entry, object_type, errors)
    _check_existing_rows(entry, object_type, errors)
    parsed |= {
        "object_type": object_type,
        "custom_object_name": entry.get("custom_object_name").strip(),
        "constants": entry.get("constants"),
        "bulk_job_id": entry.get("bulk_job_id").strip(),
        "deletes": _parse_deletes(entry, object_type, errors),
    }
    return StreamSettings(**{**entry.inherited, **entry.own, **parsed})


def _drop_inapplicable(entry: StreamEntry, errors: ConfigErrors) -> StreamEntry:
    """Drop the settings that do not apply to a stream that is written to files.

    One in the stream's own entry is an error with its reason; an inherited one is meant for other
    streams.
    """
    kind, reasons = "", {"survey_columns": "it is for object_type: survey_csv"}
    if entry.get("object_type") == "survey_csv":
        kind, reasons = "object_type: survey_csv", NOT_WITH_SURVEYS
    elif entry.get("transport") == "bulk":
        kind, reasons = "transport: bulk", NOT_WITH_BULK | reasons
    for name in (name for name in entry.own if name in reasons):
        why = f" cannot be combined with {kind}; {reasons[name]}"
        if not kind:
            why = f" ({display(entry.own[name])}) applies to object_type: survey_csv only"
        errors.append(f"{entry.name_of(name)}{why}. Remove it.")
    return replace(
        entry,
        own={name: value for name, value in entry.own.items() if name not in reasons},
        inherited={name: value for name, value in entry.inherited.items() if name not in reasons},
    )


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


def _check_object(entry: StreamEntry, object_type: str, errors: ConfigErrors) -> None:
    """Check what depends on the kind of object."""
    name_of, keys = entry.name_of, entry.get("lookup_keys")
    custom_object = entry.get("custom_object_name")
    if object_type == "person" and keys:
        errors.append(f"Remove {name_of('lookup_keys')}: people are always identified by Email.")
    if object_type == "timeline" and keys not in {(), (EXTERNAL_ID,)}:
        errors.append(
            f"Remove {name_of('lookup_keys')}: activities are always identified by {EXTERNAL_ID}."
        )
    due = entry.get("constants").get(DUE_DATE)
    is_relative = isinstance(due, str) and MEANT_FOR_DAYS_AHEAD.fullmatch(due)
    if object_type == "cta" and is_relative and days_ahead(due) is None:
        errors.add(f"{name_of('constants')}.{DUE_DATE}", display(due), DATE_FORMS)
    if object_type != "person" and entry.get("company_links"):
        errors.append(f"Remove {name_of('company_links')}: it applies to object_type: person only.")
    if object_type == "custom_object" and not custom_object.strip():
        errors.append(
            f"{entry.prefix}custom_object_name is missing: set it to the API name of the custom "
            "object, such as MyObject__gc."
        )
    if object_type != "custom_object" and custom_object:
        errors.append(
            f"{name_of('custom_object_name')} ({display(custom_object.strip())}) cannot be "
            f"combined with object_type: {object_type}. Remove one of the two."
        )


def _check_existing_rows(entry: StreamEntry, object_type: str, errors: ConfigErrors) -> None:
    """Check the settings that decide on the current row of a record."""
    reasons = {
        "field_rules": "rules hold for existing rows, and insert only creates",
        "fallback_keys": "they find existing rows, and insert only creates",
    }
    for setting, reason in reasons.items():
        if entry.get(setting) and entry.get("sync_mode") == "insert":
            errors.append(
                f"{entry.name_of(setting)} cannot be combined with sync_mode: insert; {reason}. "
                "Remove it."
            )
    if entry.get("fallback_keys") and object_type in WITHOUT_FALLBACK:
        reason = WITHOUT_FALLBACK[object_type]
        errors.append(f"Remove {entry.name_of('fallback_keys')}: {reason}.")
    has_rule = DUE_DATE in entry.get("field_rules")
    due = entry.get("constants").get(DUE_DATE)
    if object_type == "cta" and has_rule and days_ahead(due) is not None:
        errors.append(
            f"Remove {entry.name_of('field_rules')}.{DUE_DATE}: a relative {DUE_DATE} is written "
            "on create only."
        )


def _parse_deletes(entry: StreamEntry, object_type: str, errors: ConfigErrors) -> Deletes:
    """Parse whether rows are deleted; inherited by a stream that cannot, it is for the others."""
    if entry.get("deletes") == "skip":
        return "skip"
    if object_type in NO_DELETES:
        kind, reason = f"object_type: {object_type}", NO_DELETES[object_type]
    elif entry.get("transport") == "bulk":
        kind, reason = "transport: bulk", "a CSV file cannot name rows to delete"
    elif entry.get("sync_mode") == "insert":
        kind, reason = "sync_mode: insert", "existing rows are not read, so none can be found"
    else:
        return "delete"
    if "deletes" in entry.own or not entry.prefix:
        errors.append(
            f"{entry.name_of('deletes')} cannot be delete with {kind}: {reason}. Set it to skip."
        )
    return "skip"


def _parse_mapping(
    entry: StreamEntry, setting: str, expected: str, errors: ConfigErrors
) -> dict[str, str]:
    mapping = join_columns(entry.get(setting))
    for column, name in mapping.items():
        if not isinstance(name, str) or not name:
            errors.add(f"{entry.name_of(setting)}.{column}", display(name), expected)
    return mapping


def _parse_rules(entry: StreamEntry, errors: ConfigErrors) -> dict[str, FieldRule]:
    rules = {}
    for field_name, raw in entry.get("field_rules").items():
        name = f"{entry.name_of('field_rules')}.{field_name}"
        if not isinstance(raw, dict) or not raw:
            errors.add(name, display(raw), RULE_FORM)
        else:
            rules[field_name] = FieldRule(**_read_options(name, raw, FieldRule, errors))
    return rules


def _parse_lookups(entry: StreamEntry, errors: ConfigErrors) -> dict[str, Lookup]:
    lookups = {}
    for target, raw in entry.get("lookups").items():
        name = f"{entry.name_of('lookups')}.{target}"
        if not isinstance(raw, dict) or not _is_text(raw.get("object_name")):
            errors.add(name, display(raw), LOOKUP_FORM)
            continue
        lookups[target] = Lookup(
            object_name=raw["object_name"],
            fields=_match_fields(f"{name}.fields", raw.get("fields"), LOOKUP_FORM, errors),
            **_read_options(name, raw, Lookup, errors),
        )
    return lookups


def _parse_links(entry: StreamEntry, errors: ConfigErrors) -> CompanyLinks | None:
    raw = entry.get("company_links")
    if not raw:
        return None
    name = entry.name_of("company_links")
    columns = _columns(raw.get("fields") or {})
    if columns is None:
        errors.add(f"{name}.fields", display(raw.get("fields")), LINKS_FORM)
    return CompanyLinks(
        lookup=_match_fields(f"{name}.lookup", raw.get("lookup"), LINKS_FORM, errors),
        fields=columns or {},
        **_read_options(name, raw, CompanyLinks, errors),
    )


def _read_options(
    name: str,
    raw: Mapping[str, Any],
    form: type[FieldRule | Lookup | CompanyLinks],
    errors: ConfigErrors,
) -> dict[str, Any]:
    """Read the settings that a form declares; add an error for each name that it does not have."""
    check_names(raw, [each.name for each in fields(form)], errors, f"{name}.")
    read, _ = read_values(raw, settings_of(form), errors, f"{name}.")
    return read


def _match_fields(name: str, raw: object, form: str, errors: ConfigErrors) -> dict[str, str]:
    columns = _columns(raw)
    if not columns:
        errors.add(name, display(raw), form)
        return {}
    if len(columns) > MAX_MATCH_FIELDS:
        errors.add(name, f"{len(columns)} match fields", f"at most {MAX_MATCH_FIELDS}")
    return columns


def _columns(raw: object) -> dict[str, str] | None:
    """Return a mapping of columns, or None if it is none."""
    if not isinstance(raw, dict):
        return None
    columns = join_columns(raw)
    return columns if all(_is_text(name) for name in columns.values()) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
