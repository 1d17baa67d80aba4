"""Suggest a field mapping for the columns of a stream, to be reviewed by a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_gainsight.mapping.columns import METADATA_PREFIX
from target_gainsight.mapping.near_names import same_names, suggest
from target_gainsight.mapping.planning.spec import GSID_FIELD
from target_gainsight.mapping.types.converters import may_convert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_gainsight.api.resources.metadata import Field, ObjectSchema
    from target_gainsight.mapping.columns import Column

_NO_RULE = 9


@dataclass
class Proposal:
    """A field mapping.

    Attributes:
        mapping: Column to field.
        left_out: Column that is not mapped to the reason, as a clause.
    """

    mapping: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def propose_mapping(columns: Iterable[Column], schema: ObjectSchema) -> Proposal:
    """Match columns to fields by exact name, case, snake to camel case, and label, in this order.

    Every column but Singer's own is in the mapping, or left out with a reason.
    """
    own = [column for column in columns if not column.name.startswith(METADATA_PREFIX)]
    matches: dict[str, tuple[int, tuple[Field, ...]]] = {}
    for column in own:
        by_rule = enumerate(same_names(column.name, schema.fields))
        matches[column.name] = next((each for each in by_rule if each[1]), (_NO_RULE, ()))
    found = Proposal()
    for column in sorted(own, key=lambda each: matches[each.name][0]):
        _, fields = matches[column.name]
        reason = _left_out_reason(column, fields, schema, found.mapping)
        if reason:
            found.left_out[column.name] = reason
        else:
            found.mapping[column.name] = fields[0].name
    names = [column.name for column in own]
    return Proposal(
        {name: found.mapping[name] for name in names if name in found.mapping},
        {name: found.left_out[name] for name in names if name in found.left_out},
    )


def _left_out_reason(
    column: Column, fields: tuple[Field, ...], schema: ObjectSchema, mapping: dict[str, str]
) -> str:
    """Explain why a column cannot go to the fields that match its name; empty if it can."""
    if not fields:
        near = suggest(column.name, schema.fields)
        return "no such field" + (f", perhaps {' or '.join(near)}" if near else "")
    if len(fields) > 1:
        return f"ambiguous: {' or '.join(each.name for each in fields)}"
    [only] = fields
    for source, target in mapping.items():
        if target == only.name:
            return f"{target} is already filled by {source}"
    if only.name == GSID_FIELD or not (only.insertable or only.updatable):
        return f"{only.name} cannot be written"
    if not may_convert(column.json_types, only.data_type):
        found = " or ".join(sorted(column.json_types))
        return f"{found} cannot fit {only.name} ({only.data_type})"
    return ""
