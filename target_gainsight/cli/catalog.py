"""One stream of a tap's catalog: its name and the columns that are selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from target_gainsight.cli.json_file import json_in
from target_gainsight.mapping.columns import columns_of

if TYPE_CHECKING:
    from pathlib import Path

    from target_gainsight.mapping.columns import Column

Plain = dict[str, Any]


@dataclass(frozen=True)
class CatalogStream:
    """A stream.

    Attributes:
        name: Its name, as its messages carry it.
        columns: What it carries.
    """

    name: str
    columns: tuple[Column, ...]


def read_stream(path: Path, name: str | None) -> CatalogStream:
    """Read a stream of a catalog.

    Args:
        path: The catalog, as ``tap --discover`` writes it.
        name: The stream's name; may be left out when there is only one.

    Returns:
        The stream.

    Raises:
        click.ClickException: There is no catalog, or not that stream in it.
    """
    streams = {_name(each): each for each in _streams(path)}
    listed = ", ".join(sorted(streams)) or "none"
    if name is None and len(streams) != 1:
        message = f"{path} has several streams, name one with --stream: {listed}"
        raise click.ClickException(message if streams else f"{path} has no streams")
    chosen = next(iter(streams)) if name is None else name
    if chosen not in streams:
        message = f"{path} has no stream {chosen!r}; it has {listed}"
        raise click.ClickException(message)
    return CatalogStream(chosen, _columns(streams[chosen]))


def _streams(path: Path) -> list[Plain]:
    catalog = json_in(path)
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(streams, list):
        message = f"{path} is no catalog: a JSON object with a list of streams is wanted"
        raise click.ClickException(message)
    return [each for each in streams if isinstance(each, dict)]


def _name(stream: Plain) -> str:
    return str(stream.get("stream") or stream.get("tap_stream_id"))


def _columns(stream: Plain) -> tuple[Column, ...]:
    schema = stream.get("schema")
    left_out = _left_out(stream.get("metadata"))
    columns = columns_of(schema) if isinstance(schema, dict) else ()
    return tuple(column for column in columns if column.name not in left_out)


def _left_out(metadata: object) -> set[str]:
    """The columns that are not selected."""
    entries = metadata if isinstance(metadata, list) else []
    found = set()
    for entry in entries:
        said = entry.get("metadata", {})
        breadcrumb = entry.get("breadcrumb", [])
        excluded = said.get("selected") is False or said.get("inclusion") == "unsupported"
        if excluded and len(breadcrumb) == 2:  # noqa: PLR2004 - ["properties", column]
            found.add(str(breadcrumb[1]))
    return found
