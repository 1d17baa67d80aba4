"""The settings as Markdown: a short table for the README, a table per group for the docs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from documented.declared import ESSENTIAL
from target_gainsight.settings.kinds import BOOLEAN, INTEGER, NAMES, OBJECT, OUTPUT_PATH, PATH
from target_gainsight.settings.setting import Setting

KIND_NAMES = {
    PATH: "path",
    OUTPUT_PATH: "path",
    INTEGER: "number",
    BOOLEAN: "boolean",
    NAMES: "list or text",
    OBJECT: "object",
}
"""Names of the kinds of settings; all others hold text."""

PLACES = {"run": "top", "stream": "top, `streams`", "entry": "`streams`"}
"""Places where a setting may be given, by its scope."""


def settings_table(settings: Iterable[Setting]) -> str:
    """Lay out the settings that everyone needs as a table, ending in a newline."""
    by_name = {setting.name: setting for setting in settings}
    rows = [_short_row(by_name[name]) for name in ESSENTIAL if name in by_name]
    return "\n".join(["| Setting | Meaning |", "|---|---|", *rows, ""])


def settings_reference(settings: Iterable[Setting]) -> str:
    """Lay out all settings as a table per group, each row with an anchor to be linked to.

    Args:
        settings: The settings, each group together.

    Returns:
        Markdown with headings of the second level, ending in a newline.
    """
    lines: list[str] = []
    for group, members in groupby(settings, key=lambda setting: setting.group):
        lines += [f"## {group}\n", "| Setting | Type | Where | Default | Meaning |"]
        lines += ["|---|---|---|---|---|", *(_row(setting) for setting in members), ""]
    return "\n".join(lines)


def _short_row(setting: Setting) -> str:
    first, *_ = setting.description.split(". ")
    meaning = f"{first.removesuffix('.')}.{_choices(setting)}"
    name = f"[`{setting.name}`](docs/settings.md#{setting.name}){_secret(setting)}"
    return f"| {name} | {_escaped(meaning)} |"


def _row(setting: Setting) -> str:
    default = f"`{setting.shown_default}`" if setting.shown_default else ""
    cells = (
        f'<a id="{setting.name}"></a>`{setting.name}`{_secret(setting)}',
        KIND_NAMES.get(setting.kind, "text"),
        PLACES[setting.scope],
        default,
        _escaped(setting.description + _choices(setting)),
    )
    return f"| {' | '.join(cells)} |"


def _choices(setting: Setting) -> str:
    choices = ", ".join(f"`{choice}`" for choice in setting.choices)
    return f" One of {choices}." if choices else ""


def _secret(setting: Setting) -> str:
    return " (secret)" if setting.secret else ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<br>", "`<br>`")
