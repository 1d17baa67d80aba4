"""Prints tables, JSON and YAML for the commands."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click
import simplejson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from target_gainsight.mapping.escaping import one_line, printable_json, yaml_lines

_Command = TypeVar("_Command", bound="Callable[..., Any]")

MAX_WIDTH = 10_000
MAX_LISTED = 8
"""The items of a list that a cell of a table shows."""


def examples(*lines: str) -> str:
    """Return the end of a command's help: command lines that can be copied."""
    return "\b\n" + "\n".join(("Examples:", *(f"  {line}" for line in lines)))


def format_option(*choices: str) -> Callable[[_Command], _Command]:
    """Return the option ``--format``, as parameter ``form``; the first choice is the default."""
    return click.option(
        "--format", "form", type=click.Choice(choices), default=choices[0], show_default=True
    )


def print_table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print columns, by name and heading, within the terminal's width; at full width if piped.

    A table that would have to break words to fit is printed as a block of lines for each row.
    """
    table = Table()
    cells = [[_table_cell(row.get(name)) for name in columns] for row in rows]
    for number, heading in enumerate(columns.values()):
        has_words = any(" " in row[number] for row in cells)
        table.add_column(escape(one_line(heading)), no_wrap=not has_words)  # rich would cut words
    for row in cells:
        table.add_row(*row)
    measured = Console(width=MAX_WIDTH).measure(table)
    if sys.stdout.isatty():
        console = Console(color_system=None if os.environ.get("NO_COLOR") else "auto")
        console.print(_as_blocks(table, cells) if measured.minimum > console.width else table)
    else:
        Console(width=measured.maximum, soft_wrap=True).print(table)


def _as_blocks(table: Table, rows: list[list[str]]) -> Table:
    """Put each row's headings and values below each other; empty values are left out."""
    blocks = Table.grid(padding=(0, 2))
    blocks.add_column(style="bold", no_wrap=True)
    blocks.add_column(overflow="fold")
    for row in rows:
        for column, cell in zip(table.columns, row, strict=True):
            if cell:
                blocks.add_row(column.header, cell)
        blocks.add_row()
    return blocks


def _table_cell(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        more = f" and {len(value) - MAX_LISTED} more" if len(value) > MAX_LISTED else ""
        value = ", ".join(map(str, value[:MAX_LISTED])) + more
    return escape(one_line(str(value)))


def _is_unicode() -> bool:
    return Console().encoding.lower().startswith("utf")


def marks() -> tuple[str, str]:
    """Return the marks of right and wrong that the output's encoding has."""
    return ("✓", "✗") if _is_unicode() else ("ok", "x")


def print_as(form: str, content: object) -> None:
    """Print JSON values as ``json`` or ``yaml``; JSON takes decimals and dates, too."""
    if form == "json":
        text = simplejson.dumps(content, indent=2, ensure_ascii=not _is_unicode(), default=str)
        click.echo(printable_json(text))
    else:
        click.echo("\n".join(yaml_lines(content)))
