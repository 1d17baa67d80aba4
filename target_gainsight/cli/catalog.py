"""One stream of a tap's catalog: its name and the columns that are selected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from target_gainsight.cli.configuration import read_json
from target_gainsight.mapping.columns import Column, columns_of


@dataclass(frozen=True)
class CatalogStream:
    """A stream of a catalog, with its selected columns."""

    name: str
    columns: tuple[Column, ...]
    key_properties: tuple[str, ...] = ()


def read_stream(path: Path, name: str | None) -> CatalogStream:
    """Read a stream of a catalog as ``tap --discover`` writes it.

    Args:
        path: The catalog.
        name: The stream's name; None if there is only one.

    Raises:
        click.ClickException: There is no catalog, or not that stream in it.
    """
    catalog = read_json(path)
    entries = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(entries, list):
        message = f"{path} is not a catalog, which is a JSON object with a list of streams"
        raise click.ClickException(message)
    streams = {
        str(each.get("stream") or each.get("tap_stream_id")): each
        for each in entries
        if isinstance(each, dict)
    }
    listed = ", ".join(sorted(streams))
    if not streams:
        message = f"{path} has no streams"
        raise click.ClickException(message)
    if name is None and len(streams) > 1:
        message = f"{path} has several streams, name one with --stream: {listed}"
        raise click.ClickException(message)
    chosen = next(iter(streams)) if name is None else name
    if chosen not in streams:
        message = f"{path} has no stream {chosen!r}; it has {listed}"
        raise click.ClickException(message)
    schema = streams[chosen].get("schema")
    columns = columns_of(schema) if isinstance(schema, dict) else ()
    deselected = _deselected(streams[chosen].get("metadata"))
    selected = tuple(each for each in columns if each.name not in deselected)
    return CatalogStream(chosen, selected, _key_properties(streams[chosen]))


def _key_properties(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns that identify a record, as the entry or its metadata names them."""
    named = entry.get("key_properties")
    for each in entry.get("metadata") or ():
        if isinstance(each, dict) and each.get("breadcrumb") == []:
            named = named or each.get("metadata", {}).get("table-key-properties")
    return tuple(str(name) for name in named) if isinstance(named, list) else ()


def _deselected(entries: Any) -> set[str]:  # noqa: ANN401 - JSON of any shape
    """Return the names of the columns that are not selected, or not supported by the tap."""
    names = set()
    for entry in entries if isinstance(entries, list) else ():
        metadata = entry.get("metadata", {})
        excluded = metadata.get("selected") is False or metadata.get("inclusion") == "unsupported"
        breadcrumb = entry.get("breadcrumb", [])
        if excluded and len(breadcrumb) == 2:  # noqa: PLR2004 - ["properties", column]
            names.add(str(breadcrumb[1]))
    return names
