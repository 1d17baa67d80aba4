"""Checks of the settings by which existing rows are found and changed: keys and write rules."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.planning.mismatch import FieldProblem, SettingName
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import UNCOMPARED

KEY_TYPES = frozenset({"STRING", "NUMBER", "EMAIL", "GSID", "LOOKUP", "SFDCID"})
"""String, Number, Email and GSID (Company API, Update); a lookup holds a GSID, and a Salesforce
id is a string."""


def may_be_key(field: Field) -> bool:
    """Return whether records can be found by the field; any field of an unknown type may."""
    return not field.data_type or field.data_type in KEY_TYPES


def check_lookup_keys(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Check that the lookup keys are set and can find a row."""
    if spec.keys_required and not spec.keys and spec.sync_mode != "insert":
        message = (
            "No lookup key is set, so that existing records cannot be found: set lookup_keys to "
            f"the 1 to 3 fields that identify a record of {spec.object_name}."
        )
        yield FieldProblem("lookup_keys", "", message)
    for key in spec.keys:
        yield from _check_key(spec, "lookup_keys", key)


def check_fallback_keys(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Check that the fallback keys can find a row, and that it can be given its lookup keys."""
    if not spec.fallback_keys:
        return
    for key in spec.fallback_keys:
        yield from _check_key(spec, "fallback_keys", key)
        if key in spec.keys:
            message = f"{key} is a lookup key already. Remove it."
            yield FieldProblem("fallback_keys", key, message)
    for key in spec.keys:
        field = spec.field(key)
        if field and not field.updatable:
            message = (
                f"No row can be given its lookup key, because {key} cannot be changed once a "
                "record exists. Remove fallback_keys."
            )
            yield FieldProblem("fallback_keys", key, message)


def check_rules(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Check that each rule is for a field that can be compared with the current row."""
    for name in spec.field_rules:
        if spec.is_unknown_field(name):
            message = f"{spec.object_name} has no field {name}."
            yield FieldProblem("field_rules", name, message, spec.suggest(name))
        elif name in spec.keys:
            message = f"{name} is a lookup key, which is never changed. Remove its rule."
            yield FieldProblem("field_rules", name, message)
        elif name in UNCOMPARED.get(spec.object_name, ()):
            message = f"{name} cannot be read, so no rule can be applied to it. Remove its rule."
            yield FieldProblem("field_rules", name, message)


def find_idle_rules(spec: MappingSpec) -> Iterator[str]:
    """Name the rules that have no effect."""
    for name, rule in spec.field_rules.items():
        if not spec.sources_of(name):
            yield f"field_rules: nothing fills {name}, so that its rule has no effect."
        elif rule.write == "create" and spec.sync_mode == "update":
            yield f"field_rules: {name} is never written, because update creates no rows."


def _check_key(spec: MappingSpec, setting: SettingName, key: str) -> Iterator[FieldProblem]:
    field = spec.field(key)
    if spec.is_unknown_field(key):
        message = f"{spec.object_name} has no field {key}."
        yield FieldProblem(setting, key, message, spec.suggest(key))
    elif field and not may_be_key(field):
        message = f"{key} is a {field.data_type}; a key is a String, GSID, Number or Email."
        yield FieldProblem(setting, key, message)
    elif spec.keys_required and not spec.sources_of(key):
        message = f"No column, constant or lookup fills {key}."
        yield FieldProblem(setting, key, message, needs_column=True)
