"""Settings and commands as plugin definitions write them, in meltano.yml and on the Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from documented.declared import Setting

KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    "object": "object",
    "string": "string",
}

COMMANDS = {
    "check": "Check the settings against the tenant; writes nothing.",
    "describe": "Show the tenant's objects, or the fields of one; writes nothing.",
    "plan": "Show what a run over a tap's messages would write and cost; writes nothing.",
    "rejects": "List, show, replay or clear rejected records.",
    "sandbox": "Run a local Gainsight tenant, or look into one.",
}
"""Subcommand of `gainsight` to what `meltano invoke --list-commands` says of it."""


def commands() -> dict[str, dict[str, str]]:
    """The plugin's commands.

    Returns:
        Name to command, as a plugin definition has it.
    """
    return {
        name: {"executable": "gainsight", "args": name, "description": description}
        for name, description in COMMANDS.items()
    }


def kind(setting: Setting) -> str:
    """Choose Meltano's kind: text where text is allowed, so that `a,b` works in the environment.

    Args:
        setting: The setting.

    Returns:
        A kind that survives Meltano.
    """
    if setting.choices:
        return "options"
    if "string" in setting.types:
        return "string"
    return next(KINDS[each] for each in setting.types if each in KINDS)


def definition(setting: Setting) -> dict[str, object]:
    """Define one setting for Meltano.

    The default stays out: Meltano would send it as if the user had chosen it.

    Args:
        setting: The setting.

    Returns:
        An entry of a plugin's `settings`.
    """
    entry: dict[str, object] = {
        "name": setting.name,
        "label": setting.title,
        "kind": kind(setting),
    }
    if setting.choices:
        entry["options"] = [{"label": choice, "value": choice} for choice in setting.choices]
    if entry["kind"] == "object":
        entry["value_processor"] = "nest_object"  # else the environment gets keys like a.b.c
    if setting.secret:
        entry["sensitive"] = True
    entry["description"] = setting.description
    return entry


def meltano_block(settings: Iterable[Setting]) -> str:
    """Lay commands and settings out for the loader in meltano.yml.

    Args:
        settings: All settings of the target.

    Returns:
        YAML, indented for its place in meltano.yml, ending in a newline.
    """
    block = {"commands": commands(), "settings": [definition(setting) for setting in settings]}
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"    {line}\n" for line in text.splitlines())
