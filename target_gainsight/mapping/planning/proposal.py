"""Propose the settings of a stream: the same for a run, `gainsight plan` and `describe`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import ObjectSchema
from target_gainsight.api.resources.records import MAX_KEYS
from target_gainsight.mapping.escaping import one_line, yaml_lines, yaml_scalar
from target_gainsight.mapping.planning.proposed_lookups import (
    lookup_columns,
    propose_company_links,
    propose_lookups,
)
from target_gainsight.mapping.planning.proposed_mapping import (
    correct_field,
    correct_mapping,
    propose_mapping,
)
from target_gainsight.mapping.planning.row_checks import may_be_key
from target_gainsight.mapping.planning.spec import GSID_FIELD, MappingSpec
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.mapping.planning.stream_checks import is_required_to_create
from target_gainsight.settings.stream_settings import OBJECT_NAMES

PERSON = "person"
NAME = "Name"

_NO_KEY = "no column fills a field that could identify a record; name 1 to 3 fields"


@dataclass(frozen=True)
class Proposal:
    """Settings of one stream, to be reviewed and pasted under the loader's `config`.

    Attributes:
        stream: The stream's name.
        settings: Setting to value: the object, and all settings that should change.
        left_out: Column that is not loaded to the reason, as a clause.
        notes: Setting that a person must decide on to the reason, as a clause.
    """

    stream: str
    settings: Mapping[str, Any]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as the loader's `config` holds them."""
        return {"streams": {self.stream: dict(self.settings)}}

    def to_yaml(self) -> str:
        """Return the settings as YAML, with a comment for each column that is left out."""
        entry = [f"  {line}" for line in self._entry_lines()]
        return "\n".join(["streams:", f"  {yaml_scalar(self.stream)}:", *entry])

    def _entry_lines(self) -> Iterator[str]:
        for setting, value in self.settings.items():
            yield from (f"  {line}" for line in yaml_lines({setting: value}))
            if setting == "field_mapping":
                for column, reason in self.left_out.items():
                    yield f"    # {yaml_scalar(column)}: {one_line(reason)}"
        yield from (f"  # {setting}: {one_line(reason)}" for setting, reason in self.notes.items())


def propose_settings(
    spec: MappingSpec, stream: str, references: Mapping[str, ObjectSchema]
) -> Proposal | None:
    """Propose the settings of a stream; configured names are corrected, not replaced.

    Args:
        spec: The stream's settings and columns, and its object.
        stream: The stream's name.
        references: The objects that `referenced_objects` lists, by their names in lower case.

    Returns:
        None if the object's fields are not known, or nothing would change.
    """
    if spec.schema is None:
        return None
    lookups, links = _propose_references(spec, references)
    if spec.field_mapping:
        mapping, left_out = correct_mapping(spec)
    else:
        taken = {*spec.constants, *spec.lookup_targets, *lookups}
        used = spec.lookup_columns | lookup_columns(lookups, links)
        mapping, left_out = propose_mapping(spec, used, taken)
    constants, keys = _correct_constants(spec), _propose_keys(spec, mapping)
    drops = bool(left_out) and not mapping and spec.unknown_fields != "drop"
    proposed = {
        "lookup_keys": (list(keys), bool(keys) and (keys != spec.keys or spec.default_keys)),
        "field_mapping": (mapping, _changes_mapping(spec, mapping)),
        "constants": (constants, constants != spec.constants),
        "lookups": (lookups, bool(lookups)),
        "company_links": (links, bool(links)),
        "unknown_fields": ("drop", drops),
    }
    changes = {setting: value for setting, (value, changed) in proposed.items() if changed}
    if not changes:
        return None
    notes = _notes(spec, keys, {*mapping.values(), *constants, *lookups})
    return Proposal(stream, {**_object_settings(spec.schema), **changes}, left_out, notes)


def _notes(spec: MappingSpec, keys: tuple[str, ...], filled: Collection[str]) -> dict[str, str]:
    """Return what a person must add, by the setting."""
    notes = {} if keys or not _needs_keys(spec) else {"lookup_keys": _NO_KEY}
    unfilled = _unfilled_fields(spec, filled)
    if unfilled:
        notes["constants"] = f"nothing fills {', '.join(unfilled)}, which a new record needs"
    return notes


def _changes_mapping(spec: MappingSpec, mapping: Mapping[str, str]) -> bool:
    """Return whether the mapping is worth showing; columns that go by their names need none."""
    if spec.field_mapping:
        return mapping != spec.field_mapping
    return spec.default_keys or bool(spec.unmapped_columns)


def _object_settings(schema: ObjectSchema) -> dict[str, str]:
    types = {name.lower(): object_type for object_type, name in OBJECT_NAMES.items()}
    object_type = types.get(schema.name.lower())
    if object_type is not None:
        return {"object_type": object_type}
    return {"object_type": "custom_object", "custom_object_name": schema.name}


def _propose_references(
    spec: MappingSpec, references: Mapping[str, ObjectSchema]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return proposed lookups and company links; none where some are configured."""
    if spec.schema is None or spec.lookup_columns or spec.lookup_targets:
        return {}, {}
    mapped = {*spec.field_mapping}
    own_names = {each.name.lower() for each in spec.schema.fields}
    free = [
        each
        for each in spec.columns
        if each.name not in mapped and each.name.lower() not in own_names
    ]
    filled = {*spec.field_mapping.values(), *spec.constants}
    found = propose_lookups(free, spec.schema, references)
    lookups = {name: lookup for name, lookup in found.items() if name not in filled}
    is_person = spec.schema.name.lower() == PERSON
    return lookups, propose_company_links(free, references) if is_person else {}


def _unfilled_fields(spec: MappingSpec, filled: Collection[str]) -> tuple[str, ...]:
    """List the fields that a new record needs and that nothing fills."""
    if spec.schema is None or spec.sync_mode == "update":
        return ()
    named = {*filled, *spec.column_to_field.values(), *spec.lookup_targets}
    required = (each.name for each in spec.schema.fields if is_required_to_create(each))
    return tuple(name for name in required if name not in named)


def _correct_constants(spec: MappingSpec) -> dict[str, Json]:
    constants: dict[str, Json] = {}
    for name, value in spec.constants.items():
        found = correct_field(spec, name, {*spec.constants, *constants})
        if found is not None:
            constants[found] = value
    return constants


def _needs_keys(spec: MappingSpec) -> bool:
    has_own = spec.object_name.lower() in {PERSON, ACTIVITY}
    return spec.default_keys and spec.sync_mode != "insert" and not has_own


def _propose_keys(spec: MappingSpec, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configured keys corrected, or the fields that identify a record best."""
    if not spec.default_keys:
        return _correct_keys(spec)
    if not _needs_keys(spec):
        return ()
    filled = {**spec.column_to_field, **mapping} if spec.field_mapping else mapping
    fields = {column: name for column, name in filled.items() if _is_key(spec, name)}
    keys = tuple(fields[name] for name in spec.key_properties if name in fields)
    if 0 < len(keys) == len(spec.key_properties) <= MAX_KEYS:
        return keys
    ids = [name for name in fields.values() if _is_external_id(spec, name)]
    if ids:
        return (ids[0],)
    return (NAME,) if NAME in fields.values() and spec.object_name != CTA else ()


def _is_key(spec: MappingSpec, name: str) -> bool:
    found = spec.field(name)
    return found is not None and may_be_key(found) and name != GSID_FIELD


def _is_external_id(spec: MappingSpec, name: str) -> bool:
    found = spec.field(name)
    is_sfdc = found is not None and found.data_type == "SFDCID"
    return is_sfdc or name.lower().replace("_", "").startswith("externalid")


def _correct_keys(spec: MappingSpec) -> tuple[str, ...]:
    """Return the keys with corrected names, without fields that cannot be lookup keys."""
    keys: list[str] = []
    for key in spec.keys:
        names = spec.suggest(key)[:1] if spec.is_unknown_field(key) else (key,)
        for name in names:
            found = spec.field(name)
            if found is None or may_be_key(found):
                keys.append(name)
    return tuple(dict.fromkeys(keys))
