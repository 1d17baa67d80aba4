"""How one stream is loaded, from the settings at the top and its entry under ``streams``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from target_gainsight.settings.errors import shown
from target_gainsight.settings.model import (
    MAX_LOOKUP_KEYS,
    OBJECT_NAMES,
    CompanyLinks,
    Lookup,
    StreamSettings,
)
from target_gainsight.settings.relative_dates import DUE_DATE, is_mistaken
from target_gainsight.settings.relative_dates import SHAPE as DATE_SHAPE
from target_gainsight.settings.stream_schema import ENTRY_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.settings.errors import Mistakes

MAX_MATCH_FIELDS = 6
EXTERNAL_ID = "ExternalId"
LOOKUP_SHAPE = "{object_name: Company, fields: {source_column: MatchField}}"
LINKS_SHAPE = "{lookup: {source_column: MatchField}, fields: {Title: source_column}}"
ON_NO_MATCH = ("reject", "leave_empty")
MULTI_MATCH = ("reject", "first")


def entries_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Join stream names that were split at their dots, as Meltano does.

    Args:
        raw: The setting ``streams``: ``{"public": {"accounts": {…}}}`` or
            ``{"public.accounts": {…}}``.

    Returns:
        Full stream name or pattern to its entry.
    """
    entries: dict[str, Any] = {}
    for name, value in raw.items():
        if _is_part_of_a_name(value):
            for rest, entry in entries_of(value).items():
                entries[f"{name}.{rest}"] = entry
        else:
            entries[name] = value
    return entries


def _is_part_of_a_name(value: object) -> bool:
    if (
        not isinstance(value, dict)
        or not value
        or not all(isinstance(v, dict) for v in value.values())
    ):
        return False
    if not set(value).intersection(ENTRY_SETTINGS):
        return all(_is_entry(inner) or _is_part_of_a_name(inner) for inner in value.values())
    return any(_is_entry(inner) for inner in value.values() if inner)


def _is_entry(value: Mapping[str, Any]) -> bool:
    return not value or bool(set(value).intersection(ENTRY_SETTINGS))


def parse_stream(
    given: Mapping[str, Any], places: Mapping[str, str], where: str, mistakes: Mistakes
) -> StreamSettings | None:
    """Read how one stream is loaded.

    Args:
        given: Setting name to value, inherited ones included; types and choices are checked.
        places: Setting name to the place it was given at, such as ``streams.accounts.``.
        where: The place of the entry itself; empty at the top.
        mistakes: Takes the mistakes.

    Returns:
        The stream's settings, or None when no object is named.
    """
    object_type = given.get("object_type")
    name = given.get("custom_object_name")
    if object_type is None and name:
        object_type = "custom_object"
    keys = _names(given.get("lookup_keys"))
    at = places.get("lookup_keys", where) + "lookup_keys"
    if len(keys) > MAX_LOOKUP_KEYS:
        mistakes.add(at, shown(list(keys)), f"at most {MAX_LOOKUP_KEYS} fields")
    lookups = _lookups(given.get("lookups", {}), places.get("lookups", where), mistakes)
    links = _links(given.get("company_links"), places.get("company_links", where), mistakes)
    mapping = _mapping("field_mapping", given, places, where, mistakes)
    survey_columns = _mapping("survey_columns", given, places, where, mistakes)
    if object_type is None:
        return None
    _check_keys(object_type, keys, at, mistakes)
    constants = dict(given.get("constants", {}))
    if object_type == "cta" and is_mistaken(constants.get(DUE_DATE)):
        at_date = f"{places.get('constants', where)}constants.{DUE_DATE}"
        mistakes.add(at_date, shown(constants[DUE_DATE]), DATE_SHAPE)
    if object_type != "person" and links:
        at_links = places.get("company_links", where) + "company_links"
        mistakes.add(at_links, f"for a {object_type}", "nothing: only persons are linked this way")
    if name and object_type != "custom_object":
        mistakes.add(
            places.get("custom_object_name", where) + "custom_object_name",
            f"{shown(name)} beside object_type {object_type}",
            "object_type custom_object, or no custom_object_name",
        )
    if object_type == "custom_object" and not (name or "").strip():
        mistakes.add(where + "custom_object_name", "nothing", "the API name, such as MyObject__gc")
    chosen = {
        key: given[key]
        for key in (
            "sync_mode",
            "unknown_fields",
            "multi_match",
            "skip_unchanged",
            "null_values",
            "date_format",
            "rich_text",
            "max_creates",
            "transport",
        )
        if key in given
    }
    return StreamSettings(
        object_type=object_type,
        object_name=OBJECT_NAMES.get(object_type) or (name or "").strip(),
        lookup_keys=keys,
        field_mapping=mapping,
        constants=constants,
        lookups=lookups,
        company_links=links,
        bulk_job_id=(given.get("bulk_job_id") or "").strip(),
        survey_columns=survey_columns,
        **chosen,
    )


def _check_keys(object_type: str, keys: tuple[str, ...], at: str, mistakes: Mistakes) -> None:
    """Refuse keys of kinds that have their own."""
    if object_type == "person" and keys:
        mistakes.add(at, shown(list(keys)), "nothing: a person is always identified by Email")
    if object_type == "timeline" and keys not in {(), (EXTERNAL_ID,)}:
        right = "nothing, or ExternalId: an activity is always identified by it"
        mistakes.add(at, shown(list(keys)), right)


def _names(value: object) -> tuple[str, ...]:
    """Read a list, comma-separated text or JSON text."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
        value = parsed if isinstance(parsed, list) else value.split(",")
    names = [str(name).strip() for name in value] if isinstance(value, list) else []
    return tuple(dict.fromkeys(name for name in names if name))


def _mapping(
    setting: str,
    given: Mapping[str, Any],
    places: Mapping[str, str],
    where: str,
    mistakes: Mistakes,
) -> dict[str, str]:
    mapping = _joined(given.get(setting, {}))
    right = "the name of a field" if setting == "field_mapping" else "the name of a source column"
    for name, meant in mapping.items():
        if not isinstance(meant, str) or not meant:
            mistakes.add(f"{places.get(setting, where)}{setting}.{name}", shown(meant), right)
    return mapping


def _joined(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Join column names that were split at their dots."""
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{rest}": target for rest, target in _joined(value).items()}
        else:
            flat[name] = value
    return flat


def _lookups(raw: Mapping[str, Any], place: str, mistakes: Mistakes) -> dict[str, Lookup]:
    lookups = {}
    for target, entry in raw.items():
        where = f"{place}lookups.{target}"
        if not isinstance(entry, dict) or not _is_text(entry.get("object_name")):
            mistakes.add(where, shown(entry), LOOKUP_SHAPE)
            continue
        _refuse_others(
            where, entry, ("object_name", "fields", "on_no_match", "multi_match"), mistakes
        )
        lookups[target] = Lookup(
            object_name=entry["object_name"],
            fields=_match_fields(f"{where}.fields", entry.get("fields"), LOOKUP_SHAPE, mistakes),
            on_no_match=_choice(where, entry, "on_no_match", ON_NO_MATCH, mistakes),
            multi_match=_choice(where, entry, "multi_match", MULTI_MATCH, mistakes),
        )
    return lookups


def _links(raw: Mapping[str, Any] | None, place: str, mistakes: Mistakes) -> CompanyLinks | None:
    if not raw:
        return None
    where = f"{place}company_links"
    _refuse_others(where, raw, ("lookup", "fields", "on_no_match"), mistakes)
    fields = _joined_values(raw.get("fields") or {})
    if not all(_is_text(column) for column in fields.values()):
        mistakes.add(f"{where}.fields", shown(raw.get("fields")), LINKS_SHAPE)
    return CompanyLinks(
        lookup=_match_fields(f"{where}.lookup", raw.get("lookup"), LINKS_SHAPE, mistakes),
        fields=fields,
        on_no_match=_choice(where, raw, "on_no_match", ON_NO_MATCH, mistakes),
    )


def _joined_values(raw: object) -> dict[str, Any]:
    return _joined(raw) if isinstance(raw, dict) else {"": None}


def _match_fields(where: str, raw: object, shape: str, mistakes: Mistakes) -> dict[str, str]:
    fields = _joined_values(raw)
    if not fields or not all(_is_text(name) for name in fields.values()):
        mistakes.add(where, shown(raw), shape)
    elif len(fields) > MAX_MATCH_FIELDS:
        mistakes.add(where, f"{len(fields)} match fields", f"at most {MAX_MATCH_FIELDS}")
    return fields


def _choice(
    where: str, entry: Mapping[str, Any], name: str, choices: tuple[str, ...], mistakes: Mistakes
) -> Any:  # noqa: ANN401 - one of the choices, which the type of the field spells out
    value = entry.get(name, choices[0])
    if value not in choices:
        mistakes.add(f"{where}.{name}", shown(value), "one of " + ", ".join(choices))
    return value


def _refuse_others(
    where: str, entry: Mapping[str, Any], known: tuple[str, ...], mistakes: Mistakes
) -> None:
    for name in entry:
        if name not in known:
            mistakes.add(f"{where}.{name}", "an unknown key", "one of " + ", ".join(known))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
