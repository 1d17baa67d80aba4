"""Filters of queries, built from parts: `all_of(is_in("Name", names), Condition(…))`.

Gainsight takes a list of aliased conditions and an expression over the aliases (Company API, Read).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, product
from string import ascii_uppercase
from typing import Literal, TypeAlias

from target_gainsight.api.http.json_codec import Json

Operator: TypeAlias = Literal[
    "EQ", "NE", "LT", "GT", "LTE", "GTE", "BTW", "IN", "NOT_IN", "CONTAINS", "DOES_NOT_CONTAINS",
    "STARTS_WITH", "ENDS_WITH", "IS_NULL", "IS_NOT_NULL", "INCLUDES", "EXCLUDES",
]  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One comparison of a field. `values` is empty for IS_NULL and IS_NOT_NULL."""

    field: str
    operator: Operator
    values: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Combination:
    """Several parts, joined by AND or OR."""

    joined_by: Literal["AND", "OR"]
    parts: tuple[Where, ...]


Where: TypeAlias = "Condition | Combination"


def is_in(field: str, values: Sequence[Json]) -> Condition:
    """Return the condition that a field has one of these values."""
    return Condition(field, "IN", tuple(values))


def all_of(*parts: Where) -> Where:
    """Return the filter that all parts hold."""
    return parts[0] if len(parts) == 1 else Combination("AND", parts)


def any_of(*parts: Where) -> Where:
    """Return the filter that at least one part holds."""
    return parts[0] if len(parts) == 1 else Combination("OR", parts)


def to_wire(where: Where) -> dict[str, Json]:
    """Return a filter as the `where` of a query."""
    conditions: list[Json] = []
    # A, B, … Z, then AA, AB and so on.
    aliases = chain.from_iterable(product(ascii_uppercase, repeat=length) for length in count(1))
    expression = _expression(where, map("".join, aliases), conditions)
    return {"conditions": conditions, "expression": expression}


def _expression(where: Where, aliases: Iterator[str], conditions: list[Json]) -> str:
    """Append the conditions, and return the expression over their aliases."""
    if isinstance(where, Condition):
        alias = next(aliases)
        conditions.append(
            {
                "name": where.field,
                "alias": alias,
                "value": list(where.values),
                "operator": where.operator,
            }
        )
        return alias
    parts = []
    for inner in where.parts:
        part = _expression(inner, aliases, conditions)
        parts.append(f"({part})" if isinstance(inner, Combination) else part)
    return f" {where.joined_by} ".join(parts)
