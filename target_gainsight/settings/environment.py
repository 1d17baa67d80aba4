"""Settings from the environment. What cannot be read stays text, for the checks to name it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from singer_sdk.configuration._dict_config import parse_environment_config

from target_gainsight.settings.schema import CONFIG_SCHEMA_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOLEANS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)


def read_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Read the settings that environment variables, or a ``.env`` file, carry.

    Args:
        schema: The configuration's JSON schema.
        prefix: What a variable's name begins with, such as ``TARGET_GAINSIGHT_``.

    Returns:
        Setting name to value; text that is not of the declared type is returned as it is.
    """
    parse_environment_config({}, prefix)  # brings a .env file into the environment
    variables = {name: f"{prefix}{name.upper()}" for name in schema["properties"]}
    given = {
        name: _value(os.environ[variable], schema["properties"][name])
        for name, variable in variables.items()
        if variable in os.environ
    }
    return {
        name: _nested(value) if name in CONFIG_SCHEMA_NAMES else value
        for name, value in given.items()
    }


def _value(text: str, declared: Mapping[str, Any]) -> object:
    types = declared.get("type", ())
    if "string" in types:
        return text
    if "boolean" in types:
        return BOOLEANS.get(text.strip().lower(), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _nested(value: object) -> object:
    """Undo Meltano's flattening, which makes ``a.b: c`` of ``a: {b: c}``.

    Names that had dots themselves come apart; the settings join them again.
    """
    if not isinstance(value, dict):
        return value
    nested: dict[str, Any] = {}
    for name, each in value.items():
        *outer, last = [name] if isinstance(each, dict) else name.split(".")
        inner = nested
        for part in outer:
            inner = inner.setdefault(part, {})
        inner[last] = each
    return nested
