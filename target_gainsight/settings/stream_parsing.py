"""How one stream is loaded, from the settings at the top and its entry under ``streams``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from target_gainsight.settings.errors import ConfigErrors
from target_gainsight.settings.stream_settings import StreamSettings

OBJECT = ("object_type", "custom_object_name")
SETTINGS_OF_AN_OBJECT = (
    *OBJECT,
    *("lookup_keys", "fallback_keys", "field_rules", "field_mapping"),
    *("constants", "lookups", "company_links"),
)
"""What an entry that names an object does not inherit."""

_BULK = {
    **dict.fromkeys(
        ("sync_mode", "lookup_keys", "fallback_keys", "lookups", "company_links", "unknown_fields"),
        "the Gainsight job defines its operation, keys and columns",
    ),
    **dict.fromkeys(
        ("field_rules", "multi_match", "near_matches", "skip_unchanged", "max_creates"),
        "current rows are not read",
    ),
    **dict.fromkeys(("null_values", "deletes"), "a CSV file has neither nulls nor deletes"),
}
_JOBS = "bulk jobs load companies, relationships and custom objects"
_PEOPLE = "people are always identified by Email"
_ACTIVITIES = "activities are always identified by ExternalId"

INAPPLICABLE: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("object_type", "survey_csv"): dict.fromkeys(
        (*_BULK, "field_mapping", "rich_text", "transport", "bulk_job_id"),
        "an administrator imports its file, whose columns survey_columns assigns",
    ),
    ("object_type", "person"): {
        "lookup_keys": _PEOPLE,
        "fallback_keys": _PEOPLE,
        "transport": _JOBS,
        "deletes": "the People API does not delete",
    },
    ("object_type", "timeline"): {
        "lookup_keys": _ACTIVITIES,
        "fallback_keys": _ACTIVITIES,
        "transport": _JOBS,
        "deletes": "the Timeline API does not delete",
    },
    ("object_type", "cta"): {
        "fallback_keys": "the lookup keys of an existing CTA cannot be written",
        "transport": _JOBS,
        "deletes": "the Cockpit API does not delete",
    },
    ("transport", "bulk"): _BULK,
    ("sync_mode", "insert"): dict.fromkeys(
        ("field_rules", "fallback_keys", "deletes"), "insert reads no existing rows"
    ),
}
"""The settings that do not apply beside the value of another, and why."""

REQUIRES = {
    "custom_object_name": ("object_type", "custom_object"),
    "company_links": ("object_type", "person"),
    "survey_columns": ("object_type", "survey_csv"),
    "bulk_job_id": ("transport", "bulk"),
}
"""The settings that apply only beside a value of another."""

WITHOUT_EFFECT = ("skip", "rest")
"""Values that ask for nothing, and may stand beside anything."""


def parse_stream(
    own: Mapping[str, Any], inherited: Mapping[str, Any], prefix: str, errors: ConfigErrors
) -> StreamSettings | None:
    """Decide how one stream is loaded; None if no setting names its object.

    A setting that does not apply is an error where it is set for this object. One that is
    inherited is meant for other streams.

    Args:
        own: The settings of its own entry, or those at the top; each has a valid type.
        inherited: The settings at the top that hold for it as well.
        prefix: What precedes the names of its own settings, such as ``streams.accounts.``.
    """
    given = {**inherited, **own}
    if given.get("custom_object_name"):
        given.setdefault("object_type", "custom_object")
    if "object_type" not in given:
        return None
    dropped = dict(_inapplicable(given))
    meant = own if prefix else (*SETTINGS_OF_AN_OBJECT, "deletes")
    errors.extend(
        f"{prefix}{name} {why}."
        for name, why in dropped.items()
        if name in own and name in meant and given[name] and given[name] not in WITHOUT_EFFECT
    )
    stream = StreamSettings(**{name: given[name] for name in given if name not in dropped})
    if stream.object_type == "custom_object" and not stream.custom_object_name:
        errors.append(
            f"{prefix}custom_object_name is missing: set it to the API name of the custom object, "
            "such as MyObject__gc."
        )
    if stream.transport == "bulk" and not stream.bulk_job_id:
        errors.append(
            f"{prefix}bulk_job_id is missing: set it to the job's ID, which Gainsight shows in "
            "the job's cURL command."
        )
    return stream


def _inapplicable(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """List the settings that do not apply, each with the reason."""
    for name, (setting, value) in REQUIRES.items():
        if name in given and given.get(setting) != value:
            yield name, f"requires {setting}: {value}"
    for (setting, value), reasons in INAPPLICABLE.items():
        if given.get(setting) == value:
            for name in filter(given.get, reasons):
                why = f"cannot be combined with {setting}: {value}; {reasons[name]}"
                yield name, f"{why}. Remove it"
