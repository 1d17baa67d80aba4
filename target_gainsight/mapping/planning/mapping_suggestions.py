"""Which field each column of a stream is probably meant for, to be looked over by a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_gainsight.mapping.near_names import same_names, suggest
from target_gainsight.mapping.types.converters import may_convert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_gainsight.api.resources.metadata import Field, ObjectSchema
    from target_gainsight.mapping.columns import Column

GSID_FIELD = "Gsid"
METADATA_PREFIX = "_sdc_"
LOOSEST = 9


@dataclass
class Proposal:
    """A field mapping, and why some columns are not in it.

    Attributes:
        mapping: Column to field.
        left_out: Column to the reason, as a clause.
    """

    mapping: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def propose_mapping(columns: Iterable[Column], schema: ObjectSchema) -> Proposal:
    """Match columns to fields by exact name, case, snake to camel case, and label, in this order.

    Args:
        columns: What the stream carries.
        schema: What the object offers.

    Returns:
        The proposal: every column in its mapping, or left out with a reason.
    """
    carried = [column for column in columns if not column.name.startswith(METADATA_PREFIX)]
    ranked = sorted(
        ((*_meant(column, schema), column) for column in carried), key=lambda each: each[0]
    )
    found = Proposal()
    for _, fields, column in ranked:
        _place(column, fields, schema, found)
    names = [column.name for column in carried]
    return Proposal(
        {name: found.mapping[name] for name in names if name in found.mapping},
        {name: found.left_out[name] for name in names if name in found.left_out},
    )


def _meant(column: Column, schema: ObjectSchema) -> tuple[int, tuple[Field, ...]]:
    """The fields that a column's name stands for, and how loosely: 0 is its very name."""
    for rank, fields in enumerate(same_names(column.name, schema.fields)):
        if fields:
            return rank, fields
    return LOOSEST, ()


def _place(
    column: Column, fields: tuple[Field, ...], schema: ObjectSchema, proposal: Proposal
) -> None:
    taken = {target: source for source, target in proposal.mapping.items()}
    names = [each.name for each in fields]
    if not fields:
        near = suggest(column.name, schema.fields)
        reason = "no such field" + (f", perhaps {' or '.join(near)}" if near else "")
    elif len(fields) > 1:
        reason = f"ambiguous: {' or '.join(names)}"
    elif names[0] in taken:
        reason = f"{names[0]} is filled by {taken[names[0]]} already"
    else:
        reason = _why_not(column, fields[0])
    if reason:
        proposal.left_out[column.name] = reason
    else:
        proposal.mapping[column.name] = names[0]


def _why_not(column: Column, field: Field) -> str:
    if field.name == GSID_FIELD or not (field.insertable or field.updatable):
        return f"{field.name} cannot be written"
    if not may_convert(column.json_types, field.data_type):
        found = " or ".join(sorted(column.json_types))
        return f"{found} cannot fit {field.name} ({field.data_type})"
    return ""
