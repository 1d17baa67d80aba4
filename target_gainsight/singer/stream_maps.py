"""What stream maps and flattening do to schemas, and what maps hide that rejects would show."""

import copy
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from typing import Any

from singer_sdk.mapper import PluginMapper, SameRecordTransform, StreamMap

from target_gainsight.mapping.columns import variants_of
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

logger = logging.getLogger(__name__)

Node = dict[str, Any]
Record = dict[str, Any]
Transform = Callable[[Record], Record | None]

_SCALARS = ["null", "boolean", "integer", "number", "string"]
MASKED = re.compile(r"\b(?:md5|sha256)\(|\bfake\.|^(?:None|__NULL__)$")
"""An expression that hides a value, by a function of the SDK or by removing it."""


def warn_of_unmasked_rejects(stream_maps: Mapping[str, Any]) -> None:
    """Warn that rejects hold source records, also columns that a map masks or removes."""
    for name, definition in stream_maps.items():
        columns = definition.items() if isinstance(definition, dict) else ()
        hidden = [
            column
            for column, expression in columns
            if not column.startswith("__") and MASKED.search(str(expression))
        ]
        if hidden:
            logger.warning(
                "stream map %s masks or removes %s, but the reject file keeps records as they came "
                "from the source. Set reject_values to keys to keep only what identifies them "
                "(they cannot be replayed then)",
                display(name),
                one_line(", ".join(hidden)),
            )


def schema_behind_map(
    stream_map: StreamMap, source: Node, stream_maps: Mapping[str, Any], stream: str
) -> Node:
    """Return the schema of the records that come out of one of a stream's maps.

    A computed column has no type: the SDK only guesses it, and the Gainsight field decides. One
    that is only renamed keeps its own. Removed columns are not required.
    """
    schema: Node = copy.deepcopy(stream_map.transformed_schema)
    columns, properties = source["properties"], schema["properties"]
    expressions: dict[str, set[str]] = defaultdict(set)
    for name, definition in stream_maps.items():
        if isinstance(definition, dict) and fnmatch(stream, definition.get("__source__") or name):
            for column, expression in definition.items():
                if isinstance(expression, str):
                    expressions[column].add(expression)
    for name in expressions.keys() & properties.keys():
        first, *others = expressions[name]
        properties[name] = {} if others else columns.get(first, {})
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name in properties]
    return schema


def prepare_for_flattening(schema: Node, mapper: PluginMapper) -> Node:
    """Return a schema in which every column has plain types, if it is to be flattened.

    The SDK would make text of columns without a type or with alternatives, or lose them.
    """
    levels = mapper.flattening_options.max_level if mapper.flattening_options.enabled else 0
    if levels <= 0:
        return schema
    columns = schema["properties"].items()
    return {**schema, "properties": {name: _simplify(node, levels) for name, node in columns}}


def _simplify(node: object, levels: int, *, in_object: bool = False) -> Node:
    """Return the plain form of a column; one in an object is null where the object is."""
    variants = list(variants_of(node))
    types: list[str] = []
    properties: Node = {}
    for each in variants:
        declared = each.get("type") or ()
        types += [declared] if isinstance(declared, str) else declared
        properties |= each.get("properties") or {}
    if properties and levels > 0:
        columns = properties.items()
        inner = {name: _simplify(each, levels - 1, in_object=True) for name, each in columns}
        return {"type": ["object", "null"], "properties": inner}
    if not types or not {"array", "object"}.isdisjoint(types):
        return {"type": _SCALARS}  # lists and objects become JSON text
    types = [*dict.fromkeys([*types, "null"] if in_object else types)]
    return {**(variants[0] if len(variants) == 1 else {}), "type": types}


def transform_of(stream_map: StreamMap) -> Transform | None:
    """Return what a stream map does to records, None if that is nothing.

    Columns of an object that is null are null when flattened, so that their fields are cleared.
    """
    options, transform = stream_map.flattening_options, stream_map.transform
    if options is None or not stream_map.flattening_enabled:
        return None if isinstance(stream_map, SameRecordTransform) else transform
    columns = stream_map.transformed_schema["properties"]

    def transform_nulls(record: Record) -> Record | None:
        flat = transform(record)
        if flat is None:
            return None
        for name in [name for name, value in flat.items() if value is None and name not in columns]:
            inner = [each for each in columns if each.startswith(f"{name}{options.separator}")]
            if inner:
                del flat[name]
                flat = dict.fromkeys(inner) | flat
        return flat

    return transform_nulls
