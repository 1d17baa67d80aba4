"""Corrects the schema that the SDK derives for the records behind a stream map."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from singer_sdk.mapper import StreamMap

from target_gainsight.mapping.columns import UNDECLARED

Node = dict[str, Any]

_DEFINITIONS = ("definitions", "$defs")


def schema_behind_map(stream_map: StreamMap, source: Node, mapped: Mapping[str, str]) -> Node:
    """Return the schema of the records that come out of a stream map.

    Definitions are kept, also under `__else__`. A computed column has no type: the SDK only
    guesses it, and the Gainsight field decides. Removed columns are not required.

    ``mapped`` are the columns that the map computes, with their expressions.
    """
    schema: Node = copy.deepcopy(dict(stream_map.transformed_schema))
    for keyword in _DEFINITIONS:
        if keyword in source:
            schema[keyword] = {**source[keyword], **schema.get(keyword, {})}
    properties = schema["properties"]
    columns: Node = source["properties"]
    undeclared = {name: UNDECLARED for name, node in columns.items() if node == UNDECLARED}
    computed: Node = {name: {} for name, expression in mapped.items() if expression not in columns}
    renamed = {name: columns[each] for name, each in mapped.items() if each in columns}
    if stream_map.flattening_enabled:
        renamed = {}  # the SDK flattens what is renamed like any other column
    known = {**undeclared, **renamed, **computed}
    properties.update({name: node for name, node in known.items() if name in properties})
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name in properties]
    return schema


def mapped_columns(stream_maps: Mapping[str, Any], stream: str) -> dict[str, str]:
    """Return the columns that the maps of a stream compute, with their expressions."""
    columns: dict[str, str] = {}
    for name, definition in stream_maps.items():
        if isinstance(definition, dict) and fnmatch(stream, definition.get("__source__", name)):
            for column, expression in definition.items():
                if not column.startswith("__") and isinstance(expression, str):
                    ambiguous = columns.get(column, expression) != expression
                    columns[column] = "" if ambiguous else expression
    return columns
