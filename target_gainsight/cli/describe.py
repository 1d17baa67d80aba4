"""`gainsight describe`: the tenant's objects, one object's fields, or a mapping onto them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from target_gainsight.api import Field, ObjectSchema, ObjectSummary
from target_gainsight.cli.configuration import configured, read_json, read_settings
from target_gainsight.cli.output import examples, format_option, print_as, print_table
from target_gainsight.cli.tenant import TenantMetadata, tenant_connection
from target_gainsight.mapping.columns import Column, columns_of
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.planning.checks import KEY_TYPES
from target_gainsight.mapping.planning.proposed_lookups import PERSON
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.settings.model import Settings
from target_gainsight.settings.stream_settings import StreamSettings
from target_gainsight.singer.proposals import proposal_text, propose

MAX_LABELS = 8
NUMBER_TYPES = frozenset({"NUMBER", "CURRENCY", "PERCENTAGE"})


@dataclass(frozen=True)
class CatalogStream:
    """A stream of a tap's catalog, with its selected columns."""

    name: str
    columns: tuple[Column, ...]
    key_properties: tuple[str, ...]


@click.command(
    epilog=examples(
        "gainsight describe",
        "gainsight describe company --format json",
        "gainsight describe company --mapping catalog.json --stream accounts",
    )
)
@click.argument("object_name", metavar="[OBJECT]", required=False)
@configured
@format_option("table", "json", "yaml")
@click.option(
    "--mapping",
    "catalog",
    type=click.Path(path_type=Path),
    metavar="CATALOG",
    help="A tap's catalog: propose how its stream is loaded into OBJECT, for meltano.yml.",
)
@click.option("--stream", metavar="NAME", help="Which of the catalog's streams, if it has several.")
def describe(
    object_name: str | None,
    form: str,
    catalog: Path | None,
    stream: str | None,
) -> None:
    """Show the tenant's objects, or the fields of OBJECT; writes nothing."""
    if object_name is None and (catalog or stream):
        message = "--mapping proposes a mapping onto an object: name the OBJECT"
        raise click.UsageError(message)
    if stream and not catalog:
        message = "--stream names a stream of a catalog: give --mapping CATALOG, too"
        raise click.UsageError(message)
    source = _read_stream(catalog, stream) if catalog else None
    settings = read_settings()
    with tenant_connection(settings) as client:
        metadata = TenantMetadata(client, settings)
        if object_name is None:
            _show_objects(metadata.list_objects(), form)
        elif source is None:
            schema = metadata.describe(object_name)
            _show_fields(schema, _configured_rules(settings, schema.name), form)
        else:
            _show_proposal(source, metadata, object_name, form)


def _show_objects(objects: tuple[ObjectSummary, ...], form: str) -> None:
    rows = [
        {"name": each.name, "label": each.label, "type": each.object_type, "volume": each.volume}
        for each in sorted(objects, key=lambda each: each.name.lower())
    ]
    if form == "table":
        _print_table(counted(len(rows), "object"), rows)
    else:
        print_as(form, rows)


def _configured_rules(settings: Settings, object_name: str) -> dict[str, list[str]]:
    """Return each field's rules, with the name of the stream that has it unless all have it."""
    rules: dict[str, list[str]] = defaultdict(list)
    entries = {"": settings.default_stream, **settings.streams}
    for stream, entry in entries.items():
        if entry is None or entry.object_name.lower() != object_name.lower():
            continue
        prefix = f"{stream}: " if stream else ""
        for name in entry.fallback_keys:
            rules[entry.field_mapping.get(name, name)].append(f"{prefix}fallback key")
        for name, rule in entry.field_rules.items():
            rules[name].append(f"{prefix}{rule}")
    return rules


def _show_fields(schema: ObjectSchema, rules: Mapping[str, list[str]], form: str) -> None:
    fields = [_field(each, rules.get(each.name)) for each in schema.fields]
    if form == "table":
        volume = f", {schema.volume} volume" if schema.volume else ""
        title = f"{schema.name} ({schema.label}){volume}"
        _print_table(title, [_row(each, has_rules=bool(rules)) for each in fields])
        return
    print_as(
        form,
        {
            "object": schema.name,
            "label": schema.label,
            "type": schema.object_type,
            **({"volume": schema.volume} if schema.volume else {}),
            "fields": fields,
        },
    )


def _field(field: Field, rules: list[str] | None) -> dict[str, Any]:
    """Return a field as JSON and YAML show it, without empty properties."""
    described: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "type": field.data_type,
        "length": field.length,
        "decimal_places": field.decimal_places if field.data_type in NUMBER_TYPES else None,
        "required": field.required,
        "createable": field.insertable,
        "updateable": field.updatable,
        "key": field.data_type in KEY_TYPES,
        "picklist": [option.label for option in field.options if option.active] or None,
        "lookup": list(field.lookup_objects) or None,
        "rules": rules,
    }
    return {name: value for name, value in described.items() if value is not None}


def _row(field: dict[str, Any], *, has_rules: bool) -> dict[str, Any]:
    """Return a field as the table shows it."""
    labels = field.get("picklist", [])
    more = f" and {len(labels) - MAX_LABELS} more" if len(labels) > MAX_LABELS else ""
    return {
        **{name: field.get(name) for name in ("name", "label", "type", "length", "required")},
        "create": field["createable"],
        "update": field["updateable"],
        "key": field["key"],
        **({"rules": "; ".join(field.get("rules", []))} if has_rules else {}),
        "values or lookup": ", ".join(labels[:MAX_LABELS]) + more
        or " or ".join(field.get("lookup", [])),
    }


def _print_table(title: str, rows: list[dict[str, Any]]) -> None:
    headings = [name.capitalize() for name in rows[0]] if rows else []
    print_table(headings, (row.values() for row in rows), title=title)


def _show_proposal(source: CatalogStream, metadata: TenantMetadata, name: str, form: str) -> None:
    """Print the settings that a run of the stream would propose without any."""
    schema = metadata.describe(name)
    settings = StreamSettings(
        object_type="person" if schema.name.lower() == PERSON else "custom_object",
        field_mapping={},
        lookups={},
        field_rules={},
    )
    spec = MappingSpec(
        columns=source.columns,
        schema=schema,
        settings=settings,
        named_keys=(),
        constants={},
        key_properties=source.key_properties,
    )
    proposal = propose(spec, source.name, metadata.describe)
    if proposal is None:
        message = f"nothing can be proposed for {source.name}: {schema.name} has no fields"
        raise click.ClickException(message)
    if form == "json":
        print_as("json", proposal.to_json())
    else:
        click.echo(proposal_text(proposal), nl=False)


def _read_stream(path: Path, name: str | None) -> CatalogStream:
    """Read a stream of a catalog as ``tap --discover`` writes it, the only one by default."""
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
    return _catalog_stream(chosen, streams[chosen])


def _catalog_stream(name: str, entry: dict[str, Any]) -> CatalogStream:
    metadata = {
        tuple(each.get("breadcrumb") or ()): each.get("metadata") or {}
        for each in entry.get("metadata") or ()
    }
    selected = []
    for column in columns_of(entry.get("schema") or {}):
        declared = metadata.get(("properties", column.name), {})
        if declared.get("selected") is not False and declared.get("inclusion") != "unsupported":
            selected.append(column)
    keys = entry.get("key_properties") or metadata.get((), {}).get("table-key-properties") or ()
    return CatalogStream(name, tuple(selected), tuple(keys))
