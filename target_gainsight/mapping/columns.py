"""The columns of a stream, as its JSON schema declares them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METADATA_PREFIX = "_sdc_"
"""Columns that Singer adds; they are written only when they are mapped."""

UNDECLARED = {"$comment": "undeclared"}
"""Stands in a schema for a column that only the records have."""

_COMBINATIONS = ("anyOf", "oneOf", "allOf")
_MAX_LEVELS = 20
_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


@dataclass(frozen=True)
class Column:
    """A column of a stream, as it comes out of the stream maps.

    `json_types` are its JSON schema types without null; `datetime` is text for a date or time.
    """

    name: str
    json_types: frozenset[str] = frozenset()
    declared: bool = True


def columns_of(json_schema: Mapping[str, object]) -> tuple[Column, ...]:
    """Return the columns that the `schema` of a SCHEMA message declares, in its order."""
    properties = json_schema.get("properties")
    columns = []
    for name, declared in properties.items() if isinstance(properties, Mapping) else ():
        variants = list(variants_of(declared))
        types = {each for variant in variants for each in _types(variant)} - {"null"}
        formats = [variant.get("format") for variant in variants if "string" in _types(variant)]
        if formats and formats[0] in {"date", "date-time", "time"} and len({*formats}) == 1:
            types = types - {"string"} | {"datetime"}
        columns.append(Column(str(name), frozenset(types), declared=declared != UNDECLARED))
    return tuple(columns)


def variants_of(declared: object, levels: int = _MAX_LEVELS) -> Iterator[Mapping[str, Any]]:
    """List the declaration of a column and each of the alternatives in it."""
    if not isinstance(declared, Mapping) or levels == 0:
        return
    yield declared
    for name in _COMBINATIONS:
        alternatives = declared.get(name)
        for each in alternatives if isinstance(alternatives, list) else ():
            yield from variants_of(each, levels - 1)


def _types(variant: Mapping[str, object]) -> list[str]:
    declared = variant.get("type")
    names = declared if isinstance(declared, list) else [declared]
    return [name for name in names if isinstance(name, str) and name in _TYPES]
