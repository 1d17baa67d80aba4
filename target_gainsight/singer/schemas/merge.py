"""Two schemas of a stream made into one that fits the records of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from target_gainsight.mapping.columns import UNDECLARED

Node = dict[str, Any]

_MERGED = ("properties", "required", "$defs")
_MOST_ALTERNATIVES = 8


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
