"""Two schemas of a stream made into one that fits the records of both."""

from __future__ import annotations

from typing import Any

from target_gainsight.mapping.columns import UNDECLARED

Node = dict[str, Any]

_DEFINITIONS = ("definitions", "$defs")
_MERGED = ("properties", "required", *_DEFINITIONS)
_MOST_ALTERNATIVES = 8


def merge_schemas(held: Node, new: Node) -> Node | None:
    """Return a schema with the columns of both, which requires what both require.

    Returns:
        The schema, equal to `held` when that fits already; None when they define the same name
        differently.
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
    for keyword in _DEFINITIONS:
        definitions = {**held.get(keyword, {}), **new.get(keyword, {})}
        if any(definitions[name] != each for name, each in held.get(keyword, {}).items()):
            return None
        if definitions:
            merged[keyword] = definitions
    return merged


def with_undeclared(schema: Node, columns: Any) -> Node:  # noqa: ANN401
    """Return a schema with further columns, which are marked as undeclared."""
    undeclared = dict.fromkeys(columns, UNDECLARED)
    return {**schema, "properties": {**undeclared, **schema["properties"]}}


def _merge_columns(held: Any, new: Any) -> Any:  # noqa: ANN401 - a schema, or none
    if held is None or new is None:
        return new if held is None else held
    if UNDECLARED in (held, new):
        return new if held == UNDECLARED else held
    alternatives = _alternatives(held)
    further = [each for each in _alternatives(new) if each not in alternatives]
    if not further or held == {}:
        return held
    merged = {"anyOf": [*alternatives, *further]}
    return {} if len(merged["anyOf"]) > _MOST_ALTERNATIVES else merged


def _alternatives(node: Any) -> list[Any]:  # noqa: ANN401 - a schema
    return list(node["anyOf"]) if isinstance(node, dict) and set(node) == {"anyOf"} else [node]
