"""Parses the raw configuration into settings and reports every error at once.

An error names the setting, shows what was given (never a secret) and says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from target_gainsight.settings.connection import (
    parse_connection,
    parse_notify_url,
    parse_quota_store,
)
from target_gainsight.settings.dotted_names import join_names
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
from target_gainsight.settings.setting import SDK_GROUP, Kind, check_names, read_values, settings_of
from target_gainsight.settings.stream_parsing import OBJECT, SETTINGS_OF_AN_OBJECT, parse_stream
from target_gainsight.settings.stream_settings import StreamSettings

_Form = TypeVar("_Form")

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
    given = read_values(raw, SETTINGS.values(), errors)
    _apply_load_method(given, errors)
    limits = _build(Limits, given)
    store = parse_quota_store(str(limits.quota_store), limits.quota_store_password or "", errors)
    top = {name: given[name] for name in STREAM_SETTINGS if name in given}
    settings = _build(
        Settings,
        given,
        connection=parse_connection(_build(Connection, given), errors),
        limits=replace(limits, quota_store=store),
        output=_build_output(given, errors),
        default_stream=parse_stream(top, {}, "", errors),
        streams={
            name: _parse_entry(name, entry, top, errors)
            for name, entry in join_names(given.get("streams", {}), _is_part).items()
        },
    )
    if errors:
        raise SettingsError(errors)
    return settings


def parse_output(raw: Mapping[str, Any]) -> Output:
    """Parse what is written about a run, from settings that may have errors elsewhere."""
    given = read_values(raw, settings_of(Output), ConfigErrors())
    return _build_output(given, ConfigErrors())


def read_sdk_settings(
    raw: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Read the settings of the Singer SDK, which may be text as well."""
    errors = ConfigErrors()
    declared = [
        each
        for each in declared_settings(schema)
        if each.group == SDK_GROUP and each.kind is not Kind.TEXT
    ]
    values = read_values(raw, declared, errors)
    config = {name: value for name, value in raw.items() if not errors.has(name)}
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
    name: str, raw: object, top: Mapping[str, Any], errors: ConfigErrors
) -> StreamSettings | None:
    prefix = f"streams.{name}."
    if not isinstance(raw, dict):
        expected = "an object of settings, such as {object_type: company}"
        errors.add(f"streams.{name}", display(raw), expected)
        return None
    check_names(raw, ENTRY_SETTINGS, errors, prefix)
    own = read_values(raw, (SETTINGS[each] for each in ENTRY_SETTINGS), errors, prefix)
    left = SETTINGS_OF_AN_OBJECT if own.keys() & OBJECT else ()
    inherited = {name: value for name, value in top.items() if name not in left}
    return parse_stream(own, inherited, prefix, errors)


def _is_part(value: Mapping[str, Any]) -> bool:
    """Return whether an object under ``streams`` holds entries, and so is a part of their names."""
    return all(isinstance(each, dict) for each in value.values()) and any(
        set(each).intersection(ENTRY_SETTINGS) or _is_part(each) for each in value.values()
    )
