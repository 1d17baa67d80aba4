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
from target_gainsight.mapping.planning.checks import KEY_TYPES
from target_gainsight.mapping.planning.proposed_lookups import PERSON, propose_references
from target_gainsight.mapping.planning.spec import GSID_FIELD, MappingSpec
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.mapping.types.converters import may_convert
from target_gainsight.settings.stream_settings import OBJECT_NAMES

NAME = "Name"
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
    configured = spec.settings
    lookups, links = propose_references(spec, references)
    taken = {*spec.constants}
    names = {name: _correct_field(spec, name, taken) for name in spec.constants}
    constants = {name: spec.constants[each] for each, name in names.items() if name}
    if configured.field_mapping:
        mapping, left_out = _correct_mapping(spec)
        changes_mapping = mapping != configured.field_mapping
    else:
        mapping, left_out = _propose_mapping(spec, lookups, links)
        # Columns that go by their names need no mapping.
        changes_mapping = not configured.lookup_keys or bool(spec.unmapped)
    keys = _propose_keys(spec, mapping)
    drops = bool(left_out) and not mapping and configured.unknown_fields != "drop"
    proposed = {
        "lookup_keys": (list(keys), keys != (spec.keys if configured.lookup_keys else ())),
        "field_mapping": (mapping, changes_mapping),
        "constants": (constants, constants != spec.constants),
        "lookups": (lookups, bool(lookups)),
        "company_links": (links, bool(links)),
        "unknown_fields": ("drop", drops),
    }
    changes = {setting: value for setting, (value, changed) in proposed.items() if changed}
    if not changes:
        return None
    route = {"object_type": "custom_object", "custom_object_name": spec.object_name}
    for object_type, name in OBJECT_NAMES.items():
        if name.lower() == spec.object_name.lower():
            route = {"object_type": object_type}
    notes = _notes(spec, keys, {*mapping.values(), *constants, *lookups})
    return Proposal(stream, {**route, **changes}, left_out, notes)


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
    spec: MappingSpec, lookups: Mapping[str, Any], links: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """Match columns to fields, those that match by a stricter rule first.

    Returns:
        Column to field, and column to the reason, as a clause, of each that is left out. Every
        column but Singer's own and those that lookups use is in one of the two.
    """
    looked_up = {*spec.lookup_columns, *links.get("lookup", ()), *links.get("fields", {}).values()}
    looked_up = looked_up.union(*(lookup["fields"] for lookup in lookups.values()))
    filled = dict.fromkeys(
        (*spec.constants, *spec.settings.lookups, *lookups), "a constant or lookup"
    )
    columns = {
        column.name: (column, *_match(column.name, spec))
        for column in spec.columns
        if not column.name.startswith(METADATA_PREFIX) and column.name not in looked_up
    }
    reasons: dict[str, str] = {}
    for name, (column, rule, fields) in sorted(columns.items(), key=lambda each: each[1][1]):
        reasons[name] = _reason_to_leave_out(column, rule, fields, spec, filled)
        if not reasons[name]:
            filled[fields[0].name] = name
    mapping = {
        name: fields[0].name for name, (_, _, fields) in columns.items() if not reasons[name]
    }
    return mapping, {name: reasons[name] for name in columns if reasons[name]}


def _match(name: str, spec: MappingSpec) -> tuple[int, tuple[Field, ...]]:
    """Return the number of the strictest rule that finds fields for a column, and the fields.

    The rules: the same name, `renewal_date` for `RenewalDate` or `RenewalDate__gc`, the same for
    the label, a misspelling; names with other digits are none.
    """
    bare = bare_name(name)
    rules: tuple[Callable[[Field], bool], ...] = (
        lambda field: field.name == name,
        lambda field: bare_name(field.name) == bare,
        lambda field: bare_name(field.label) == bare,
        lambda field: (
            _DIGITS.findall(bare_name(field.name)) == _DIGITS.findall(bare)
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
    if len(fields) != 1:
        near = [each.name for each in fields] or spec.suggest(column.name)
        reason = "ambiguous: " if fields else "no such field, perhaps "
        return reason + " or ".join(near) if near else "no such field"
    [field] = fields
    reason = ""
    if field.name in filled:
        reason = f"{field.name} is already filled by {filled[field.name]}"
    elif spec.not_writable_reason(field):
        reason = f"{field.name} cannot be written"
    elif field.data_type in {"LOOKUP", "GSID"} and rule:
        reason = f"{field.name} holds a GSID; set a lookup for it"
    elif not may_convert(column.json_types, field.data_type):
        found = " or ".join(sorted(column.json_types))
        reason = f"{found} cannot fit {field.name} ({field.data_type})"
    return reason


def _correct_mapping(spec: MappingSpec) -> tuple[dict[str, str], dict[str, str]]:
    """Correct the names in the configured mapping; returns the same as `_propose_mapping`."""
    mapping: dict[str, str] = {}
    left_out: dict[str, str] = {}
    taken = {*spec.column_to_field.values(), *spec.constants, *spec.settings.lookups}
    free = [name for name in spec.column_names if name not in spec.settings.field_mapping]
    for source, target in spec.settings.field_mapping.items():
        near = () if source in spec.column_names else suggest_names(source, free)
        column = near[0] if near else source
        free = [name for name in free if name != column]
        field = _correct_field(spec, target, taken)
        if field is None:
            left_out[column] = f"{spec.object_name} has no field {target} that can be written"
        else:
            mapping[column] = field
    return mapping, left_out


def _correct_field(spec: MappingSpec, name: str, taken: set[str]) -> str | None:
    """Take the field if it can be written; for an unknown name, the nearest free field."""
    unknown = spec.is_unknown_field(name)
    names = [each for each in spec.suggest(name) if each not in taken] if unknown else [name]
    found = next(filter(spec.is_writable, names), None)
    taken.update({found} if found else ())
    return found


def _needs_keys(spec: MappingSpec) -> bool:
    has_own = spec.object_name.lower() in {PERSON, ACTIVITY}
    return not spec.settings.lookup_keys and spec.settings.sync_mode != "insert" and not has_own


def _propose_keys(spec: MappingSpec, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configured keys corrected, or the fields that identify a record best."""
    if spec.settings.lookup_keys:
        keys: list[str] = []
        for key in spec.keys:
            keys += spec.suggest(key)[:1] if spec.is_unknown_field(key) else (key,)
        known = {key: spec.field(key) for key in keys}
        return tuple(key for key, field in known.items() if field and field.data_type in KEY_TYPES)
    if not _needs_keys(spec):
        return ()
    filled = {**spec.column_to_field, **mapping}
    fields = {column: spec.field(name) for column, name in filled.items() if name != GSID_FIELD}
    usable = {
        column: field for column, field in fields.items() if field and field.data_type in KEY_TYPES
    }
    named = tuple(usable[name].name for name in spec.key_properties if name in usable)
    if 0 < len(named) == len(spec.key_properties) <= MAX_KEYS:
        return named
    for field in usable.values():
        if field.data_type == "SFDCID" or bare_name(field.name).startswith("externalid"):
            return (field.name,)
    has_name = any(field.name == NAME for field in usable.values())
    return (NAME,) if has_name and spec.object_name != CTA else ()
