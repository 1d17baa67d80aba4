"""The settings as Markdown: a short table for the README, a page of groups for the docs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from documented.declared import variable
from target_gainsight.settings import ESSENTIAL, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_gainsight.settings import Setting

KIND_NAMES = {
    Kind.TEXT: "text",
    Kind.PATH: "path",
    Kind.INTEGER: "whole number",
    Kind.BOOLEAN: "true or false",
    Kind.NAMES: "list or text",
    Kind.OBJECT: "object",
}


def settings_table(settings: Iterable[Setting]) -> str:
    """Lay out the settings that everyone needs as a table, ending in a newline."""
    by_name = {setting.name: setting for setting in settings}
    rows = [_table_row(by_name[name]) for name in ESSENTIAL if name in by_name]
    return "\n".join(["| Setting | Meaning |", "|---|---|", *rows, ""])


def settings_reference(settings: Iterable[Setting]) -> str:
    """Give every group a heading, and every setting one of its own below, to be linked to.

    Args:
        settings: The settings, each group together.

    Returns:
        Markdown with headings of the second and third level, ending in a newline.
    """
    lines: list[str] = []
    for group, members in groupby(settings, key=lambda setting: setting.group):
        lines += [f"## {group}\n", *(_section(setting) for setting in members)]
    return "\n".join(lines)


def _table_row(setting: Setting) -> str:
    secret = " (secret)" if setting.secret else ""
    first, *_ = setting.description.split(". ")
    meaning = f"{first.removesuffix('.')}. {_choices(setting)}".rstrip()
    return f"| [`{setting.name}`](docs/settings.md#{setting.name}){secret} | {meaning} |"


def _section(setting: Setting) -> str:
    facts = "\n".join(f"- {fact}" for fact in _facts(setting))
    return f"### {setting.name}\n\n{setting.description}\n\n{facts}\n"


def _facts(setting: Setting) -> Iterator[str]:
    yield f"Type: {KIND_NAMES[setting.kind]}{', secret' if setting.secret else ''}"
    if setting.choices:
        yield _choices(setting).removesuffix(".")
    if setting.shown_default:
        yield f"Default: `{setting.shown_default}`"
    if setting.scope == "entry":
        yield "Only in an entry of `streams`"
        return
    yield f"Environment: `{variable(setting)}`"
    if setting.scope == "stream":
        yield "Also in an entry of `streams`"


def _choices(setting: Setting) -> str:
    choices = ", ".join(f"`{choice}`" for choice in setting.choices)
    return f"One of {choices}." if choices else ""
