"""How one stream is loaded, from the settings at the top and its entry under ``streams``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, get_args

from target_gainsight.settings.dotted_names import join_columns
from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.model import (
    MAX_LOOKUP_KEYS,
    OBJECT_NAMES,
    CompanyLinks,
    Deletes,
    FieldRule,
    Lookup,
    OnNoMatch,
    StreamSettings,
    WriteRule,
)
from target_gainsight.settings.relative_dates import (
    DATE_FORMS,
    DUE_DATE,
    days_ahead,
    is_malformed,
)
from target_gainsight.settings.setting import Kind, Setting, check_names, read_values
from target_gainsight.settings.table import SETTINGS

_Values = TypeVar("_Values")

MAX_MATCH_FIELDS = 6
EXTERNAL_ID = "ExternalId"
LOOKUP_FORM = "{object_name: Company, fields: {source_column: MatchField}}"
LINKS_FORM = "{lookup: {source_column: MatchField}, fields: {Title: source_column}}"
MATCH_SETTINGS = (
    Setting(
        Kind.TEXT,
        "What happens to a record whose parent is not found.",
        "reject",
        choices=get_args(OnNoMatch),
        name="on_no_match",
    ),
    SETTINGS["multi_match"],
)
"""The settings of a lookup that have choices."""

RULE_FORM = "{write: always|empty|create, compare: true|false}"
RULE_SETTINGS = (
    Setting(
        Kind.TEXT,
        "When the field of an existing row is written.",
        "always",
        choices=get_args(WriteRule),
        name="write",
    ),
    Setting(Kind.BOOLEAN, "Whether a difference causes a write.", default=True, name="compare"),
)
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

    @property
    def values(self) -> Mapping[str, Any]:
        """All of them; its own win."""
        return {**self.inherited, **self.own}

    def name_of(self, setting: str) -> str:
        """Return the full name under which a setting was given, or would be."""
        is_inherited = setting in self.inherited and setting not in self.own
        return setting if is_inherited else self.prefix + setting


def build(form: type[_Values], values: Mapping[str, Any], **others: Any) -> _Values:  # noqa: ANN401
    """Fill the fields of a dataclass with the settings of the same names."""
    names = [field.name for field in fields(form) if field.name not in others]  # type: ignore[arg-type]
    return form(**{name: value_of(values, name) for name in names}, **others)


def value_of(values: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - what its kind says
    """Return the value of a setting, or its default."""
    return values[name] if name in values else SETTINGS[name].default_value


def parse_stream(entry: StreamEntry, errors: ConfigErrors) -> StreamSettings | None:
    """Parse how one stream is loaded."""
    values = entry.values
    object_type = values.get("object_type")
    custom_object = (values.get("custom_object_name") or "").strip()
    if object_type is None and values.get("custom_object_name"):
        object_type = "custom_object"
    for setting in ("lookup_keys", "fallback_keys"):
        keys = value_of(values, setting)
        if len(keys) > MAX_LOOKUP_KEYS:
            expected = f"at most {MAX_LOOKUP_KEYS} fields"
            errors.add(entry.name_of(setting), display(list(keys)), expected)
    rules = _parse_rules(entry, errors)
    lookups = _parse_lookups(entry, errors)
    links = _parse_links(entry, errors)
    mapping = _parse_mapping(entry, "field_mapping", "the name of a field", errors)
    columns = _parse_mapping(entry, "survey_columns", "the name of a source column", errors)
    if object_type is None:
        return None
    _check_object(entry, object_type, errors)
    _check_existing_rows(entry, object_type, errors)
    return build(
        StreamSettings,
        values,
        object_type=object_type,
        object_name=OBJECT_NAMES.get(object_type) or custom_object,
        lookups=lookups,
        field_rules=rules,
        company_links=links,
        deletes=_parse_deletes(entry, object_type, errors),
        field_mapping=mapping,
        survey_columns=columns,
        constants=dict(values.get("constants", {})),
        bulk_job_id=value_of(values, "bulk_job_id").strip(),
    )


def _check_object(entry: StreamEntry, object_type: str, errors: ConfigErrors) -> None:
    """Check what depends on the kind of object."""
    values, name_of = entry.values, entry.name_of
    keys = value_of(values, "lookup_keys")
    custom_object = (values.get("custom_object_name") or "").strip()
    due = values.get("constants", {}).get(DUE_DATE)
    if object_type == "person" and keys:
        errors.add_message(
            f"Remove {name_of('lookup_keys')}: people are always identified by Email."
        )
    if object_type == "timeline" and keys not in {(), (EXTERNAL_ID,)}:
        errors.add_message(
            f"Remove {name_of('lookup_keys')}: activities are always identified by {EXTERNAL_ID}."
        )
    if object_type == "cta" and is_malformed(due):
        errors.add(f"{name_of('constants')}.{DUE_DATE}", display(due), DATE_FORMS)
    if object_type != "person" and values.get("company_links"):
        errors.add_message(
            f"Remove {name_of('company_links')}: it applies to object_type: person only."
        )
    if object_type == "custom_object" and not custom_object:
        errors.add_message(
            f"{entry.prefix}custom_object_name is missing: set it to the API name of the custom "
            "object, such as MyObject__gc."
        )
    if object_type != "custom_object" and values.get("custom_object_name"):
        errors.add_message(
            f"{name_of('custom_object_name')} ({display(custom_object)}) cannot be combined with "
            f"object_type: {object_type}. Remove one of the two."
        )


def _check_existing_rows(entry: StreamEntry, object_type: str, errors: ConfigErrors) -> None:
    """Check the settings that decide on the current row of a record."""
    values, name_of = entry.values, entry.name_of
    rules, keys = values.get("field_rules"), values.get("fallback_keys")
    reasons = {
        "field_rules": "rules hold for existing rows, and insert only creates",
        "fallback_keys": "they find existing rows, and insert only creates",
    }
    for setting, reason in reasons.items():
        if values.get(setting) and value_of(values, "sync_mode") == "insert":
            errors.add_message(
                f"{name_of(setting)} cannot be combined with sync_mode: insert; {reason}. Remove "
                "it."
            )
    if keys and object_type in WITHOUT_FALLBACK:
        errors.add_message(f"Remove {name_of('fallback_keys')}: {WITHOUT_FALLBACK[object_type]}.")
    due = values.get("constants", {}).get(DUE_DATE)
    if object_type == "cta" and DUE_DATE in (rules or {}) and days_ahead(due) is not None:
        errors.add_message(
            f"Remove {name_of('field_rules')}.{DUE_DATE}: a relative {DUE_DATE} is written on "
            "create only."
        )


def _parse_rules(entry: StreamEntry, errors: ConfigErrors) -> dict[str, FieldRule]:
    rules = {}
    for field_name, raw in entry.values.get("field_rules", {}).items():
        name = f"{entry.name_of('field_rules')}.{field_name}"
        if not isinstance(raw, dict) or not raw:
            errors.add(name, display(raw), RULE_FORM)
            continue
        check_names(raw, [setting.name for setting in RULE_SETTINGS], errors, f"{name}.")
        read, _ = read_values(raw, RULE_SETTINGS, errors, f"{name}.")
        rules[field_name] = FieldRule(**read)
    return rules


def _parse_deletes(entry: StreamEntry, object_type: str, errors: ConfigErrors) -> Deletes:
    """Parse whether rows are deleted; inherited by a stream that cannot, it is for the others."""
    values = entry.values
    if value_of(values, "deletes") == "skip":
        return "skip"
    kind, reason = f"object_type: {object_type}", NO_DELETES.get(object_type, "")
    if not reason and values.get("transport") == "bulk":
        kind, reason = "transport: bulk", "a CSV file cannot name rows to delete"
    elif not reason and values.get("sync_mode") == "insert":
        kind, reason = "sync_mode: insert", "existing rows are not read, so none can be found"
    if not reason:
        return "delete"
    if "deletes" in entry.own or not entry.prefix:
        errors.add_message(
            f"{entry.name_of('deletes')} cannot be delete with {kind}: {reason}. Set it to skip."
        )
    return "skip"


def _parse_mapping(
    entry: StreamEntry, setting: str, expected: str, errors: ConfigErrors
) -> dict[str, str]:
    mapping = join_columns(entry.values.get(setting, {}))
    for column, name in mapping.items():
        if not isinstance(name, str) or not name:
            errors.add(f"{entry.name_of(setting)}.{column}", display(name), expected)
    return mapping


def _parse_lookups(entry: StreamEntry, errors: ConfigErrors) -> dict[str, Lookup]:
    lookups = {}
    for target, raw in entry.values.get("lookups", {}).items():
        name = f"{entry.name_of('lookups')}.{target}"
        if not isinstance(raw, dict) or not _is_text(raw.get("object_name")):
            errors.add(name, display(raw), LOOKUP_FORM)
            continue
        lookups[target] = Lookup(
            object_name=raw["object_name"],
            fields=_match_fields(f"{name}.fields", raw.get("fields"), LOOKUP_FORM, errors),
            **_read_choices(name, raw, Lookup, errors),
        )
    return lookups


def _parse_links(entry: StreamEntry, errors: ConfigErrors) -> CompanyLinks | None:
    raw = entry.values.get("company_links")
    if not raw:
        return None
    name = entry.name_of("company_links")
    columns = _columns(raw.get("fields") or {})
    if columns is None:
        errors.add(f"{name}.fields", display(raw.get("fields")), LINKS_FORM)
    return CompanyLinks(
        lookup=_match_fields(f"{name}.lookup", raw.get("lookup"), LINKS_FORM, errors),
        fields=columns or {},
        **_read_choices(name, raw, CompanyLinks, errors),
    )


def _read_choices(
    name: str, raw: Mapping[str, Any], form: type[Lookup | CompanyLinks], errors: ConfigErrors
) -> dict[str, Any]:
    """Read on_no_match and multi_match, as far as the form has them; refuse unknown keys."""
    names = [field.name for field in fields(form)]
    check_names(raw, names, errors, f"{name}.")
    declared = [setting for setting in MATCH_SETTINGS if setting.name in names]
    read, _ = read_values(raw, declared, errors, f"{name}.")
    return {setting.name: setting.default for setting in declared} | read


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
