"""The schemas of SCHEMA messages, made into JSON schema 2020-12 and merged into one per stream.

Taps write drafts 3 and 4, OpenAPI and forms of their own. Known forms are converted; anything
else stays as it is and is reported when the schema is compiled.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote

from target_gainsight.mapping.columns import UNDECLARED
from target_gainsight.sinks.schema_validator import NAMED, schema_nodes

Node = dict[str, Any]

_NAMES_OF_TYPES = {
    "null": ("null", "none", "nonetype"),
    "boolean": ("boolean", "bool"),
    "integer": ("integer", "int", "long", "bigint", "smallint"),
    "number": ("number", "float", "double", "decimal", "numeric"),
    "string": ("string", "str", "text", "varchar", "char", "uuid"),
    "array": ("array", "list", "tuple"),
    "object": ("object", "dict", "map"),
    None: ("any", "", "json", "date", "time", "datetime", "date-time", "timestamp", "email", "uri"),
}
"""Names that taps write as types; those under None have values in several types: not checked."""

_TYPES = {name: type_ for type_, names in _NAMES_OF_TYPES.items() for name in names}

_VALUES = ("const", "default", "example")
"""Keywords that hold a value, which may be null."""

_SINGLE = (
    *("items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems"),
    *("unevaluatedProperties", "not", "if", "then", "else"),
)
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_BOOLEANS: Mapping[bool, Node] = {True: {}, False: {"not": {}}}
"""Booleans as objects, which the SDK wants for columns."""

_MERGED = ("properties", "required", "$defs")
_MOST_ALTERNATIVES = 8
_NOT_FOLLOWED = ("$ref", "$defs", "definitions")
_POINTER = re.compile(r"#(?:/.*)?")


def repair_schema(schema: Mapping[str, Any], key_properties: Iterable[str]) -> Node:
    """Return a stream's schema in the form that validators read.

    Its root is an object with `properties`, in which the key properties are declared, and it
    requires no column that it does not declare, as after deselecting one. All that it refers to
    is in `$defs`.

    Raises:
        RecursionError: It is nested too deeply.
    """
    root: Node = {**schema, "properties": schema.get("properties") or {}}
    declared = root.get("type")
    if declared is not None and "object" not in _type_names(declared):
        root["type"] = "object"
    if isinstance(root["properties"], Mapping):
        undeclared = {key: UNDECLARED for key in key_properties if key not in root["properties"]}
        root["properties"] = {**root["properties"], **undeclared}
    repaired: Node = _repair(root)
    _name_references(repaired)
    return repaired


def _name_references(root: Node) -> None:
    """Give what is referred to a name by its content in `$defs`.

    Stream maps remove columns that others refer to, and schemas of one stream may define the same
    name differently.
    """
    targets: Node = {}
    waiting = [{name: value for name, value in root.items() if name not in _NOT_FOLLOWED}]
    while waiting:
        for _, node in schema_nodes(waiting.pop()):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in targets:
                target = _find(root, reference)
                if target is not None:
                    targets[reference] = target
                    waiting.append(target)
    if not targets:
        return
    content = json.dumps(targets, sort_keys=True, default=str).encode()
    digest = hashlib.sha256(content).hexdigest()[:12]
    names = {reference: f"{digest}.{at}" for at, reference in enumerate(sorted(targets))}
    named = {names[reference]: copy.deepcopy(target) for reference, target in targets.items()}
    root["$defs"] = {**root.get("$defs", {}), **named}
    for _, node in schema_nodes(root):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference in names:
            node["$ref"] = f"#/$defs/{names[reference]}"


def _find(root: Node, reference: str) -> Any:  # noqa: ANN401 - a schema, or anything else
    """Return the target of a JSON pointer in a URL, or None."""
    if not _POINTER.fullmatch(reference):
        return None
    found: Any = root
    for part in reference.split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _repair(node: object) -> Any:  # noqa: ANN401 - a schema, or anything else
    if node is None:
        return {}
    if isinstance(node, str) and node.lower() in _TYPES:
        node = {"type": node}
    if not isinstance(node, Mapping):
        return node
    repaired = {
        str(name): value for name, value in node.items() if value is not None or name in _VALUES
    }
    repaired.pop("multipleOf", None)  # in Singer the scale of a column, which Gainsight decides
    for repair in (_repair_type, _repair_numbers, _repair_items, _repair_required):
        repair(repaired)
    return {
        name: _repair_part(name, value)
        for name, value in repaired.items()
        if value != [] or name not in (*_LISTS, "enum")  # nothing would fit
    }


def _repair_part(name: str, value: Any) -> Any:  # noqa: ANN401 - as a schema has it
    if name in NAMED and isinstance(value, Mapping):
        parts = {str(key): _repair(each) for key, each in value.items()}
        return {key: _BOOLEANS[p] if isinstance(p, bool) else p for key, p in parts.items()}
    if name in _LISTS:
        return [_repair(one) for one in (value if isinstance(value, list) else [value])]
    if name in _SINGLE and not isinstance(value, list):
        return _repair(value)
    return value


def _repair_type(node: Node) -> None:
    if "type" not in node:
        return
    names = _type_names(node["type"])
    if node.get("nullable") is True and "null" not in names:  # OpenAPI
        names.append("null")
    if not names or None in names:
        del node["type"]
        return
    node["type"] = names if isinstance(node["type"], list) or len(names) > 1 else names[0]
    enum = node.get("enum")
    if "null" in names and isinstance(enum, list) and None not in enum:
        node["enum"] = [*enum, None]


def _type_names(declared: object) -> list[Any]:
    """List the types; None stands for one that is not checked, such as a schema in draft 3."""
    names: list[Any] = []
    for one in declared if isinstance(declared, list) else [declared]:
        name = "null" if one is None else one
        if isinstance(name, str):
            name = _TYPES.get(name.lower(), name)
        names.append(None if isinstance(name, Mapping) else name)
    return _unique(names)


def _unique(names: list[Any]) -> list[Any]:
    """Remove repeated names, which need not be hashable."""
    return [name for index, name in enumerate(names) if name not in names[:index]]


def _repair_numbers(node: Node) -> None:
    """Read numbers in another notation, and bounds of drafts 3 and 4.

    There, `exclusiveMaximum: true` stands beside `maximum`. A negative count is no limit.
    """
    for name in (*_COUNTS, *_BOUNDS, *_BOUNDS.values()):
        value = node.get(name)
        if isinstance(value, str) or (name in _COUNTS and isinstance(value, (float, Decimal))):
            with suppress(InvalidOperation, ValueError, OverflowError):
                number = Decimal(value)
                node[name] = value = int(number) if number == int(number) else number
        if name in _COUNTS and isinstance(value, int) and value < 0:
            del node[name]
    for exclusive, inclusive in _BOUNDS.items():
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and inclusive in node:
            node[exclusive] = node.pop(inclusive)


def _repair_items(node: Node) -> None:
    """Read a list of `items` as drafts before 2020-12 mean it."""
    if isinstance(node.get("items"), list):
        node["prefixItems"] = node.pop("items")
        if "additionalItems" in node:
            node["items"] = node.pop("additionalItems")


def _repair_required(node: Node) -> None:
    """Drop draft 3's `required: true`, and required columns that are not declared."""
    required = node.get("required")
    if isinstance(required, bool):
        del node["required"]
    elif isinstance(required, (str, list)):
        names = [required] if isinstance(required, str) else required
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            names = [name for name in names if not isinstance(name, str) or name in properties]
        node["required"] = _unique(names)


def merge_schemas(held: Node, new: Node) -> Node:
    """Return a schema with the columns of both, which requires what both require.

    It is equal to `held` when that fits already.
    """
    merged = {
        name: value
        for name, value in held.items()
        if name not in _MERGED and name in new and new[name] == value
    }
    columns = dict.fromkeys((*held["properties"], *new["properties"]))
    merged["properties"] = {
        name: _merge_columns(held["properties"].get(name), new["properties"].get(name))
        for name in columns
    }
    required = [name for name in held.get("required", ()) if name in new.get("required", ())]
    if required:
        merged["required"] = required
    definitions = {**new.get("$defs", {}), **held.get("$defs", {})}
    if definitions:
        merged["$defs"] = definitions
    return merged


def with_undeclared(schema: Node, columns: Iterable[str]) -> Node:
    """Return a schema with further columns, which are marked as undeclared."""
    undeclared = dict.fromkeys(columns, UNDECLARED)
    return {**schema, "properties": {**undeclared, **schema["properties"]}}


def _merge_columns(held: Any, new: Any) -> Any:  # noqa: ANN401 - a schema, or none
    if held is None or (held == UNDECLARED and new is not None):
        return new
    if held == {} or new is None or new == UNDECLARED:
        return held
    alternatives = _alternatives(held)
    merged = [*alternatives, *(each for each in _alternatives(new) if each not in alternatives)]
    if merged == alternatives:
        return held
    return {"anyOf": merged} if len(merged) <= _MOST_ALTERNATIVES else {}


def _alternatives(node: Any) -> list[Any]:  # noqa: ANN401 - a schema
    return list(node["anyOf"]) if isinstance(node, dict) and set(node) == {"anyOf"} else [node]
