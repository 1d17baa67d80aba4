"""How one stream is loaded, from the settings at the top and its entry under ``streams``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from target_gainsight.settings.dotted_names import join_columns
from target_gainsight.settings.errors import display
from target_gainsight.settings.model import (
    MAX_LOOKUP_KEYS,
    OBJECT_NAMES,
    CompanyLinks,
    Lookup,
    MultiMatch,
    OnNoMatch,
    StreamSettings,
)
from target_gainsight.settings.relative_dates import DATE_FORMS, DUE_DATE, is_malformed
from target_gainsight.settings.table import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_gainsight.settings.errors import ConfigErrors

_Values = TypeVar("_Values")

MAX_MATCH_FIELDS = 6
EXTERNAL_ID = "ExternalId"
LOOKUP_FORM = "{object_name: Company, fields: {source_column: MatchField}}"
LINKS_FORM = "{lookup: {source_column: MatchField}, fields: {Title: source_column}}"


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
    """Fill the fields of a dataclass with the settings of the same names.

    Args:
        form: The dataclass.
        values: Setting name to value.
        others: Fields with other values.

    Returns:
        The filled dataclass; a setting that was not given has its default.
    """
    names = [field.name for field in fields(form) if field.name not in others]  # type: ignore[arg-type]
    return form(**{name: value_of(values, name) for name in names}, **others)


def value_of(values: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - what its kind says
    """Return the value of a setting, or its default."""
    return values[name] if name in values else SETTINGS[name].default_value


def parse_stream(entry: StreamEntry, errors: ConfigErrors) -> StreamSettings | None:
    """Parse how one stream is loaded.

    Args:
        entry: Its settings.
        errors: Collects the errors.

    Returns:
        The stream's settings, or None when no object is named.
    """
    values = entry.values
    object_type = values.get("object_type")
    custom_object = (values.get("custom_object_name") or "").strip()
    if object_type is None and values.get("custom_object_name"):
        object_type = "custom_object"
    keys = value_of(values, "lookup_keys")
    if len(keys) > MAX_LOOKUP_KEYS:
        expected = f"at most {MAX_LOOKUP_KEYS} fields"
        errors.add(entry.name_of("lookup_keys"), display(list(keys)), expected)
    lookups = _parse_lookups(entry, errors)
    links = _parse_links(entry, errors)
    mapping = _parse_mapping(entry, "field_mapping", "the name of a field", errors)
    columns = _parse_mapping(entry, "survey_columns", "the name of a source column", errors)
    if object_type is None:
        return None
    _check_object(entry, object_type, errors)
    return build(
        StreamSettings,
        values,
        object_type=object_type,
        object_name=OBJECT_NAMES.get(object_type) or custom_object,
        lookups=lookups,
        company_links=links,
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
        _check_keys(name, raw, (field.name for field in fields(Lookup)), errors)
        lookups[target] = Lookup(
            object_name=raw["object_name"],
            fields=_match_fields(f"{name}.fields", raw.get("fields"), LOOKUP_FORM, errors),
            on_no_match=_choice(name, raw, "on_no_match", get_args(OnNoMatch), errors),
            multi_match=_choice(name, raw, "multi_match", get_args(MultiMatch), errors),
        )
    return lookups


def _parse_links(entry: StreamEntry, errors: ConfigErrors) -> CompanyLinks | None:
    raw = entry.values.get("company_links")
    if not raw:
        return None
    name = entry.name_of("company_links")
    _check_keys(name, raw, (field.name for field in fields(CompanyLinks)), errors)
    columns = _columns(raw.get("fields") or {})
    if columns is None:
        errors.add(f"{name}.fields", display(raw.get("fields")), LINKS_FORM)
    return CompanyLinks(
        lookup=_match_fields(f"{name}.lookup", raw.get("lookup"), LINKS_FORM, errors),
        fields=columns or {},
        on_no_match=_choice(name, raw, "on_no_match", get_args(OnNoMatch), errors),
    )


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


def _choice(
    name: str, raw: Mapping[str, Any], key: str, choices: tuple[str, ...], errors: ConfigErrors
) -> Any:  # noqa: ANN401 - one of the choices, which the type of the field spells out
    value = raw.get(key, choices[0])
    if value not in choices:
        errors.add(f"{name}.{key}", display(value), f"one of {', '.join(choices)}")
    return value


def _check_keys(
    name: str, raw: Mapping[str, Any], known: Iterable[str], errors: ConfigErrors
) -> None:
    known = tuple(known)
    for key in raw:
        if key not in known:
            errors.add_message(f"{name}.{key} is unknown. Known keys: {', '.join(known)}.")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
