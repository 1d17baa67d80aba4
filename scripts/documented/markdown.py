"""The settings as Markdown: a table for the README, a page with a heading each for the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documented.declared import Setting

TYPE_NAMES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "object": "object",
    "string": "text",
}


def settings_table(settings: Iterable[Setting]) -> str:
    """Lay the target's own settings out as a table; the SDK's follow in one line.

    Args:
        settings: All settings of the target.

    Returns:
        Markdown, ending in a newline.
    """
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    rows += [_table_row(setting) for setting in settings if not setting.inherited]
    names = ", ".join(f"`{setting.name}`" for setting in settings if setting.inherited)
    return "\n".join([*rows, "", f"From the Singer SDK, with its meaning: {names}.", ""])


def settings_reference(settings: Iterable[Setting]) -> str:
    """Give every setting a heading of its own, to be linked to, with its facts below.

    Args:
        settings: All settings of the target.

    Returns:
        Markdown with headings of the second and third level, ending in a newline.
    """
    own = [setting for setting in settings if not setting.inherited]
    inherited = [setting for setting in settings if setting.inherited]
    return "\n".join(
        [
            "## Settings of the target\n",
            *(_section(setting) for setting in own),
            "## Settings of the Singer SDK\n",
            *(_section(setting) for setting in inherited),
        ]
    )


def _table_row(setting: Setting) -> str:
    name = f"`{setting.name}`" + (" (secret)" if setting.secret else "")
    default = f"`{setting.shown_default}`" if setting.shown_default else ""
    choices = f" One of {_listed(setting.choices)}." if setting.choices else ""
    meaning = (setting.description + choices).replace("|", "\\|")
    return f"| {name} | {default} | {meaning} |"


def _section(setting: Setting) -> str:
    facts = "\n".join(f"- {fact}" for fact in _facts(setting))
    return f"### {setting.name}\n\n{setting.description}\n\n{facts}\n"


def _facts(setting: Setting) -> Iterator[str]:
    kinds = [TYPE_NAMES[each] for each in setting.types if each in TYPE_NAMES]
    secret = ", secret" if setting.secret else ""
    yield f"Type: {' or '.join(kinds) or 'any'}{secret}"
    if setting.choices:
        yield f"One of: {_listed(setting.choices)}"
    if setting.shown_default:
        yield f"Default: `{setting.shown_default}`"
    yield f"Environment: `{setting.variable}`"
    if setting.routed:
        yield "May stand in an entry of `streams`"


def _listed(choices: Iterable[str]) -> str:
    return ", ".join(f"`{choice}`" for choice in choices)
