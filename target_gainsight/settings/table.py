"""All settings by name. Their descriptions are their documentation.

The parser, ``--about``, meltano.yml, hub/, .env.example and the tables of the documentation are
all derived from the declarations, in ``model`` and ``stream_settings``. What the values mean
together is decided in ``parsing``, ``connection`` and ``stream_parsing``.

Each sentence of a description begins with a capital letter, and names with dots stand in
backticks: Meltano Hub's bot edits a description that is written otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_gainsight.settings.model import Connection, Limits, Output, Settings
from target_gainsight.settings.setting import SDK_GROUP, Setting, sdk_setting, settings_of
from target_gainsight.settings.stream_settings import StreamSettings

ESSENTIAL = (
    *("domain", "access_key", "streams", "object_type"),
    *("field_mapping", "lookups", "sync_mode", "lookup_keys"),
)
"""The settings that everyone needs. The README explains them."""

GROUPS = (
    "Connection",
    "Streams",
    "Object and mapping",
    "Modes and keys",
    "Limits",
    "Rejects and output",
    "Bulk jobs and survey files",
    "Sandbox",
    SDK_GROUP,
)
"""The headings of the documentation, in order."""

_FORMS = (Connection, StreamSettings, Settings, Limits, Output)

SETTINGS: Mapping[str, Setting] = {
    each.name: each
    for each in sorted(
        (each for form in _FORMS for each in settings_of(form)),
        key=lambda each: GROUPS.index(each.group),
    )
}
"""Every setting of ours, in the order of the documentation."""

STREAM_SETTINGS = tuple(name for name, each in SETTINGS.items() if each.scope == "stream")
"""Names of the settings that hold for a stream, given at the top or in its entry."""

ENTRY_SETTINGS = tuple(name for name, each in SETTINGS.items() if each.scope != "run")
"""Names of the settings that an entry of ``streams`` may have."""

CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {name: each.schema for name, each in SETTINGS.items() if each.scope != "entry"},
}
"""The configuration as a JSON schema; the Singer SDK adds its own settings."""


def declared_settings(schema: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return the declaration of each setting in a configuration schema, the SDK's included."""
    return tuple(
        SETTINGS[name] if name in SETTINGS else sdk_setting(name, declared)
        for name, declared in schema["properties"].items()
    )
