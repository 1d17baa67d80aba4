"""Checks of a stream's mapping against its object."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import (
    FieldProblem,
    StreamMismatchError,
    missing_columns,
)
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import UNCOMPARED
from target_gainsight.mapping.types.converters import Converter, may_convert

KEY_TYPES = frozenset({"", "STRING", "NUMBER", "EMAIL", "GSID", "LOOKUP", "SFDCID"})
"""String, Number, Email and GSID (Company API, Update); a lookup holds a GSID, a Salesforce id is
a string, and a field of an unknown type may be any of them."""


def check_fit(
    spec: MappingSpec, *, stream: str, further_problems: tuple[FieldProblem, ...] = ()
) -> None:
    """Check that a stream can be loaded as specified, and report further problems along.

    Raises:
        StreamMismatchError: The stream does not fit; carries all problems.
    """
    problems = [*find_problems(spec), *further_problems]
    if problems:
        raise StreamMismatchError(problems, stream=stream, object_name=spec.object_name, spec=spec)


def find_problems(spec: MappingSpec) -> list[FieldProblem]:
    """Return everything that is wrong, columns first."""
    settings, mapping = spec.settings, spec.settings.field_mapping
    columns = {"field_mapping": mapping, "lookups": sorted(spec.lookup_columns)}
    fields = {
        "field_mapping": mapping.values(),
        "constants": spec.constants,
        "lookups": settings.lookups,
    }
    problems = [*_check_columns(spec)]
    for setting, names in columns.items():
        problems += missing_columns(setting, names, spec.column_names, spec.unmapped)
    for setting, targets in fields.items():
        for name in targets:
            problems += _check_field(spec, setting, name)
    problems += [*_check_constants(spec), *_check_keys(spec), *_check_rules(spec)]
    for name in dict.fromkeys([*spec.column_to_field.values(), *spec.constants]):
        sources = spec.sources_of(name)
        if len(sources) > 1:
            message = f"{name} is filled by {' and '.join(sources)}. Keep only one."
            problems.append(FieldProblem("field_mapping", name, message))
    if spec.schema and spec.schema.documented:
        problems += _unfilled_fields(spec)
    return problems


def find_warnings(spec: MappingSpec) -> Iterator[str]:
    """Name required fields that nothing fills, and write rules without effect.

    They need not stop the stream: existing records are still updated.
    """
    for each in () if spec.schema and spec.schema.documented else _unfilled_fields(spec):
        yield f"{each.message} Records that do not exist yet are rejected."
    for name, rule in spec.settings.field_rules.items():
        if not spec.sources_of(name):
            yield f"field_rules: nothing fills {name}, so that its rule has no effect."
        elif rule.write == "create" and spec.settings.sync_mode == "update":
            yield f"field_rules: {name} is never written, because update creates no rows."


def check_column_type(column: Column, field: Field | None) -> Iterator[FieldProblem]:
    """Check that a column's values may convert to those of the field it goes to."""
    if field and not may_convert(column.json_types, field.data_type):
        found = " or ".join(sorted(column.json_types))
        message = f"Column {column.name} ({found}) cannot fit {field.name} ({field.data_type})."
        yield FieldProblem("column", column.name, f"{message} Convert it in a stream map.")


def _check_columns(spec: MappingSpec) -> Iterator[FieldProblem]:
    if spec.settings.unknown_fields != "drop" and not spec.settings.field_mapping:
        for name, column in spec.unmapped.items():
            if column.declared:
                yield from _check_field(spec, "column", name)
    for column in spec.columns:
        field = spec.field(spec.column_to_field.get(column.name, ""))
        yield from check_column_type(column, field)


def _check_field(spec: MappingSpec, setting: str, name: str) -> Iterator[FieldProblem]:
    """Check that the object has the field and that the sync mode can write it."""
    field = spec.field(name)
    if field is None:
        yield from _check_name(spec, setting, name)
    elif reason := spec.not_writable_reason(field):
        message = f"{name} cannot be written in sync mode {spec.settings.sync_mode}: {reason}."
        yield FieldProblem(setting, name, message)


def _check_name(spec: MappingSpec, setting: str, name: str) -> Iterator[FieldProblem]:
    if spec.is_unknown_field(name):
        message = f"{spec.object_name} has no field {name}."
        yield FieldProblem(setting, name, message, spec.suggest(name))


def _check_constants(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name, value in spec.constants.items():
        field = spec.field(name)
        try:
            written = Converter(name, field).write(value)
        except RecordRejectedError as error:
            yield FieldProblem("constants", name, str(error))
            continue
        if field and written is None and not field.nillable:
            yield FieldProblem("constants", name, f"{name} must not be empty.")


def _check_keys(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Check that the keys can find a row, and that a row can be given its lookup keys."""
    if spec.keys_required and not spec.keys and spec.settings.sync_mode != "insert":
        message = (
            "No lookup key is set, so that existing records cannot be found: set lookup_keys to "
            f"the 1 to 3 fields that identify a record of {spec.object_name}."
        )
        yield FieldProblem("lookup_keys", "", message)
    named = [("lookup_keys", key) for key in spec.keys]
    for setting, key in (*named, *(("fallback_keys", key) for key in spec.fallback_keys)):
        if reason := _unfit_key(spec, setting, key):
            yield FieldProblem(setting, key, reason)
        elif spec.is_unknown_field(key):
            yield from _check_name(spec, setting, key)
        elif spec.keys_required and not spec.sources_of(key):
            message = f"No column, constant or lookup fills {key}."
            yield FieldProblem(setting, key, message, needs_column=True)


def _unfit_key(spec: MappingSpec, setting: str, key: str) -> str:
    """Explain why a field cannot be such a key; empty if it can, or is not known."""
    field = spec.field(key)
    if setting == "fallback_keys" and key in spec.keys:
        return f"{key} is a lookup key already. Remove it."
    if field and field.data_type not in KEY_TYPES:
        return f"{key} is a {field.data_type}; a key is a String, GSID, Number or Email."
    if field and setting == "lookup_keys" and spec.fallback_keys and not field.updatable:
        reason = f"No row can be given its lookup key, because {key} cannot be changed once a"
        return f"{reason} record exists. Remove fallback_keys."
    return ""


def _check_rules(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Check that each rule is for a field that can be compared with the current row."""
    for name in spec.settings.field_rules:
        yield from _check_name(spec, "field_rules", name)
        reason = ""
        if name in spec.keys:
            reason = "is a lookup key, which is never changed"
        elif name in UNCOMPARED.get(spec.object_name, ()):
            reason = "cannot be read, so no rule can be applied to it"
        if reason:
            yield FieldProblem("field_rules", name, f"{name} {reason}. Remove its rule.")


def _unfilled_fields(spec: MappingSpec) -> Iterator[FieldProblem]:
    for field in spec.required_fields:
        if not spec.sources_of(field.name):
            message = (
                f"{spec.object_name} needs {field.name} to create a record, and no column, "
                "constant or lookup fills it."
            )
            near = suggest_names(field.name, spec.unmapped)
            if near:
                message += f" Perhaps column {' or '.join(near)} is meant for it."
            yield FieldProblem("required", field.name, message, needs_column=not near)
