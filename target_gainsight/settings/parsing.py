"""Parses the raw configuration into settings and reports every error at once.

An error names the setting, shows what was given (never a secret) and says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from target_gainsight.settings.connection import (
    parse_connection,
    parse_notify_url,
    parse_quota_store,
)
from target_gainsight.settings.environment import join_streams
from target_gainsight.settings.errors import ConfigErrors, SettingsError, did_you_mean, display
from target_gainsight.settings.model import (
    ENTRY_SETTINGS,
    SETTINGS,
    STREAM_SETTINGS,
    Connection,
    Limits,
    Output,
    Settings,
    declared_settings,
)
from target_gainsight.settings.setting import SDK_GROUP, check_names, read_values, settings_of
from target_gainsight.settings.stream_parsing import StreamEntry, parse_stream
from target_gainsight.settings.stream_settings import StreamSettings

_Form = TypeVar("_Form")

OBJECT = {"object_type", "custom_object_name"}
SETTINGS_OF_AN_OBJECT = (
    *OBJECT,
    "lookup_keys",
    "fallback_keys",
    "field_rules",
    "field_mapping",
    "constants",
    "lookups",
    "company_links",
)
"""What an entry that names an object does not inherit."""

PLACEHOLDER = re.compile(r"\{[^{}]*\}")
PLACEHOLDERS = ("{run}", "{stream}")

SYNC_MODE_OF = {"append-only": "insert", "upsert": "upsert"}
"""The sync mode that each load_method of the SDK means."""


def parse_settings(raw: Mapping[str, Any]) -> Settings:
    """Parse the configuration as it was given.

    Args:
        raw: Setting name to JSON value or text, without defaults filled in.

    Raises:
        SettingsError: There are errors; all of them are listed.
    """
    errors = ConfigErrors()
    given, invalid = read_values(raw, SETTINGS.values(), errors)
    _apply_load_method(given, errors)
    limits = _build(Limits, given)
    store = parse_quota_store(str(limits.quota_store), limits.quota_store_password, errors)
    default = StreamEntry({}, {name: given[name] for name in STREAM_SETTINGS if name in given})
    settings = _build(
        Settings,
        given,
        connection=parse_connection(_build(Connection, given), errors, invalid=invalid),
        limits=replace(limits, quota_store=store),
        output=_build_output(given, errors),
        default_stream=parse_stream(default, errors),
        streams={
            name: _parse_entry(name, entry, given, errors)
            for name, entry in join_streams(given.get("streams", {})).items()
        },
    )
    if errors:
        raise SettingsError(dict.fromkeys(errors))
    return settings


def parse_output(raw: Mapping[str, Any]) -> Output:
    """Parse what is written about a run, from settings that may have errors elsewhere."""
    given, _ = read_values(raw, settings_of(Output), ConfigErrors())
    return _build_output(given, ConfigErrors())


def read_sdk_settings(
    raw: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Read the settings of the Singer SDK, which may be text as well."""
    errors = ConfigErrors()
    declared = [each for each in declared_settings(schema) if each.group == SDK_GROUP]
    values, invalid = read_values(raw, declared, errors)
    config = {name: value for name, value in raw.items() if name not in invalid}
    return {**config, **values}, errors


def unknown_settings(raw: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, ...]:
    """Report settings at the top that nothing reads, with the likely intention."""
    reports = []
    for name in raw:
        if name in SETTINGS and name not in known:
            why = "has no effect here. Set it for each stream, in its entry under streams."
            reports.append(f"setting '{name}' {why}")
        elif name not in known:
            hint = did_you_mean(name, known)
            reports.append(f"setting '{name}' is unknown and has no effect. {hint}".rstrip())
    return tuple(reports)


def _build(form: type[_Form], given: Mapping[str, Any], **parsed: Any) -> _Form:  # noqa: ANN401
    """Fill the fields of a dataclass with the settings of the same names."""
    values = {each.name: given[each.name] for each in fields(form) if each.name in given}  # type: ignore[arg-type]
    return form(**{**values, **parsed})


def _build_output(given: Mapping[str, Any], errors: ConfigErrors) -> Output:
    for name in ("summary_path", "report_path", "outcomes_path"):
        unknown = set(PLACEHOLDER.findall(str(given.get(name, "")))) - set(PLACEHOLDERS)
        if unknown:
            known = f"a path with no other placeholders than {' and '.join(PLACEHOLDERS)}"
            errors.add(name, display(str(given[name])), known)
    return _build(Output, given, notify_url=parse_notify_url(given.get("notify_url"), errors))


def _apply_load_method(given: dict[str, Any], errors: ConfigErrors) -> None:
    """Set the sync mode that the SDK's load_method means; it wins over the default."""
    method = given.get("load_method")
    if method is None:
        return
    mode, default = given.get("sync_mode"), SETTINGS["sync_mode"].default
    if mode not in {None, default, SYNC_MODE_OF[method]}:
        errors.append(
            f"load_method: {method} cannot be combined with sync_mode: {mode}. Remove one of the "
            "two."
        )
    given["sync_mode"] = SYNC_MODE_OF[method]


def _parse_entry(
    name: str, raw: object, given: Mapping[str, Any], errors: ConfigErrors
) -> StreamSettings | None:
    prefix = f"streams.{name}."
    if not isinstance(raw, dict):
        expected = "an object of settings, such as {object_type: company}"
        errors.add(f"streams.{name}", display(raw), expected)
        return None
    check_names(raw, ENTRY_SETTINGS, errors, prefix)
    own, _ = read_values(raw, (SETTINGS[each] for each in ENTRY_SETTINGS), errors, prefix)
    kept = set(STREAM_SETTINGS).difference(SETTINGS_OF_AN_OBJECT if own.keys() & OBJECT else ())
    inherited = {each: value for each, value in given.items() if each in kept}
    return parse_stream(StreamEntry(own, inherited, prefix), errors)
