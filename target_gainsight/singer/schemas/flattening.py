"""Completes the SDK's flattening: columns without a plain type, and objects that are null."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from singer_sdk.mapper import StreamMap

Record = dict[str, Any]
Transform = Callable[[Record], Record | None]

Node = dict[str, Any]
Path = tuple[str, ...]

_SCALARS = ("null", "boolean", "integer", "number", "string")
_COMBINATIONS = ("anyOf", "oneOf", "allOf")
_MOST_REFERENCES = 20


def prepare_for_flattening(schema: Node, max_level: int) -> Node:
    """Return a schema in which every column has plain types, as the SDK's flattening needs it.

    Columns without a type, with alternatives or with a `$ref` would become text or be lost.
    Objects are flattened down to `max_level`.
    """
    simplifier = _Simplifier(schema, max_level)
    properties = {
        name: simplifier.simplify(node, level=0, nullable=False)
        for name, node in schema["properties"].items()
    }
    return {**schema, "properties": properties}


class _Simplifier:
    """Gives columns plain types.

    Args:
        schema: The schema, for its definitions.
        max_level: Down to which level objects are flattened.
    """

    def __init__(self, schema: Node, max_level: int) -> None:
        self._schema = schema
        self._max_level = max_level

    def simplify(self, node: object, *, level: int, nullable: bool) -> Node:
        """Return the plain form of a column; `nullable` when an object around it may be null."""
        variants = list(self._variants(node, _MOST_REFERENCES))
        types = list(dict.fromkeys(name for each in variants for name in _types(each)))
        properties: Node = {}
        for each in variants:
            properties |= each.get("properties") or {}
        if properties and not types:
            types = ["object", "null"]
        nullable = nullable or "null" in types
        if nullable and types:
            types = [*dict.fromkeys((*types, "null"))]
        if properties and "object" in types and level < self._max_level:
            columns = {
                name: self.simplify(each, level=level + 1, nullable=nullable)
                for name, each in properties.items()
            }
            return {"type": types, "properties": columns}
        if not types:
            return {"type": list(_SCALARS)}
        if {"array", "object"}.isdisjoint(types):
            return {**_unambiguous(variants), "type": types}
        scalars = [name for name in types if name not in {"array", "object", "string"}]
        return {"type": [*scalars, "string"]}  # lists and objects become JSON text

    def _variants(self, node: object, references: int) -> Iterator[Node]:
        """List the declaration and its alternatives, references followed."""
        if not isinstance(node, dict) or references == 0:
            return
        yield node
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield from self._variants(self._target(reference), references - 1)
        for combination in _COMBINATIONS:
            for each in node.get(combination) or ():
                yield from self._variants(each, references - 1)

    def _target(self, reference: str) -> object:
        _, _, path = reference.partition("#/")
        found: object = self._schema
        for part in path.split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return found


def _types(node: Node) -> list[str]:
    declared = node.get("type")
    return [declared] if isinstance(declared, str) else list(declared or ())


def _unambiguous(variants: Sequence[Node]) -> Node:
    """Return the rules of a column with one declaration; of several, only a common format."""
    if len(variants) == 1:
        return variants[0]
    formats = {each["format"] for each in variants if "format" in each}
    return {"format": formats.pop()} if len(formats) == 1 else {}


def flattening_transform(stream_map: StreamMap) -> Transform:
    """Return a stream map's transform that also flattens objects which are null.

    Their columns are null then, so that the fields are cleared.
    """
    columns_of = dict(_object_columns(stream_map))
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


def _object_columns(stream_map: StreamMap) -> Iterator[tuple[str, list[str]]]:
    """List the objects that are flattened, by their flat name, each with its columns."""
    options = stream_map.flattening_options
    levels = options.max_level if options else 0
    for path, node in _objects(stream_map.raw_schema["properties"], levels):
        declared: Node = node
        null: Any = None
        for name in reversed(path):
            declared = {"type": "object", "properties": {name: declared}}
            null = {name: null}
        [flat_name] = stream_map.flatten_record(null)
        yield flat_name, list(stream_map.flatten_schema(declared)["properties"])


def _objects(
    properties: Mapping[str, Node], levels: int, path: Path = ()
) -> Iterator[tuple[Path, Node]]:
    for name, node in properties.items():
        if "properties" in node and levels > len(path):
            yield (*path, name), node
            yield from _objects(node["properties"], levels, (*path, name))
