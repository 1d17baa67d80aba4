"""What stream maps do to schemas, and what they hide that a reject file would show."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

from singer_sdk.mapper import StreamMap

from target_gainsight.mapping.columns import UNDECLARED
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

logger = logging.getLogger(__name__)

Node = dict[str, Any]

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
