"""How the commands print: tables as wide as what is in them, checklists, JSON, YAML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import simplejson
from rich.console import Console
from rich.measure import Measurement

from target_gainsight.mapping.escaping import printable_json
from target_gainsight.mapping.planning.mismatch import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

WIDEST = 10_000
MOST_INLINE = 100


def print_whole(table: Table) -> None:
    """Print a table without cutting or wrapping its cells, however narrow the terminal."""
    console = Console()
    natural = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    Console(width=max(console.width, natural), soft_wrap=True).print(table)


def marks() -> tuple[str, str]:
    """The marks of what is right and what is wrong, as far as the terminal can show them."""
    return ("✓", "✗") if _is_unicode() else ("ok", "x")


def _is_unicode() -> bool:
    return Console().encoding.lower().startswith("utf")


def print_as(form: str, content: object) -> None:
    """Print JSON values.

    Args:
        form: ``json`` or ``yaml``.
        content: Mappings with text keys, lists and scalars; JSON takes decimals and dates, too.
    """
    if form == "json":
        text = simplejson.dumps(content, indent=2, ensure_ascii=not _is_unicode(), default=str)
        click.echo(printable_json(text))
    else:
        click.echo("\n".join(yaml_lines(content)))


def yaml_lines(content: object) -> Iterator[str]:
    """Write JSON values as YAML, a line at a time: YAML takes what JSON has, so scalars are JSON.

    Args:
        content: Mappings with text keys, lists and scalars.

    Yields:
        The lines, not indented.
    """
    if isinstance(content, dict) and content:
        yield from _mapping_lines(content)
    elif isinstance(content, list) and content:
        for item in content:
            first, *rest = yaml_lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _inline(content)


def _mapping_lines(content: Mapping[str, Any]) -> Iterator[str]:
    for key, value in content.items():
        inline = _inline(value)
        if not isinstance(value, dict | list) or not value or _fits(value, inline):
            yield f"{yaml_text(key)}: {inline}"
        else:
            yield f"{yaml_text(key)}:"
            yield from (f"  {line}" for line in yaml_lines(value))


def _fits(value: object, inline: str) -> bool:
    """Whether a list of scalars is short enough for one line."""
    scalars = isinstance(value, list) and not any(isinstance(each, dict | list) for each in value)
    return scalars and len(inline) <= MOST_INLINE


def _inline(value: object) -> str:
    if isinstance(value, str):
        return yaml_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return printable_json(json.dumps(value, ensure_ascii=False))
