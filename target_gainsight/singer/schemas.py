"""The schemas of SCHEMA messages, made into JSON schema 2020-12 and merged into one per stream.

Taps write earlier drafts and habits of their own. Known ones are converted or left unchecked; what
remains is reported when the schema is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from target_gainsight.mapping.columns import UNDECLARED
from target_gainsight.sinks.schema_validator import NAMED

Node = dict[str, Any]

_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_VALUES = ("const", "default", "enum", "example", "examples")
"""Keywords that hold values instead of schemas."""

_LEFT_OUT = ("$defs", "definitions", "multipleOf")
"""Definitions, because they are put where they are referred to; and what is in Singer the scale of
a column, which Gainsight decides."""

_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_MAX_REFERENCES = 3
"""References within each other that are followed; what is deeper is not checked."""


def repair_schema(schema: Mapping[str, Any]) -> Node:
    """Return a stream's schema in the form that validators read.

    Its root is an object with `properties`, and it requires no column that it does not declare, as
    after deselecting one. References are replaced by what they refer to, which a stream map may
    remove.

    Raises:
        RecursionError: It is nested too deeply.
    """
    properties = schema.get("properties")
    columns = properties if isinstance(properties, dict) else {}
    repaired: Node = _repair({**schema, "type": "object", "properties": columns}, schema)
    return repaired


def _repair(node: object, root: Mapping[str, Any], levels: int = _MAX_REFERENCES) -> Any:  # noqa: ANN401
    if isinstance(node, list):
        return [_repair(each, root, levels) for each in node]
    if not isinstance(node, Mapping):
        return node
    while isinstance(target := _find(root, node.get("$ref")), Mapping):
        if levels == 0:
            return {}
        levels -= 1
        node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    repaired = {
        name: value if name in _VALUES else _repair_part(name, value, root, levels)
        for name, value in node.items()
        if name not in _LEFT_OUT and (value is not None or name in ("const", "default"))
    }
    _repair_type(repaired)
    _repair_keywords(repaired)
    return repaired


def _repair_part(name: str, value: object, root: Mapping[str, Any], levels: int) -> object:
    if name not in NAMED or not isinstance(value, Mapping):
        return _repair(value, root, levels)
    return {  # the SDK wants columns to be objects
        key: {} if each in (None, True) else _repair(each, root, levels)
        for key, each in value.items()
    }


def _find(root: Mapping[str, Any], reference: object) -> object:
    """Return the target of a JSON pointer in a URL, or None."""
    if not isinstance(reference, str) or not f"{reference}/".startswith("#/"):
        return None
    found: Any = root
    for part in reference.split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _repair_type(node: Node) -> None:
    """Remove repeated types, and a type that is not one of JSON schema: its values vary."""
    declared = node.get("type")
    names = [*declared] if isinstance(declared, list) else [declared]
    if not names or any(name not in _TYPES for name in names):
        node.pop("type", None)
        return
    if node.get("nullable") is True:  # OpenAPI
        names.append("null")
    node["type"] = declared if names == [declared] else [*dict.fromkeys(names)]


def _repair_keywords(node: Node) -> None:
    """Read bounds, `items` and `required` as earlier drafts mean them."""
    for exclusive, inclusive in _BOUNDS.items():
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and inclusive in node:
            node[exclusive] = node.pop(inclusive)
    if isinstance(node.get("items"), list):
        del node["items"]
    if not isinstance(node.get("required"), list):
        node.pop("required", None)
    elif isinstance(node.get("properties"), Mapping):
        node["required"] = [name for name in node["properties"] if name in node["required"]]


def merge_schemas(held: Node, new: Node) -> Node:
    """Return a schema with the columns of both, which requires what both require.

    A column that they declare differently is not checked. It is equal to `held` when that fits
    already.
    """
    merged = {name: value for name, value in held.items() if new.get(name) == value}
    merged["properties"] = {
        name: _merge_columns(held["properties"].get(name), new["properties"].get(name))
        for name in dict.fromkeys((*held["properties"], *new["properties"]))
    }
    required = [name for name in held.get("required", ()) if name in new.get("required", ())]
    return {**merged, "required": required} if required else merged


def _merge_columns(held: object, new: object) -> object:
    if new in (None, UNDECLARED, held):
        return new if held is None else held
    return new if held in (None, UNDECLARED) else {}


def with_undeclared(schema: Node, columns: Iterable[str]) -> Node:
    """Return a schema with further columns, which are marked as undeclared."""
    undeclared = dict.fromkeys(columns, UNDECLARED)
    return {**schema, "properties": {**undeclared, **schema["properties"]}}
