"""What stream maps and flattening do to schemas, and what maps hide that rejects would show."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

from singer_sdk.mapper import StreamMap

from target_gainsight.mapping.columns import UNDECLARED, variants_of
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

logger = logging.getLogger(__name__)

Node = dict[str, Any]
Record = dict[str, Any]
Transform = Callable[[Record], Record | None]

_SCALARS = ("null", "boolean", "integer", "number", "string")

REMOVED = (None, "__NULL__")
MASKS = re.compile(r"\b(?:md5|sha256)\(|\bfake\.")
"""Functions that the SDK offers to expressions for hiding a value."""


def schema_behind_map(
    stream_map: StreamMap, source: Node, stream_maps: Mapping[str, Any], stream: str
) -> Node:
    """Return the schema of the records that come out of one of a stream's maps.

    Definitions are kept, also under `__else__`. A computed column has no type: the SDK only
    guesses it, and the Gainsight field decides. Removed columns are not required.
    """
    schema: Node = copy.deepcopy(dict(stream_map.transformed_schema))
    if "$defs" in source:
        schema["$defs"] = source["$defs"]
    expressions: dict[str, str] = {}
    for column, expression in _mapped_columns(stream_maps, stream):
        if isinstance(expression, str):
            ambiguous = expressions.get(column, expression) != expression
            expressions[column] = "" if ambiguous else expression
    columns, properties = source["properties"], schema["properties"]
    known = {name: UNDECLARED for name, node in columns.items() if node == UNDECLARED}
    for column, expression in expressions.items():
        if expression not in columns:
            known[column] = {}
        elif not stream_map.flattening_enabled:  # the SDK flattens what is renamed, too
            known[column] = columns[expression]
    properties.update({name: node for name, node in known.items() if name in properties})
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name in properties]
    return schema


def warn_of_unmasked_rejects(stream: str, stream_maps: Mapping[str, Any]) -> None:
    """Warn that rejects hold the source record, if a map masks or removes columns of it."""
    hidden = {
        column
        for column, expression in _mapped_columns(stream_maps, stream)
        if expression in REMOVED or (isinstance(expression, str) and MASKS.search(expression))
    }
    if hidden:
        logger.warning(
            "stream %s: a stream map masks or removes %s, but the reject file keeps records as "
            "they came from the source. Set reject_values to keys to keep only what identifies "
            "them (they cannot be replayed then)",
            display(stream),
            one_line(", ".join(sorted(hidden))),
        )


def _mapped_columns(stream_maps: Mapping[str, Any], stream: str) -> Iterator[tuple[str, Any]]:
    """List the columns that the maps of a stream compute or remove, with their expressions."""
    for name, definition in stream_maps.items():
        if isinstance(definition, dict) and fnmatch(stream, definition.get("__source__") or name):
            for column, expression in definition.items():
                if not column.startswith("__"):
                    yield column, expression


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
    """Return the plain form of a column; `nullable` when an object around it may be null."""
    variants = list(variants_of(node, definitions))
    types: list[str] = []
    properties: Node = {}
    for each in variants:
        declared = each.get("type") or ()
        types += [declared] if isinstance(declared, str) else declared
        properties |= each.get("properties") or {}
    types = [*dict.fromkeys(types)]
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
