"""Propose a field mapping for the columns of a stream, to be reviewed by a person."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.near_names import bare_name, same_names, suggest, suggest_names
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.types.converters import may_convert

_NO_RULE = 9
_MIN_SIMILARITY = 0.9
"""The least similarity of a misspelt name."""

_SAME_NAME = 0
_REFERENCES = frozenset({"LOOKUP", "GSID"})
_DIGITS = re.compile(r"\d+")


def propose_mapping(
    spec: MappingSpec, used: Collection[str], taken: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Match columns to fields.

    The rules, the strictest first: the same name, but for case, `renewal_date` for `RenewalDate`,
    the same for the label, a misspelling.

    Args:
        spec: The stream's columns and its object.
        used: Columns that lookups use.
        taken: Fields that constants and lookups fill.

    Returns:
        Column to field, and column to the reason, as a clause, of each that is left out. Every
        column but Singer's own and those that lookups use is in one of the two.
    """
    own = [
        column
        for column in spec.columns
        if not column.name.startswith(METADATA_PREFIX) and column.name not in used
    ]
    matches = {column.name: _matches(column.name, spec) for column in own}
    mapping: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for column in sorted(own, key=lambda each: matches[each.name][0]):
        rule, fields = matches[column.name]
        filled = _taken_reason(fields[0].name, mapping, taken) if len(fields) == 1 else ""
        reason = filled or _left_out_reason(column, rule, fields, spec)
        if reason:
            left_out[column.name] = reason
        else:
            mapping[column.name] = fields[0].name
    names = [column.name for column in own]
    return (
        {name: mapping[name] for name in names if name in mapping},
        {name: left_out[name] for name in names if name in left_out},
    )


def correct_mapping(spec: MappingSpec) -> tuple[dict[str, str], dict[str, str]]:
    """Correct the names in the configured mapping; returns the same as `propose_mapping`."""
    mapping: dict[str, str] = {}
    left_out: dict[str, str] = {}
    taken = {*spec.column_to_field.values(), *spec.constants, *spec.lookup_targets}
    for source, target in spec.field_mapping.items():
        column = source
        if spec.columns and source not in spec.column_names:
            near = suggest_names(source, spec.column_names)
            used = {*spec.field_mapping, *mapping}
            column = next((name for name in near if name not in used), source)
        field = correct_field(spec, target, taken)
        if field is None:
            left_out[column] = f"{spec.object_name} has no field {target} that can be written"
        else:
            mapping[column] = field
            taken.add(field)
    return mapping, left_out


def correct_field(spec: MappingSpec, name: str, taken: Collection[str]) -> str | None:
    """Return the field if it can be written; for an unknown name, the nearest free field."""
    names = [name]
    if spec.is_unknown_field(name):
        names = [each for each in spec.suggest(name) if each not in taken]
    for each in names:
        field = spec.field(each)
        if field is None or not spec.not_writable_reason(field):
            return each
    return None


def _matches(name: str, spec: MappingSpec) -> tuple[int, tuple[Field, ...]]:
    """Return the number of the first rule that finds fields for a column, and the fields."""
    fields = spec.schema.fields if spec.schema else ()
    by_rule = (*same_names(name, fields), tuple(f for f in fields if _is_misspelling(name, f.name)))
    return next(((rule, found) for rule, found in enumerate(by_rule) if found), (_NO_RULE, ()))


def _is_misspelling(name: str, other: str) -> bool:
    """Return whether a name is another one misspelt; names with other digits are not."""
    first, second = bare_name(name), bare_name(other)
    if _DIGITS.findall(first) != _DIGITS.findall(second):
        return False
    return difflib.SequenceMatcher(None, first, second).ratio() >= _MIN_SIMILARITY


def _left_out_reason(
    column: Column, rule: int, fields: tuple[Field, ...], spec: MappingSpec
) -> str:
    """Explain why a column cannot go to the fields that match its name; empty if it can."""
    if not fields:
        near = suggest(column.name, spec.schema.fields if spec.schema else ())
        return "no such field" + (f", perhaps {' or '.join(near)}" if near else "")
    if len(fields) > 1:
        return f"ambiguous: {' or '.join(each.name for each in fields)}"
    [only] = fields
    if spec.not_writable_reason(only):
        return f"{only.name} cannot be written"
    if only.data_type in _REFERENCES and rule > _SAME_NAME:
        return f"{only.name} holds a GSID; set a lookup for it"
    if not may_convert(column.json_types, only.data_type):
        found = " or ".join(sorted(column.json_types))
        return f"{found} cannot fit {only.name} ({only.data_type})"
    return ""


def _taken_reason(field: str, mapping: dict[str, str], taken: Collection[str]) -> str:
    """Name what fills a field already; empty if nothing does."""
    for source, target in mapping.items():
        if target == field:
            return f"{target} is already filled by {source}"
    return f"{field} is already filled by a constant or lookup" if field in taken else ""
