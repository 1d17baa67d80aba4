"""The schemas of SCHEMA messages, made valid and merged into one per stream.

Taps write earlier drafts of JSON Schema, or deviate from it. Parts that the validator cannot use
are left out and reported; then only the Gainsight field decides which values are valid.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from target_gainsight.mapping.columns import UNDECLARED
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

Node = dict[str, Any]
Path = tuple[Any, ...]
"""The keys and indexes that lead to a part of a schema."""

_VALUES = ("const", "default", "enum", "example", "examples")
"""Keywords that hold values instead of schemas."""

_NAMED = ("properties", "patternProperties", "dependentSchemas")
"""Keywords that hold schemas by name."""

_META_SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
_LEFT_OUT = ("$defs", "definitions", "$dynamicRef", "multipleOf")
"""Definitions replace references. In Singer, multipleOf is a scale, which Gainsight decides."""

_DRAFT_4 = ("exclusiveMinimum", "exclusiveMaximum", "required")
"""Keywords that were booleans in drafts 3 and 4."""

_MAX_REFERENCES = 3
"""References within each other that are followed; what is deeper is not checked."""


def repair_schema(schema: Mapping[str, Any]) -> tuple[Node, list[str]]:
    """Return a stream's schema as an object with `properties`, and what is left out of it.

    It requires no column that it does not declare, as after deselecting one. References are
    replaced by what they refer to, which a stream map may remove. Each keyword that is left out is
    named with its column and value, such as `column ARR: maxLength is 'long'`.
    """
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    repaired: Node = _repair({**schema, "type": "object", "properties": properties}, schema)
    left_out: list[str] = []
    while path := _unusable_keyword(repaired):
        node = repaired
        for part in path[:-1]:
            node = node[part]
        value = node.pop(path[-1])
        if path[-1] == "$ref" and isinstance(value, list):
            [value] = value
        columns = [str(path[at + 1]) for at, part in enumerate(path[:-1]) if part == "properties"]
        place = f"column {'.'.join(columns)}: " if columns else ""
        left_out.append(one_line(f"{place}{path[-1]} is {display(value)}"))
    required = repaired.get("required", ())
    repaired["required"] = [name for name in repaired["properties"] if name in required]
    return repaired, left_out


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
    if "$ref" in node:
        node = {**node, "$ref": [node["$ref"]]}  # refers to nothing: made invalid, to be left out
    repaired = {
        name: _repair_part(name, value, root, levels)
        for name, value in node.items()
        if name not in _LEFT_OUT and value is not None
        if not (name in _DRAFT_4 and isinstance(value, bool))
    }
    names = repaired.get("type")
    if isinstance(names, str) and node.get("nullable") is True:  # OpenAPI
        repaired["type"] = [names, "null"]
    elif isinstance(names, list):
        repaired["type"] = [each for at, each in enumerate(names) if each not in names[:at]]
    return _as_taps_mean(repaired)


def _as_taps_mean(node: Node) -> Node:
    """Let null be an item where it is a type, and several alternatives of a oneOf fit.

    No items are no restriction.
    """
    if "oneOf" in node and "anyOf" not in node:
        node["anyOf"] = node.pop("oneOf")
    enum, types = node.get("enum"), node.get("type")
    if isinstance(enum, list) and isinstance(types, list) and "null" in types:
        node["enum"] = [*enum, None] if enum and None not in enum else enum
    return {name: value for name, value in node.items() if name != "enum" or value != []}


def _repair_part(name: str, value: object, root: Mapping[str, Any], levels: int) -> object:
    if name in _VALUES:
        return value
    if name not in _NAMED or not isinstance(value, Mapping):
        return _repair(value, root, levels)
    return {  # the SDK wants columns to be objects
        key: _repair(each, root, levels) if isinstance(each, Mapping) else {}
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


def _unusable_keyword(schema: Node) -> Path:
    """Return the path of a keyword without a valid value, empty if all are valid."""
    try:
        errors = jsonschema_rs.iter_errors(_META_SCHEMA, schema, validate_formats=True)
    except UnicodeEncodeError:  # a name that is no text: records are not checked, either
        return ()
    path = next((tuple(each.instance_path) for each in errors), ())
    while path and isinstance(path[-1], int):  # one of a keyword's values
        path = path[:-1]
    return path


def merge_schemas(held: Node, new: Node) -> Node:
    """Return a schema with the columns of both, which requires what both require.

    A column that they declare differently is not checked.
    """
    merged = {name: value for name, value in held.items() if new.get(name) == value}
    merged["properties"] = {
        name: _merge_columns(held["properties"].get(name), new["properties"].get(name))
        for name in dict.fromkeys((*held["properties"], *new["properties"]))
    }
    required = new.get("required", ())
    merged["required"] = [name for name in held.get("required", ()) if name in required]
    return merged


def _merge_columns(held: object, new: object) -> object:
    if new in (None, UNDECLARED, held):
        return new if held is None else held
    return new if held in (None, UNDECLARED) else {}


def with_undeclared(schema: Node, columns: Iterable[str]) -> Node:
    """Return a schema with further columns, which are marked as undeclared."""
    undeclared = dict.fromkeys(columns, UNDECLARED)
    return {**schema, "properties": {**undeclared, **schema["properties"]}}
