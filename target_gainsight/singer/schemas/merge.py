"""Two schemas of a stream made into one that fits the records of both."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import Any

from target_gainsight.mapping.columns import UNDECLARED
from target_gainsight.singer.schemas.repair import decode_part, nodes_of

Node = dict[str, Any]

_DEFINITIONS = ("definitions", "$defs")
_REFERENCE = re.compile(r"#/(definitions|\$defs)/([^/]+)(.*)")
_MERGED = ("properties", "required", *_DEFINITIONS)
_MOST_ALTERNATIVES = 8


def merge_schemas(held: Node, new: Node) -> Node:
    """Return a schema with the columns of both, which requires what both require.

    It is equal to `held` when that fits already.
    """
    new = _with_own_definitions(held, new)
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
        if definitions:
            merged[keyword] = definitions
    return _without_unused_definitions(merged)


def _with_own_definitions(held: Node, new: Node) -> Node:
    """Rename the definitions of a schema by their content if one differs from its namesake."""
    own = {keyword: new[keyword] for keyword in _DEFINITIONS if keyword in new}
    if all(
        held.get(keyword, {}).get(name, each) == each
        for keyword, definitions in own.items()
        for name, each in definitions.items()
    ):
        return new
    content = json.dumps(own, sort_keys=True, default=str).encode()
    suffix = "." + hashlib.sha256(content).hexdigest()[:12]
    renamed = copy.deepcopy(new)
    for node in nodes_of(renamed):
        reference = _REFERENCE.fullmatch(str(node.get("$ref")))
        if reference:
            node["$ref"] = f"#/{reference[1]}/{reference[2]}{suffix}{reference[3]}"
    for keyword in own:
        renamed[keyword] = {name + suffix: each for name, each in renamed[keyword].items()}
    return renamed


def _without_unused_definitions(schema: Node) -> Node:
    """Remove definitions that nothing refers to, so that changing ones do not accumulate."""
    used: dict[tuple[str, str], object] = {}
    waiting: list[object] = [{k: v for k, v in schema.items() if k not in _DEFINITIONS}]
    while waiting:
        for node in nodes_of(waiting.pop()):
            if "$ref" not in node:
                continue
            reference = _REFERENCE.fullmatch(str(node["$ref"]))
            if reference is None:
                return schema  # perhaps a reference by an anchor
            keyword, name = reference[1], decode_part(reference[2])
            if (keyword, name) not in used:
                used[keyword, name] = schema.get(keyword, {}).get(name)
                waiting.append(used[keyword, name])
    for keyword in _DEFINITIONS:
        if keyword in schema:
            kept = {name: each for name, each in schema[keyword].items() if (keyword, name) in used}
            schema = {**schema, keyword: kept}
    return {name: each for name, each in schema.items() if each or name not in _DEFINITIONS}


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
