"""Raw configuration in, frozen settings out, with every mistake named at once.

A mistake names the setting, says what was given (never a secret's value) and what is right.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from target_gainsight.settings.connection import CONNECTION_SETTINGS, parse_connection
from target_gainsight.settings.errors import Mistakes, schema_mistakes, shown
from target_gainsight.settings.file_streams import only_what_means_something
from target_gainsight.settings.model import Limits, Rejection, Settings, StreamSettings
from target_gainsight.settings.quota_store import parse_quota_store
from target_gainsight.settings.schema import CONFIG_SCHEMA, ENTRY_PROPERTIES
from target_gainsight.settings.stream_schema import ENTRY_SETTINGS, STREAM_SETTINGS
from target_gainsight.settings.streams import entries_of, parse_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_OBJECT = ("object_type", "custom_object_name")
OBJECTS_OWN_BUSINESS = (
    "lookup_keys",
    "field_mapping",
    "constants",
    "lookups",
    "company_links",
)
"""What an entry with an object of its own does not inherit."""

LOAD_METHODS = {"append-only": "insert", "upsert": "upsert"}

Properties = dict[str, dict[str, Any]]
PROPERTIES = cast("Properties", CONFIG_SCHEMA["properties"])


class SettingsError(Exception):
    """The configuration has mistakes.

    Attributes:
        mistakes: One sentence each.
    """

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def parse_settings(raw: Mapping[str, Any]) -> Settings:
    """Turn the configuration as it was given into settings.

    Args:
        raw: Setting name to JSON value, without defaults filled in.

    Returns:
        The settings.

    Raises:
        SettingsError: There are mistakes; all of them are listed.
    """
    given = {name: value for name, value in raw.items() if value is not None}
    mistakes = Mistakes()
    wrong = schema_mistakes(given, PROPERTIES, mistakes)
    usable = {name: _whole(value) for name, value in given.items() if name not in wrong}
    _check_batch_size(usable, mistakes)
    top = _with_sync_mode(usable, mistakes)
    settings = _settings(top, mistakes, wrong=wrong)
    if mistakes.found:
        raise SettingsError(tuple(mistakes.found))
    return settings


def unknown_settings(raw: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, ...]:
    """Name top-level settings that nothing reads, with the likely intention.

    Args:
        raw: The configuration.
        known: The names that the target and the SDK know.

    Returns:
        One sentence per unknown setting.
    """
    sentences = []
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            meant = f"; did you mean '{near[0]}'?" if near else ""
            sentences.append(f"setting '{name}' is not known and has no effect{meant}")
    return tuple(sentences)


def _settings(top: dict[str, Any], mistakes: Mistakes, *, wrong: frozenset[str]) -> Settings:
    connection = parse_connection(
        {name: _value(top, name) for name in CONNECTION_SETTINGS},
        mistakes,
        wrong=wrong,
    )
    return Settings(
        connection=connection,
        limits=Limits(
            calls_per_minute=_value(top, "calls_per_minute"),
            calls_per_day=_value(top, "calls_per_day"),
            timeline_calls_per_minute=_value(top, "timeline_calls_per_minute"),
            bulk_calls_per_hour=_value(top, "bulk_calls_per_hour"),
            bulk_calls_per_day=_value(top, "bulk_calls_per_day"),
            quota_percent=_value(top, "quota_percent"),
            max_calls_per_run=_value(top, "max_calls_per_run"),
            request_timeout=_value(top, "request_timeout"),
            max_retry_seconds=_value(top, "max_retry_seconds"),
            quota_store=parse_quota_store(_value(top, "quota_store"), mistakes),
        ),
        rejection=Rejection(
            path=Path(_value(top, "rejects_path")),
            keys_only=_value(top, "reject_values") == "keys",
            max_rejects=_value(top, "max_rejects"),
            max_reject_percent=_value(top, "max_reject_percent"),
        ),
        default_stream=_default_stream(top, mistakes),
        streams=_streams(top, mistakes),
        batch_size_rows=top.get("batch_size_rows"),
        read_group_size=_value(top, "read_group_size"),
        max_concurrency=_value(top, "max_concurrency"),
        max_batch_age_seconds=_value(top, "max_batch_age_seconds"),
        survey_path=Path(_value(top, "survey_path")),
        summary_path=Path(top["summary_path"]) if top.get("summary_path") else None,
        dry_run=_value(top, "dry_run"),
    )


def _value(given: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON of any type
    return given.get(name, PROPERTIES[name].get("default"))


def _whole(value: object) -> object:
    """Turn 50.0, which JSON schema holds for a whole number, into 50."""
    return int(value) if isinstance(value, float) else value


def _default_stream(top: dict[str, Any], mistakes: Mistakes) -> StreamSettings | None:
    own = {name: top[name] for name in STREAM_SETTINGS if name in top}
    given = only_what_means_something({}, own, "", mistakes)
    return parse_stream(given, dict.fromkeys(given, ""), "", mistakes)


def _streams(top: dict[str, Any], mistakes: Mistakes) -> dict[str, StreamSettings | None]:
    inherited = {name: top[name] for name in STREAM_SETTINGS if name in top}
    streams: dict[str, StreamSettings | None] = {}
    for name, entry in entries_of(top.get("streams", {})).items():
        streams[name] = _entry(name, entry, inherited, mistakes)
    return streams


def _entry(
    name: str, entry: object, inherited: dict[str, Any], mistakes: Mistakes
) -> StreamSettings | None:
    where = f"streams.{name}"
    if not isinstance(entry, dict):
        mistakes.add(where, shown(entry), "an object of settings, such as {object_type: company}")
        return None
    _check_entry_names(where, entry, mistakes)
    known = {key: value for key, value in entry.items() if key in ENTRY_SETTINGS}
    known = {key: value for key, value in known.items() if value is not None}
    wrong = schema_mistakes(known, ENTRY_PROPERTIES, mistakes, prefix=f"{where}.")
    usable = {key: _whole(value) for key, value in known.items() if key not in wrong}
    left_behind = (*OWN_OBJECT, *OBJECTS_OWN_BUSINESS) if set(usable) & set(OWN_OBJECT) else ()
    base = {key: value for key, value in inherited.items() if key not in left_behind}
    places = dict.fromkeys(base, "") | dict.fromkeys(usable, f"{where}.")
    given = only_what_means_something(usable, base, f"{where}.", mistakes)
    return parse_stream(given, places, f"{where}.", mistakes)


def _check_entry_names(where: str, entry: Mapping[str, object], mistakes: Mistakes) -> None:
    for key in entry:
        if key not in ENTRY_SETTINGS:
            near = difflib.get_close_matches(key, ENTRY_SETTINGS, n=1)
            right = f"did you mean '{near[0]}'?" if near else "one of " + ", ".join(ENTRY_SETTINGS)
            mistakes.add(f"{where}.{key}", "an unknown setting", right)


def _check_batch_size(given: Mapping[str, Any], mistakes: Mistakes) -> None:
    size = given.get("batch_size_rows")
    if isinstance(size, int) and size < 1:
        mistakes.add("batch_size_rows", shown(size), "a whole number of at least 1")


def _with_sync_mode(given: dict[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """Honour the SDK's load_method when no sync_mode is given."""
    method = given.get("load_method")
    if method is None:
        return given
    if method == "overwrite":
        mistakes.add(
            "load_method",
            "'overwrite'",
            "append-only or upsert; nothing in Gainsight is ever deleted to be loaded again",
        )
        return given
    mode = LOAD_METHODS[method]
    if given.get("sync_mode", mode) != mode:
        mistakes.add(
            "load_method",
            f"'{method}' beside sync_mode '{given['sync_mode']}'",
            "only one of the two, or both meaning the same",
        )
    return {**given, "sync_mode": given.get("sync_mode", mode)}
