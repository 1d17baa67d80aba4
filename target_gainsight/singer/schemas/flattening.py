"""Completes the SDK's flattening: columns without a plain type, and objects that are null."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from singer_sdk.mapper import StreamMap

Record = dict[str, Any]
Transform = Callable[[Record], Record | None]

Node = dict[str, Any]

_SCALARS = ("null", "boolean", "integer", "number", "string")
_COMBINATIONS = ("anyOf", "oneOf", "allOf")
_MOST_REFERENCES = 20


def prepare_for_flattening(schema: Node, max_level: int) -> Node:
    """Return a schema in which every column has plain types, as the SDK's flattening needs it.

    Columns without a type, with alternatives or with a `$ref` would become text or be lost.
    Objects are flattened down to `max_level`.
    """
    definitions = schema.get("$defs", {})
    columns = {
        name: _simplify(node, definitions, max_level, nullable=False)
        for name, node in schema["properties"].items()
    }
    return {**schema, "properties": columns}


def _simplify(node: object, definitions: Node, levels: int, *, nullable: bool) -> Node:
    """Return the plain form of a column.

    Args:
        node: Its declaration.
        definitions: What references lead to.
        levels: The levels of objects that are flattened from here on.
        nullable: An object around the column may be null.
    """
    variants = list(_variants(node, definitions, _MOST_REFERENCES))
    types = list(dict.fromkeys(name for each in variants for name in _types(each)))
    properties: Node = {}
    for each in variants:
        properties |= each.get("properties") or {}
    if properties and not types:
        types = ["object", "null"]
    nullable = nullable or "null" in types
    if nullable and types:
        types = [*dict.fromkeys((*types, "null"))]
    if properties and "object" in types and levels > 0:
        columns = {
            name: _simplify(each, definitions, levels - 1, nullable=nullable)
            for name, each in properties.items()
        }
        return {"type": types, "properties": columns}
    if not types:
        return {"type": list(_SCALARS)}
    if {"array", "object"}.isdisjoint(types):
        formats = {each["format"] for each in variants if "format" in each}
        common = {"format": formats.pop()} if len(formats) == 1 else {}
        return {**(variants[0] if len(variants) == 1 else common), "type": types}
    scalars = [name for name in types if name not in {"array", "object", "string"}]
    return {"type": [*scalars, "string"]}  # lists and objects become JSON text


def _variants(node: object, definitions: Node, references: int) -> Iterator[Node]:
    """List the declaration of a column and its alternatives, references followed."""
    if not isinstance(node, dict) or references == 0:
        return
    yield node
    alternatives = [each for name in _COMBINATIONS for each in node.get(name) or ()]
    reference = str(node.get("$ref")).removeprefix("#/$defs/")
    for each in (definitions.get(reference), *alternatives):
        yield from _variants(each, definitions, references - 1)


def _types(node: Node) -> list[str]:
    declared = node.get("type")
    return [declared] if isinstance(declared, str) else list(declared or ())


def flattening_transform(stream_map: StreamMap) -> Transform:
    """Return a stream map's transform that also flattens objects which are null.

    Their columns are null then, so that the fields are cleared.
    """
    columns_of: dict[str, list[str]] = {}
    levels = stream_map.flattening_options.max_level if stream_map.flattening_options else 0
    for properties, null in _objects(stream_map.raw_schema["properties"], levels):
        [name] = stream_map.flatten_record(null)
        columns_of[name] = list(stream_map.flatten_schema({"properties": properties})["properties"])
    transform = stream_map.transform

    def transform_nulls(record: Record) -> Record | None:
        flat = transform(record)
        if flat is not None:
            for name in columns_of.keys() & flat.keys():
                if flat[name] is None:
                    del flat[name]
                    for column in columns_of[name]:
                        flat.setdefault(column, None)
        return flat

    return transform_nulls


def _objects(properties: Mapping[str, Node], levels: int) -> Iterator[tuple[Node, Record]]:
    """List the objects that are flattened: as the properties of a schema, and as null."""
    for name, node in properties.items():
        if "properties" in node and levels > 0:
            yield {name: node}, {name: None}
            for inner, null in _objects(node["properties"], levels - 1):
                yield {name: {"type": "object", "properties": inner}}, {name: null}
