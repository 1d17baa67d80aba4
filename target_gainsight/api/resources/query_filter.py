"""Filters of queries, built from parts: `all_of(is_in("Name", names), Condition(…))`.

Gainsight takes a list of aliased conditions and an expression over the aliases (Company API, Read).
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    parts: tuple["Where", ...]


Where: TypeAlias = Condition | Combination


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
    expression = _expression(where, conditions).removeprefix("(").removesuffix(")")
    return {"conditions": conditions, "expression": expression}


def _expression(where: Where, conditions: list[Json]) -> str:
    """Append the conditions, and return the expression over their aliases: A, … Z, AA, … ZZ."""
    if isinstance(where, Combination):
        parts = [_expression(part, conditions) for part in where.parts]
        return f"({f' {where.joined_by} '.join(parts)})"
    repeats, letter = divmod(len(conditions), len(ascii_uppercase))
    alias = ascii_uppercase[letter] * (repeats + 1)
    value = list(where.values)
    conditions.append(
        {"name": where.field, "alias": alias, "value": value, "operator": where.operator}
    )
    return alias
