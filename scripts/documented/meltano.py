"""Settings and commands as plugin definitions write them, in meltano.yml and on the Hub."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from target_gainsight.settings.kinds import OBJECT
from target_gainsight.settings.setting import Setting

COMMANDS = {
    "check": "Check the settings against the tenant; writes nothing.",
    "describe": "Show the tenant's objects, or the fields of one; writes nothing.",
    "plan": "Show what a run over a tap's messages would write and cost; writes nothing.",
    "probe": "Find out how the tenant's API behaves, and what that means; only reads by default.",
    "rejects": "List, show, replay or clear rejected records.",
    "report": "Make the HTML report of a run that has ended.",
    "sandbox": "Serve the embedded sandbox, or show its rows.",
}
"""Descriptions in `meltano invoke --list-commands`, by subcommand of `gainsight`."""


def commands() -> dict[str, dict[str, str]]:
    """The plugin's commands.

    Returns:
        Name to command, as a plugin definition has it.
    """
    return {
        name: {"executable": "gainsight", "args": name, "description": description}
        for name, description in COMMANDS.items()
    }


def definition(setting: Setting) -> dict[str, object]:
    """Define one setting for Meltano.

    All but objects are text to Meltano, and no default is stated, so that the target sees what
    the user gave and nothing else: see ``Kind`` and ``Setting.schema``. Without
    ``nest_object`` Meltano loses the names with dots of an object given in a variable.
    """
    entry: dict[str, object] = {"name": setting.name, "label": setting.title}
    if setting.kind is OBJECT:
        entry |= {"kind": "object", "value_processor": "nest_object"}
    else:
        entry["kind"] = "string"
    if setting.secret:
        entry["sensitive"] = True
    return {**entry, "description": setting.help}


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
