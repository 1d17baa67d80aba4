"""Propose the settings of a stream: the same for a run, `gainsight plan` and `describe`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from target_gainsight.api.resources.metadata import Field, ObjectSchema
from target_gainsight.api.resources.records import MAX_KEYS
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.escaping import one_line, yaml_lines, yaml_scalar
from target_gainsight.mapping.near_names import bare_name, suggest_names
from target_gainsight.mapping.planning.checks import may_be_key
from target_gainsight.mapping.planning.proposed_lookups import (
    PERSON,
    lookup_columns,
    propose_references,
)
from target_gainsight.mapping.planning.spec import GSID_FIELD, MappingSpec
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.mapping.types.converters import may_convert
from target_gainsight.settings.stream_settings import OBJECT_NAMES

NAME = "Name"
_SAME_NAME = 0
_SIMILAR = 0.9
"""The least similarity of a misspelt name."""

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Proposal:
    """Settings of one stream, to be reviewed and pasted under the loader's `config`.

    Attributes:
        settings: Setting to value: the object, and all settings that should change.
        left_out: Column that is not loaded to the reason, as a clause.
        notes: Setting that a person must decide on to the reason, as a clause.
    """

    stream: str
    settings: Mapping[str, Any]
    left_out: Mapping[str, str]
    notes: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the settings as the loader's `config` holds them."""
        return {"streams": {self.stream: dict(self.settings)}}

    def to_yaml(self) -> str:
        """Return the settings as YAML, with a comment for each column that is left out."""
        lines = ["streams:", f"  {yaml_scalar(self.stream)}:"]
        for setting, value in self.settings.items():
            lines += (f"    {line}" for line in yaml_lines({setting: value}))
            if setting == "field_mapping":
                for column, reason in self.left_out.items():
                    lines.append(f"      # {yaml_scalar(column)}: {one_line(reason)}")
        lines += (f"    # {setting}: {one_line(note)}" for setting, note in self.notes.items())
        return "\n".join(lines)


def propose_settings(
    spec: MappingSpec, stream: str, references: Mapping[str, ObjectSchema]
) -> Proposal | None:
    """Propose the settings of a stream; configured names are corrected, not replaced.

    Args:
        references: The objects that `referenced_objects` lists, by their names in lower case.

    Returns:
        None if the object's fields are not known, or nothing would change.
    """
    if spec.schema is None:
        return None
    lookups, links = propose_references(spec, references)
    constants: dict[str, Any] = {}
    for name, value in spec.constants.items():
        found = _correct_field(spec, name, {*spec.constants, *constants})
        if found is not None:
            constants[found] = value
    if spec.settings.field_mapping:
        mapping, left_out = _correct_mapping(spec)
        changes_mapping = mapping != spec.settings.field_mapping
    else:
        taken = (*spec.constants, *spec.settings.lookups, *lookups)
        mapping, left_out = _propose_mapping(spec, lookup_columns(lookups, links), taken)
        # Columns that go by their names need no mapping.
        changes_mapping = not spec.settings.lookup_keys or bool(spec.unmapped)
    keys = _propose_keys(spec, mapping)
    changes_keys = bool(keys) and (keys != spec.keys or not spec.settings.lookup_keys)
    drops = bool(left_out) and not mapping and spec.settings.unknown_fields != "drop"
    proposed = {
        "lookup_keys": (list(keys), changes_keys),
        "field_mapping": (mapping, changes_mapping),
        "constants": (constants, constants != spec.constants),
        "lookups": (lookups, bool(lookups)),
        "company_links": (links, bool(links)),
        "unknown_fields": ("drop", drops),
    }
    changes = {setting: value for setting, (value, changed) in proposed.items() if changed}
    if not changes:
        return None
    settings = {"object_type": "custom_object", "custom_object_name": spec.object_name}
    for object_type, name in OBJECT_NAMES.items():
        if name.lower() == spec.object_name.lower():
            settings = {"object_type": object_type}
    notes = _notes(spec, keys, {*mapping.values(), *constants, *lookups})
    return Proposal(stream, {**settings, **changes}, left_out, notes)


def _notes(spec: MappingSpec, keys: tuple[str, ...], filled: Collection[str]) -> dict[str, str]:
    """Return what a person must add, by the setting."""
    notes = {}
    if not keys and _needs_keys(spec):
        reason = "no column fills a field that could identify a record; name 1 to 3 fields"
        notes["lookup_keys"] = reason
    named = {*filled, *spec.column_to_field.values(), *spec.settings.lookups}
    unfilled = [each.name for each in spec.required_fields if each.name not in named]
    if unfilled:
        notes["constants"] = f"nothing fills {', '.join(unfilled)}, which a new record needs"
    return notes


def _propose_mapping(
    spec: MappingSpec, looked_up: Collection[str], taken: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Match columns to fields, those that match by a stricter rule first.

    Args:
        looked_up: Columns that proposed lookups use.
        taken: Fields that constants and lookups fill.

    Returns:
        Column to field, and column to the reason, as a clause, of each that is left out. Every
        column but Singer's own and those that lookups use is in one of the two.
    """
    matches = {
        column: _matches(column.name, spec)
        for column in spec.columns
        if not column.name.startswith(METADATA_PREFIX)
        and column.name not in spec.lookup_columns.union(looked_up)
    }
    filled = dict.fromkeys(taken, "a constant or lookup")
    mapping: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for column, (rule, fields) in sorted(matches.items(), key=lambda match: match[1][0]):
        reason = _reason_to_leave_out(column, rule, fields, spec, filled)
        if reason:
            left_out[column.name] = reason
        else:
            mapping[column.name] = fields[0].name
            filled[fields[0].name] = column.name
    names = [column.name for column in matches]
    return (
        {name: mapping[name] for name in names if name in mapping},
        {name: left_out[name] for name in names if name in left_out},
    )


def _matches(name: str, spec: MappingSpec) -> tuple[int, tuple[Field, ...]]:
    """Return the number of the strictest rule that finds fields for a column, and the fields.

    The rules: the same name, but for case, `renewal_date` for `RenewalDate` or `RenewalDate__gc`,
    the same for the label, a misspelling; names with other digits are none.
    """
    bare, digits = bare_name(name), _DIGITS.findall(bare_name(name))
    rules: tuple[Callable[[Field], bool], ...] = (
        lambda field: field.name == name,
        lambda field: field.name.lower() == name.lower(),
        lambda field: bare_name(field.name) == bare,
        lambda field: bare_name(field.label) == bare,
        lambda field: (
            _DIGITS.findall(bare_name(field.name)) == digits
            and difflib.SequenceMatcher(None, bare, bare_name(field.name)).ratio() >= _SIMILAR
        ),
    )
    for rule, fits in enumerate(rules):
        if found := tuple(filter(fits, spec.schema.fields if spec.schema else ())):
            return rule, found
    return len(rules), ()


def _reason_to_leave_out(
    column: Column,
    rule: int,
    fields: tuple[Field, ...],
    spec: MappingSpec,
    filled: Mapping[str, str],
) -> str:
    """Explain why a column cannot go to the fields that match its name; empty if it can."""
    reason = ""
    if not fields:
        near = spec.suggest(column.name)
        reason = "no such field" + (f", perhaps {' or '.join(near)}" if near else "")
    elif len(fields) > 1:
        reason = f"ambiguous: {' or '.join(each.name for each in fields)}"
    elif (only := fields[0]).name in filled:
        reason = f"{only.name} is already filled by {filled[only.name]}"
    elif spec.not_writable_reason(only):
        reason = f"{only.name} cannot be written"
    elif only.data_type in {"LOOKUP", "GSID"} and rule > _SAME_NAME:
        reason = f"{only.name} holds a GSID; set a lookup for it"
    elif not may_convert(column.json_types, only.data_type):
        found = " or ".join(sorted(column.json_types))
        reason = f"{found} cannot fit {only.name} ({only.data_type})"
    return reason


def _correct_mapping(spec: MappingSpec) -> tuple[dict[str, str], dict[str, str]]:
    """Correct the names in the configured mapping; returns the same as `_propose_mapping`."""
    mapping: dict[str, str] = {}
    left_out: dict[str, str] = {}
    taken = {*spec.column_to_field.values(), *spec.constants, *spec.settings.lookups}
    for source, target in spec.settings.field_mapping.items():
        column = source
        if spec.columns and source not in spec.column_names:
            near = suggest_names(source, spec.column_names)
            used = {*spec.settings.field_mapping, *mapping}
            column = next((name for name in near if name not in used), source)
        field = _correct_field(spec, target, taken)
        if field is None:
            left_out[column] = f"{spec.object_name} has no field {target} that can be written"
        else:
            mapping[column] = field
            taken.add(field)
    return mapping, left_out


def _correct_field(spec: MappingSpec, name: str, taken: Collection[str]) -> str | None:
    """Return the field if it can be written; for an unknown name, the nearest free field."""
    names = [name]
    if spec.is_unknown_field(name):
        names = [each for each in spec.suggest(name) if each not in taken]
    for each in names:
        field = spec.field(each)
        if field is None or not spec.not_writable_reason(field):
            return each
    return None


def _needs_keys(spec: MappingSpec) -> bool:
    has_own = spec.object_name.lower() in {PERSON, ACTIVITY}
    return not spec.settings.lookup_keys and spec.settings.sync_mode != "insert" and not has_own


def _propose_keys(spec: MappingSpec, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configured keys corrected, or the fields that identify a record best."""
    if spec.settings.lookup_keys:
        keys: list[str] = []
        for key in spec.keys:
            keys += spec.suggest(key)[:1] if spec.is_unknown_field(key) else (key,)
        return tuple(key for key in dict.fromkeys(keys) if may_be_key(spec.field(key)))
    if not _needs_keys(spec):
        return ()
    filled = {**spec.column_to_field, **mapping} if spec.settings.field_mapping else mapping
    fields = {
        column: field
        for column, name in filled.items()
        if (field := spec.field(name)) and may_be_key(field) and name != GSID_FIELD
    }
    named = tuple(fields[name].name for name in spec.key_properties if name in fields)
    if 0 < len(named) == len(spec.key_properties) <= MAX_KEYS:
        return named
    for field in fields.values():
        is_external_id = field.name.lower().replace("_", "").startswith("externalid")
        if is_external_id or field.data_type == "SFDCID":
            return (field.name,)
    has_name = any(field.name == NAME for field in fields.values())
    return (NAME,) if has_name and spec.object_name != CTA else ()
