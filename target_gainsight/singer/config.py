"""The configuration as the SDK hands it over: read, and checked for all errors at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from target_gainsight.settings import (
    SettingsError,
    join_stream_maps,
    parse_settings,
    read_sdk_settings,
    restore_dropped_names,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class CheckedConfig(NamedTuple):
    """A configuration that has been checked.

    Attributes:
        raw: Our settings, as they were given.
        for_sdk: What the SDK reads of it.
        errors: What is wrong with it, but for what the SDK finds.
    """

    raw: dict[str, Any]
    for_sdk: dict[str, Any]
    errors: list[str]


def check_config(given: Mapping[str, Any], schema: dict[str, Any]) -> CheckedConfig:
    """Check our settings and convert those of the SDK.

    Args:
        given: The configuration.
        schema: The JSON schema of all settings.
    """
    raw = restore_dropped_names(given, schema)
    maps = raw.get("stream_maps")
    if isinstance(maps, dict):
        raw["stream_maps"] = join_stream_maps(maps)
    errors: list[str] = []
    try:
        parse_settings(raw)
    except SettingsError as error:
        errors += error.errors
    for_sdk, wrong = read_sdk_settings(raw, schema)
    return CheckedConfig(raw, for_sdk, [*errors, *wrong])
