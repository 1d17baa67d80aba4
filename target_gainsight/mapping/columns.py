"""The columns of a stream, as its JSON schema declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNDECLARED = {"$comment": "undeclared"}
"""The declaration of a column that records carry and their SCHEMA does not declare."""

_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_DATETIME_FORMATS = frozenset({"date", "date-time", "time"})


@dataclass(frozen=True)
class Column:
    """A column of a stream.

    Attributes:
        name: Its name, as it comes out of the stream maps.
        types: The types of JSON schema that it may have, without null; empty when undeclared.
        format: The JSON schema format of its text, such as `date-time`.
        declared: Whether the SCHEMA declares it; otherwise records carry it all the same.
    """

    name: str
    types: frozenset[str] = frozenset()
    format: str | None = None
    declared: bool = True

    @property
    def json_types(self) -> frozenset[str]:
        """The types, with text that is a date or time told apart as `datetime`."""
        if self.format not in _DATETIME_FORMATS:
            return self.types
        return frozenset("datetime" if each == "string" else each for each in self.types)


def columns_of(json_schema: Mapping[str, object]) -> tuple[Column, ...]:
    """The columns that a SCHEMA message declares, in its order.

    Args:
        json_schema: The `schema` of the message.
    """
    properties = json_schema.get("properties")
    if not isinstance(properties, Mapping):
        return ()
    return tuple(_column(str(name), declared) for name, declared in properties.items())


def _column(name: str, declared: object) -> Column:
    variants = _variants(declared)
    types = frozenset(each for variant in variants for each in _types(variant))
    formats = {variant.get("format") for variant in variants if "string" in _types(variant)}
    only = formats.pop() if len(formats) == 1 else None
    return Column(
        name,
        types - {"null"},
        only if isinstance(only, str) else None,
        declared=declared != UNDECLARED,
    )


def _variants(declared: object) -> list[Mapping[str, object]]:
    """The declaration and, wherever it offers alternatives, each of them."""
    if not isinstance(declared, Mapping):
        return []
    found: list[Mapping[str, object]] = [declared]
    for combination in ("anyOf", "oneOf", "allOf"):
        alternatives = declared.get(combination)
        if isinstance(alternatives, list):
            found += [each for alternative in alternatives for each in _variants(alternative)]
    return found


def _types(variant: Mapping[str, object]) -> list[str]:
    declared = variant.get("type")
    names = declared if isinstance(declared, list) else [declared]
    return [name for name in names if isinstance(name, str) and name in _TYPES]
