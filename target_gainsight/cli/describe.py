"""`gainsight describe`: the tenant's objects, one object's fields, or a mapping onto them."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from singer_sdk.singerlib import MetadataMapping

from target_gainsight.api import Field, ObjectSchema
from target_gainsight.cli.output import examples, format_option, print_as, print_table
from target_gainsight.cli.tenant import (
    config_option,
    connect_to_tenant,
    read_settings,
)
from target_gainsight.loading.object_schemas import ObjectSchemas
from target_gainsight.mapping.columns import columns_of
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.planning.checks import KEY_TYPES
from target_gainsight.mapping.planning.proposal import PERSON
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.settings.model import Settings
from target_gainsight.settings.stream_settings import StreamSettings
from target_gainsight.singer.proposals import proposal_text, propose

NUMBER_TYPES = frozenset({"NUMBER", "CURRENCY", "PERCENTAGE"})


@click.command(
    epilog=examples(
        "gainsight describe",
        "gainsight describe company --format json",
        "gainsight describe company --mapping catalog.json --stream accounts",
    )
)
@click.argument("object_name", metavar="[OBJECT]", required=False)
@config_option
@format_option("table", "json", "yaml")
@click.option(
    "--mapping",
    "catalog",
    type=click.Path(path_type=Path),
    metavar="CATALOG",
    help="A tap's catalog: propose how its stream is loaded into OBJECT, for meltano.yml.",
)
@click.option("--stream", metavar="NAME", help="Which of the catalog's streams, if it has several.")
def describe(object_name: str | None, form: str, catalog: Path | None, stream: str | None) -> None:
    """Show the tenant's objects, or the fields of OBJECT. Writes nothing."""
    if (catalog or stream) and not (catalog and object_name):
        message = "--mapping CATALOG proposes a mapping onto an OBJECT; name both"
        raise click.UsageError(message)
    source = _read_stream(catalog, stream) if catalog else None
    settings = read_settings()
    with connect_to_tenant(settings) as client:
        schemas = ObjectSchemas(client, settings)
        if object_name is None:
            _show_objects(client.metadata.list_objects(), form)
        elif source is None:
            schema = schemas.describe(object_name)
            _show_fields(schema, _configured_rules(settings, schema.name), form)
        else:
            _show_proposal(*source, schemas, object_name, form)


def _show_objects(objects: tuple[ObjectSchema, ...], form: str) -> None:
    rows = [
        {"name": each.name, "label": each.label, "type": each.object_type, "volume": each.volume}
        for each in sorted(objects, key=lambda each: each.name.lower())
    ]
    if form == "table":
        click.echo(counted(len(rows), "object"))
        print_table({"name": "Name", "label": "Label", "type": "Type", "volume": "Volume"}, rows)
    else:
        print_as(form, rows)


def _configured_rules(settings: Settings, object_name: str) -> dict[str, list[str]]:
    """Return each field's rules, prefixed with their stream unless they are set at the top."""
    rules: dict[str, list[str]] = defaultdict(list)
    for stream, entry in {"": settings.default_stream, **settings.streams}.items():
        if entry is not None and entry.object_name.lower() == object_name.lower():
            prefix = f"{stream}: " if stream else ""
            for name in entry.fallback_keys:
                rules[entry.field_mapping.get(name, name)].append(f"{prefix}fallback key")
            for name, rule in entry.field_rules.items():
                rules[name].append(f"{prefix}{rule}")
    return rules


def _show_fields(schema: ObjectSchema, rules: Mapping[str, list[str]], form: str) -> None:
    fields = [_field(each, rules.get(each.name)) for each in schema.fields]
    volume = {"volume": schema.volume} if schema.volume else {}
    if form != "table":
        shown = {"object": schema.name, "label": schema.label, "type": schema.object_type}
        print_as(form, {**shown, **volume, "fields": fields})
        return
    title = f"{schema.name} ({schema.label}){f', {schema.volume} volume' if volume else ''}"
    click.echo(one_line(title))
    for each in fields:
        each["values or lookup"] = each.get("picklist") or each.get("lookup")
    own = ("name", "label", "type", "length", "required", "createable", "updateable", "key")
    columns = [*own, *(["rules"] if rules else []), "values or lookup"]
    print_table({name: name.capitalize() for name in columns}, fields)


def _field(field: Field, rules: list[str] | None) -> dict[str, Any]:
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


def _read_stream(path: Path, name: str | None) -> tuple[str, dict[str, Any]]:
    """Read one stream of a catalog that ``tap --discover`` wrote; by default its only one."""
    try:
        entries = json.loads(path.read_bytes())["streams"]
        streams = {str(each.get("stream") or each.get("tap_stream_id")): each for each in entries}
    except (AttributeError, KeyError, TypeError, ValueError):
        message = f"{path} is not a catalog, which is a JSON object with a list of streams"
        raise click.ClickException(message) from None
    if name is None and len(streams) == 1:
        return next(iter(streams.items()))
    if name not in streams:
        what = "several streams" if name is None else f"no stream {name!r}"
        listed = ", ".join(sorted(streams))
        message = f"{path} has {what}, name one with --stream: {listed or 'it has none'}"
        raise click.ClickException(message)
    return name, streams[name]


def _show_proposal(
    stream: str, entry: dict[str, Any], schemas: ObjectSchemas, object_name: str, form: str
) -> None:
    schema = schemas.describe(object_name)
    listed = entry.get("metadata") or ()
    metadata = MetadataMapping.from_iterable(
        each for each in listed if each.get("metadata") and each.get("breadcrumb") is not None
    )
    keys = entry.get("key_properties") or metadata.root.table_key_properties or ()
    is_person = schema.name.lower() == PERSON
    spec = MappingSpec(
        columns=tuple(
            each
            for each in columns_of(entry.get("schema") or {})
            if metadata["properties", each.name].selected is not False
            and metadata["properties", each.name].inclusion != "unsupported"
        ),
        schema=schema,
        settings=StreamSettings(object_type="person" if is_person else "custom_object"),
        named_keys=(),
        constants={},
        key_properties=tuple(keys),
    )
    proposal = propose(spec, stream, schemas.describe)
    if proposal is None:
        message = f"nothing can be proposed for {stream}: {schema.name} has no fields"
        raise click.ClickException(message)
    if form == "json":
        print_as("json", proposal.to_json())
    else:
        click.echo(proposal_text(proposal), nl=False)
