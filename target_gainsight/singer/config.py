"""Configuration at the command line: checked for all errors at once, and shown by ``--about``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from singer_sdk.about import AboutInfo

from target_gainsight.mapping.errors import display
from target_gainsight.settings.dotted_names import join_stream_maps
from target_gainsight.settings.environment import restore_dropped_names
from target_gainsight.settings.errors import SettingsError
from target_gainsight.settings.parsing import parse_settings, read_sdk_settings


def check_config(
    given: Mapping[str, Any], schema: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Check our settings and convert those of the SDK.

    Returns:
        Our settings as they were given, the settings as the SDK reads them, and all errors but
        those that the SDK finds.
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
    errors += [*wrong, *_missing_faker(for_sdk.get("stream_maps"))]
    return raw, for_sdk, errors


def _missing_faker(maps: object) -> list[str]:
    """Report an expression that would fail for every record."""
    expression = _faker_expression(maps)
    if expression is None or find_spec("faker"):
        return []
    install = "pip install 'target-gainsight[faker]'"
    return [f"stream_maps: {display(expression)} needs the faker extra. Install it: {install}"]


def _faker_expression(maps: object) -> str | None:
    """Return the first expression of stream maps that calls ``fake``."""
    if isinstance(maps, dict):
        return next(filter(None, map(_faker_expression, maps.values())), None)
    return maps if isinstance(maps, str) and re.search(r"\bfake\.", maps) else None


def as_text(info: AboutInfo) -> str:
    """Lay out the target and its settings as text, a paragraph per setting."""
    capabilities = ", ".join(each.value for each in info.capabilities)
    lines = [
        f"{info.name} {info.version}: {info.description}",
        f"Singer SDK {info.sdk_version}; Python {', '.join(info.supported_python_versions or ())}",
        f"Capabilities: {capabilities}",
        "",
        "Settings:",
    ]
    for name, schema in info.settings["properties"].items():
        secret = " (secret)" if schema.get("secret") else ""
        lines += ["", f"  {name} - {schema['title']}{secret}", f"    {schema['description']}"]
        lines += [f"    Environment: {info.env_var_prefix}{name.upper()}"]
    return "\n".join(lines)


def as_markdown(info: AboutInfo) -> str:
    """Lay out the target and its settings as Markdown, a table row per setting."""
    lines = [
        f"# `{info.name}` {info.version}\n\n{info.description or ''}\n",
        f"Singer SDK {info.sdk_version}; Python {', '.join(info.supported_python_versions or ())}.",
        "\n| Setting | Title | Meaning |\n|---|---|---|",
    ]
    for name, schema in info.settings["properties"].items():
        secret = " (secret)" if schema.get("secret") else ""
        meaning = schema["description"].replace("|", "\\|")
        lines.append(f"| `{name}`{secret} | {schema['title']} | {meaning} |")
    return "\n".join(lines)
