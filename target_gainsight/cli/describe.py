"""`gainsight describe`: the tenant's objects, one object's fields, or a mapping onto them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from target_gainsight.api import GainsightError
from target_gainsight.cli.catalog import read_stream
from target_gainsight.cli.configuration import configured, read_settings
from target_gainsight.cli.output import examples, format_option, print_as, print_table
from target_gainsight.cli.tenant import tenant_metadata
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line, yaml_scalar
from target_gainsight.mapping.planning.mapping_suggestions import propose_mapping
from target_gainsight.mapping.planning.row_checks import may_be_key
from target_gainsight.settings import OBJECT_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api import Field, ObjectSchema, ObjectSummary
    from target_gainsight.cli.catalog import CatalogStream
    from target_gainsight.settings import Settings

MAX_LABELS = 8
NUMBER_TYPES = frozenset({"NUMBER", "CURRENCY", "PERCENTAGE"})


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
    help="A tap's catalog: propose a field_mapping onto OBJECT, to paste into meltano.yml.",
)
@click.option("--stream", metavar="NAME", help="Which of the catalog's streams, if it has several.")
def describe(
    object_name: str | None,
    sources: tuple[str, ...],
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
    source = read_stream(catalog, stream) if catalog else None
    settings = read_settings(sources)
    with tenant_metadata(settings) as metadata:
        try:
            if object_name is None:
                _show_objects(metadata.objects, form)
            elif source is None:
                schema = metadata.describe(object_name)
                _show_fields(schema, _configured_rules(settings, schema.name), form)
            else:
                click.echo("\n".join(_mapping_lines(source, metadata.describe(object_name))))
        except (GainsightError, RunStoppedError) as error:
            raise click.ClickException(str(error)) from error


def _show_objects(objects: tuple[ObjectSummary, ...], form: str) -> None:
    rows = [
        {
            "name": each.name,
            "label": each.label,
            "type": each.object_type,
            "volume": each.volume,
        }
        for each in sorted(objects, key=lambda each: each.name.lower())
    ]
    if form == "table":
        _print_table(counted(len(rows), "object"), rows)
    else:
        print_as(form, rows)


def _configured_rules(settings: Settings, object_name: str) -> dict[str, list[str]]:
    """Return what the settings decide for fields of existing rows, by field.

    Returns:
        Field to the rule of each stream, with the stream's name unless it holds for all.
    """
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
        "key": may_be_key(field),
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


def _mapping_lines(source: CatalogStream, schema: ObjectSchema) -> list[str]:
    """Return a stream's settings, to be pasted under the loader's `config` in meltano.yml."""
    types = {name.lower(): object_type for object_type, name in OBJECT_NAMES.items()}
    object_type = types.get(schema.name.lower())
    entry = [f"object_type: {object_type or 'custom_object'}"]
    if object_type is None:
        entry.append(f"custom_object_name: {yaml_scalar(schema.name)}")
    proposal = propose_mapping(source.columns, schema)
    entry.append("field_mapping:" if proposal.mapping else "field_mapping: {}")
    entry += [f"  {yaml_scalar(k)}: {yaml_scalar(v)}" for k, v in proposal.mapping.items()]
    entry += [f"  # {yaml_scalar(k)}: {one_line(why)}" for k, why in proposal.left_out.items()]
    return [
        "# under the loader's config in meltano.yml; check it before you load",
        "streams:",
        f"  {yaml_scalar(source.name)}:",
        *(f"    {line}" for line in entry),
    ]
