"""Stream maps and flattening, and what maps hide that rejects would show."""

import copy
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from typing import Any, NamedTuple

from singer_sdk.exceptions import StreamMapConfigError
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform, SameRecordTransform, StreamMap

from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.columns import variants_of
from target_gainsight.mapping.errors import display, error_text
from target_gainsight.mapping.escaping import one_line

logger = logging.getLogger(__name__)

Node = dict[str, Any]
Record = dict[str, Any]

_SCALARS = ["null", "boolean", "integer", "number", "string"]
MASKED = re.compile(r"\b(?:md5|sha256)\(|\bfake\.|^(?:None|__NULL__)$")
"""An expression that hides a value, by a function of the SDK or by removing it."""


class Route(NamedTuple):
    """One of a stream's maps: the stream that comes out, and what turns a record into its own."""

    alias: str
    schema: Node
    key_properties: list[str]
    transform: Callable[[Record], Record | None] | None


class StreamMaps:
    """The SDK's stream maps, each followed by flattening if that is enabled."""

    def __init__(self, mapper: PluginMapper) -> None:
        self._mapper = mapper
        self._flattening = mapper.flattening_options
        self.flattens, self.separator = self._flattening.enabled, self._flattening.separator
        # The SDK would lose the columns of an object that is null.
        mapper.flattening_options = replace(self._flattening, enabled=False)

    def route(self, stream: str, schema: Node, keys: list[str]) -> list[Route]:
        """Return the routes of a stream with this schema; raise an error if a map is invalid."""
        if self.flattens:
            levels = self._flattening.max_level
            columns = schema["properties"].items()
            plain = {name: _simplify(node, levels) for name, node in columns}
            schema = {**schema, "properties": plain}
        try:
            self._mapper.register_raw_stream_schema(stream, schema, keys)
            return [
                self._make_route(stream, each, schema)
                for each in self._mapper.stream_maps[stream]
                if not isinstance(each, RemoveRecordTransform)
            ]
        except Exception as error:
            text = f"stream {display(stream)}: its stream map cannot be used: {error_text(error)}"
            suggestion = "Correct the stream map under stream_maps."
            if isinstance(error, StreamMapConfigError):
                suggestion = (
                    "Set its __key_properties__ under stream_maps to columns that it keeps."
                )
                if keys:
                    suggestion += f" Or keep the key properties in it: {', '.join(keys)}."
            raise RunStoppedError(text, code="invalid_stream_map", suggestion=suggestion) from error

    def _make_route(self, stream: str, stream_map: StreamMap, source: Node) -> Route:
        """Make a route; a column that its map computes has no type, one that it renames keeps it.

        The SDK only guesses the type of a computed column; the Gainsight field decides. Removed
        columns are not required.
        """
        alias, keys = stream_map.stream_alias, stream_map.transformed_key_properties
        flat = SameRecordTransform(alias, stream_map.transformed_schema, keys, self._flattening)
        schema: Node = copy.deepcopy(flat.transformed_schema)
        columns, properties = source["properties"], schema["properties"]
        for name, (first, *others) in self._expressions(stream).items():
            if name in properties:
                properties[name] = {} if others else columns.get(first, {})
        schema["required"] = [name for name in schema.get("required", ()) if name in properties]
        changes = not isinstance(stream_map, SameRecordTransform)
        transform = stream_map.transform if changes else None
        if self.flattens:
            transform = partial(_map_and_flatten, stream_map, flat)
        return Route(alias, schema, list(keys or ()), transform)

    def _expressions(self, stream: str) -> dict[str, set[str]]:
        """Return the expressions of each column in the maps that may apply to a stream."""
        found: dict[str, set[str]] = defaultdict(set)
        for pattern, definition in self._mapper.stream_maps_dict.items():
            columns = definition if isinstance(definition, dict) else {}
            for name, expression in columns.items():
                if isinstance(expression, str) and fnmatch(
                    stream, columns.get("__source__") or pattern
                ):
                    found[name].add(expression)
        return found


def _map_and_flatten(stream_map: StreamMap, flat: StreamMap, record: Record) -> Record | None:
    mapped = stream_map.transform(record)
    return mapped and flat.transform(_expand_nulls(mapped, flat.raw_schema))


def _expand_nulls(value: Any, schema: Node) -> Any:  # noqa: ANN401
    """Replace a null object by an object of nulls, so that their fields are cleared."""
    columns = schema.get("properties")
    if not columns or not (value is None or isinstance(value, dict)):
        return value
    given = dict.fromkeys(columns) if value is None else value
    return {name: _expand_nulls(each, columns.get(name, {})) for name, each in given.items()}


def _simplify(node: object, levels: int, *, in_object: bool = False) -> Node:
    """Return the plain form of a column; one in an object is null where the object is.

    The SDK would make text of columns without a type or with alternatives, or lose them.
    """
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


def warn_of_unmasked_rejects(stream_maps: Mapping[str, Any]) -> None:
    """Warn that rejects hold source records, also columns that a map masks or removes."""
    for name, definition in stream_maps.items():
        columns = definition if isinstance(definition, dict) else {}
        masked = (column for column, how in columns.items() if MASKED.search(str(how)))
        if hidden := [column for column in masked if not column.startswith("__")]:
            logger.warning(
                "stream map %s masks or removes %s, but the reject file keeps records as they came "
                "from the source. Set reject_values to keys to keep only what identifies them "
                "(they cannot be replayed then)",
                display(name),
                one_line(", ".join(hidden)),
            )
