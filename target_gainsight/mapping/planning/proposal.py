"""Propose the settings of a stream: the same for a run, `gainsight plan` and `describe`."""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from target_gainsight.api import MAX_KEYS, Field, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX
from target_gainsight.mapping.escaping import one_line, yaml_lines, yaml_scalar
from target_gainsight.mapping.near_names import bare_name, suggest_names
from target_gainsight.mapping.planning.checks import KEY_TYPES
from target_gainsight.mapping.planning.proposed_lookups import PERSON, propose_references
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.mapping.types.converters import may_convert
from target_gainsight.settings.stream_settings import OBJECT_NAMES

NAME = "Name"
_LEAST_SIMILARITY = 0.9
_DIGITS = re.compile(r"\d+")
_OWN_KEYS = (PERSON, ACTIVITY)
"""Objects that are always identified by the same field."""


@dataclass(frozen=True)
class Proposal:
    """The settings of a stream that should change, and why columns are not loaded."""

    stream: str
    settings: Mapping[str, Any]
    left_out: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the settings as the loader's `config` holds them."""
        return {"streams": {self.stream: dict(self.settings)}}

    def to_yaml(self) -> str:
        """Return the settings as YAML, with a comment for each column that is left out."""
        lines = ["streams:", f"  {yaml_scalar(self.stream)}:"]
        for setting, value in self.settings.items():
            lines += (f"    {line}" for line in yaml_lines({setting: value}))
            for column, reason in self.left_out.items() if setting == "field_mapping" else ():
                lines.append(f"      # {yaml_scalar(column)}: {one_line(reason)}")
        return "\n".join(lines)


def propose_settings(
    spec: MappingSpec, stream: str, references: Mapping[str, ObjectSchema]
) -> Proposal | None:
    """Propose the settings of a stream; None if nothing changes or no field is known."""
    if spec.schema is None:
        return None
    configured = spec.settings
    lookups, links = propose_references(spec, references)
    fields = {name: _match(spec, name)[1] for name in spec.constants}
    constants = {
        found[0].name: spec.constants[name]
        for name, found in fields.items()
        if len(found) == 1 and spec.is_writable(found[0].name)
    }
    used = {column for lookup in lookups.values() for column in lookup["fields"]}
    used.update(links.get("lookup", ()), links.get("fields", {}).values())
    mapping, left_out = _propose_mapping(spec, {*constants, *lookups}, used)
    keys = _propose_keys(spec, mapping)
    # Columns that go by their names need no mapping.
    maps = mapping != spec.column_to_field or (spec.unmapped and not configured.field_mapping)
    drops = left_out and not mapping and configured.unknown_fields != "drop"
    proposed = {
        "lookup_keys": (list(keys), keys and keys != (configured.lookup_keys and spec.keys)),
        "field_mapping": (mapping, maps),
        "constants": (constants, constants != spec.constants),
        "lookups": (lookups, lookups),
        "company_links": (links, links),
        "unknown_fields": ("drop", drops),
    }
    changes = {setting: value for setting, (value, changed) in proposed.items() if changed}
    kinds = {name.lower(): {"object_type": kind} for kind, name in OBJECT_NAMES.items()}
    custom = {"object_type": "custom_object", "custom_object_name": spec.object_name}
    route = kinds.get(spec.object_name.lower(), custom)
    return Proposal(stream, {**route, **changes}, left_out) if changes else None


def _propose_mapping(
    spec: MappingSpec, taken: Collection[str], looked_up: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Match columns to fields, the most similar first; those left out get a reason."""
    wanted = _wanted_fields(spec, looked_up)
    matches = {name: _match(spec, field) for name, field in wanted.items()}
    filled = dict.fromkeys((*taken, *spec.settings.lookups), "a constant or lookup")
    reasons: dict[str, str] = {}
    for name, (_, fields) in sorted(matches.items(), key=lambda match: -match[1][0]):
        if len(fields) == 1:
            reasons[name] = _reason_to_leave_out(spec, name, fields[0], filled)
        else:
            near = [each.name for each in fields] or spec.suggest(wanted[name])
            reasons[name] = f"no such field{', perhaps ' if near else ''}{' or '.join(near)}"
        if not reasons[name]:
            filled[fields[0].name] = name
    mapping = {name: matches[name][1][0].name for name in wanted if not reasons[name]}
    return mapping, {name: reasons[name] for name in wanted if reasons[name]}


def _wanted_fields(spec: MappingSpec, looked_up: Collection[str]) -> dict[str, str]:
    names = spec.column_names
    wanted = {
        name: name
        for name in names
        if not name.startswith(METADATA_PREFIX) and name not in {*spec.lookup_columns, *looked_up}
    }
    for source, target in spec.settings.field_mapping.items():
        columns = [name for name in suggest_names(source, names) if wanted.get(name) == name]
        fields = [each for each in spec.suggest(target) if each == source or each not in names]
        column = source if source in names else (*columns, source)[0]
        wanted[column] = target if spec.field(target) else (*fields, target)[0]
    return wanted


def _match(spec: MappingSpec, name: str) -> tuple[int, list[Field]]:
    """Return the fields that a name means, and how similar they are.

    `renewal_date` means `RenewalDate` or `RenewalDate__gc`, or else a label or a misspelling.
    """
    matches: dict[int, list[Field]] = {}
    for field in spec.schema.fields if spec.schema else ():
        bare, own = bare_name(name), bare_name(field.name)
        similarity = 0
        if field.name == name:
            similarity = 4
        elif bare in {own, bare_name(field.label)}:
            similarity = 3 if bare == own else 2
        elif _DIGITS.findall(bare) == _DIGITS.findall(own):
            similarity = len(difflib.get_close_matches(bare, [own], cutoff=_LEAST_SIMILARITY))
        matches.setdefault(similarity, []).append(field)
    best = max(matches, default=0)
    return best, matches[best] if best else []


def _reason_to_leave_out(
    spec: MappingSpec, name: str, field: Field, filled: Mapping[str, str]
) -> str:
    if field.name in filled:
        return f"{field.name} is already filled by {filled[field.name]}"
    if not spec.is_writable(field.name):
        return f"{field.name} cannot be written"
    wanted = spec.settings.field_mapping.get(name, name)
    if field.data_type in {"LOOKUP", "GSID"} and field.name != wanted:
        return f"{field.name} holds a GSID; set a lookup for it"
    json_types = next((each.json_types for each in spec.columns if each.name == name), frozenset())
    if not may_convert(json_types, field.data_type):
        return f"{' or '.join(sorted(json_types))} cannot fit {field.name} ({field.data_type})"
    return ""


def _propose_keys(spec: MappingSpec, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configured keys that can be keys, or the fields that identify a record best."""

    def usable(names: Collection[str]) -> list[Field]:
        fields = filter(None, map(spec.field, names))
        return [field for field in fields if field.data_type in KEY_TYPES]

    configured = usable(spec.keys if spec.settings.lookup_keys else ())
    needs_none = spec.settings.sync_mode == "insert" or spec.object_name.lower() in _OWN_KEYS
    named = usable([mapping[name] for name in spec.key_properties if name in mapping])
    others = usable(mapping.values())
    ids = [
        field
        for field in others
        if field.data_type == "SFDCID" or bare_name(field.name).startswith("externalid")
    ]
    names = [field for field in others if field.name == NAME and spec.object_name != CTA]
    is_whole = 0 < len(named) == len(spec.key_properties) <= MAX_KEYS
    found = named if is_whole else (ids or names)[:1]
    return tuple(field.name for field in configured or ([] if needs_none else found))
