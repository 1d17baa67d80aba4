"""The schema of a SCHEMA message as taps write it, made into JSON schema 2020-12.

Taps write drafts 3 and 4, OpenAPI and forms of their own. Known forms are converted; anything
else stays as it is and is reported when the schema is compiled.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote

from target_gainsight.mapping.columns import UNDECLARED

Node = dict[str, Any]

_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_TYPE_NAMES = {
    **{name: name for name in _TYPES},
    **dict.fromkeys(("int", "long", "bigint", "smallint"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "numeric"), "number"),
    **dict.fromkeys(("str", "text", "varchar", "char", "uuid"), "string"),
    **dict.fromkeys(("list", "tuple"), "array"),
    **dict.fromkeys(("dict", "map"), "object"),
    **dict.fromkeys(("none", "nonetype"), "null"),
    "bool": "boolean",
}
_ANY_TYPE = (
    "any",
    "",
    "date",
    "time",
    "datetime",
    "date-time",
    "timestamp",
    "email",
    "uri",
    "json",
)
"""Names that taps write as types, of values in more than one JSON type: they are not checked."""

_VALUES = ("const", "default", "example")
"""Keywords that hold a value, which may be null."""

_BY_NAME = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_SINGLE = (
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "not",
    "if",
    "then",
    "else",
)
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_INTO_PROPERTIES = re.compile(r"#(?:/properties/.*)?").fullmatch
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def repair_schema(schema: Mapping[str, Any], key_properties: Iterable[str]) -> Node:
    """Return a stream's schema in the form that validators read.

    Its root is an object with `properties`, in which the key properties are declared, and it
    requires no column that it does not declare, as after deselecting one.

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
    _move_references(repaired)
    return repaired


def _move_references(root: Node) -> None:
    """Move schemas that are referred to under `properties` to `$defs`; stream maps keep those."""
    moved: Node = {}
    waiting = [{name: value for name, value in root.items() if name != "$ref"}]
    while waiting:
        for node in nodes_of(waiting.pop()):
            reference = node.get("$ref")
            if not isinstance(reference, str) or not _INTO_PROPERTIES(reference):
                continue
            name = "root" + reference[1:].replace("/", ".")
            target = _at(root, reference)
            if target is not None and name not in moved:
                moved[name] = copy.deepcopy(target)
                waiting.append(moved[name])
            if name in moved:
                node["$ref"] = f"#/$defs/{name}"
    if moved:
        root["$defs"] = {**root.get("$defs", {}), **moved}


def nodes_of(node: object) -> Iterator[Node]:
    """List all objects in a schema; those among values do no harm."""
    if isinstance(node, list):
        for each in node:
            yield from nodes_of(each)
    if isinstance(node, dict):
        yield node
        for each in list(node.values()):
            yield from nodes_of(each)


def decode_part(part: str) -> str:
    """Decode one part of a JSON pointer in a URL."""
    return unquote(part).replace("~1", "/").replace("~0", "~")


def _at(root: Node, reference: str) -> object:
    """Return the target of a JSON pointer, or None."""
    found: Any = root
    for part in reference.split("/")[1:]:
        found = found.get(decode_part(part)) if isinstance(found, dict) else None
    return found


def _repair(node: object) -> Any:  # noqa: ANN401 - a schema, or anything else
    if node is None:
        return {}
    if isinstance(node, str) and (node.lower() in _TYPE_NAMES or node.lower() in _ANY_TYPE):
        node = {"type": node}
    if not isinstance(node, Mapping):
        return node
    repaired = {
        str(name): value for name, value in node.items() if value is not None or name in _VALUES
    }
    repaired.pop("multipleOf", None)  # in Singer the scale of a column, which Gainsight decides
    for repair in (_repair_type, _repair_bounds, _repair_counts, _repair_items, _repair_required):
        repair(repaired)
    _repair_parts(repaired)
    return repaired


def _repair_parts(node: Node) -> None:
    for name, value in list(node.items()):
        if name == "properties" and isinstance(value, Mapping):
            node[name] = {str(key): _column(_repair(each)) for key, each in value.items()}
        elif name in _BY_NAME and isinstance(value, Mapping):
            node[name] = {str(key): _repair(each) for key, each in value.items()}
        elif name in (*_LISTS, "enum") and value == []:  # nothing would fit
            del node[name]
        elif name in _LISTS:
            node[name] = [_repair(one) for one in (value if isinstance(value, list) else [value])]
        elif name in _SINGLE and not isinstance(value, list):
            node[name] = _repair(value)


def _column(declared: object) -> object:
    """Write booleans as objects, which the SDK wants for columns."""
    return {True: {}, False: {"not": {}}}[declared] if isinstance(declared, bool) else declared


def _repair_type(node: Node) -> None:
    if "type" not in node:
        return
    names = _type_names(node["type"])
    if node.get("nullable") is True and "null" not in names:  # OpenAPI
        names = [*names, "null"]
    if not names or any(isinstance(name, Mapping) or name in _ANY_TYPE for name in names):
        del node["type"]
        return
    node["type"] = names if isinstance(node["type"], list) or len(names) > 1 else names[0]
    enum = node.get("enum")
    if "null" in names and isinstance(enum, list) and None not in enum:
        node["enum"] = [*enum, None]


def _type_names(declared: object) -> list[Any]:
    """List the types, each once; other names for them and for formats are understood."""
    each = declared if isinstance(declared, list) else [declared]
    names = [
        _TYPE_NAMES.get(one.lower(), one.lower() if one.lower() in _ANY_TYPE else one)
        if isinstance(one, str)
        else "null"
        if one is None
        else one
        for one in each
    ]
    return _unique(names)


def _unique(names: list[Any]) -> list[Any]:
    """Remove repeated names, which need not be hashable."""
    return [name for index, name in enumerate(names) if name not in names[:index]]


def _repair_bounds(node: Node) -> None:
    """Read drafts 3 and 4, where `exclusiveMaximum: true` stands beside `maximum`."""
    for name in _BOUNDS:
        if isinstance(node.get(name), str):
            with suppress(InvalidOperation):
                node[name] = Decimal(node[name])
    for exclusive, inclusive in (
        ("exclusiveMaximum", "maximum"),
        ("exclusiveMinimum", "minimum"),
    ):
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and inclusive in node:
            node[exclusive] = node.pop(inclusive)


def _repair_counts(node: Node) -> None:
    """Read whole numbers in another notation; negative ones, such as -1, are no limit."""
    for name in _COUNTS:
        value = node.get(name)
        if isinstance(value, (str, float, Decimal)):
            with suppress(InvalidOperation, ValueError, OverflowError):
                if Decimal(value) == int(Decimal(value)):
                    node[name] = value = int(Decimal(value))
        if isinstance(value, int) and value < 0:
            del node[name]


def _repair_items(node: Node) -> None:
    """Read a list of `items` as drafts before 2020-12 mean it."""
    if isinstance(node.get("items"), list):
        node["prefixItems"] = node.pop("items")
        if not node["prefixItems"]:
            del node["prefixItems"]
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
