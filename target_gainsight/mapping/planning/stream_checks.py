"""Checks of a stream's mapping against its object."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.errors import ValueRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import FieldProblem, SettingName
from target_gainsight.mapping.planning.row_checks import (
    check_fallback_keys,
    check_lookup_keys,
    check_rules,
    find_idle_rules,
)
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.types.converters import converter_for, may_convert, plain_value


def find_problems(spec: MappingSpec) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong, columns first."""
    return (
        *_check_columns(spec),
        *_check_mapping(spec),
        *_check_constants(spec),
        *_check_lookups(spec),
        *check_lookup_keys(spec),
        *check_fallback_keys(spec),
        *check_rules(spec),
        *_check_duplicates(spec),
        *(_unfilled_fields(spec) if spec.schema and spec.schema.documented else ()),
    )


def find_warnings(spec: MappingSpec) -> tuple[str, ...]:
    """Name required fields that nothing fills, and write rules without effect.

    They need not stop the stream: existing records are still updated.
    """
    unfilled = () if spec.schema is None or spec.schema.documented else _unfilled_fields(spec)
    required = (f"{each.message} Records that do not exist yet are rejected." for each in unfilled)
    return (*required, *find_idle_rules(spec))


def is_required_to_create(field: Field) -> bool:
    """Return whether a record cannot be created without a value for the field."""
    return field.required and field.insertable and not field.nillable


def _check_columns(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name in () if spec.drops_unmapped else spec.unmapped_columns:
        if name not in spec.undeclared:
            yield from _check_field(spec, "column", name)
    for column in spec.columns:
        field = spec.field(spec.column_to_field.get(column.name, ""))
        if field and not may_convert(column.json_types, field.data_type):
            found = " or ".join(sorted(column.json_types))
            message = f"Column {column.name} ({found}) cannot fit {field.name} ({field.data_type})."
            yield FieldProblem("column", column.name, f"{message} Convert it in a stream map.")


def _check_mapping(spec: MappingSpec) -> Iterator[FieldProblem]:
    for source, target in spec.field_mapping.items():
        if spec.columns and source not in spec.column_names:
            yield _missing_column(spec, "field_mapping", source)
        yield from _check_field(spec, "field_mapping", target)


def _check_constants(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name, value in spec.constants.items():
        yield from _check_field(spec, "constants", name)
        field = spec.field(name)
        try:
            written = converter_for(field).write(value) if field else plain_value(value)
        except ValueRejectedError as error:
            yield FieldProblem("constants", name, str(error))
            continue
        if field and written is None and not field.nillable:
            yield FieldProblem("constants", name, f"{name} must not be empty.")


def _check_lookups(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name in sorted(spec.lookup_columns.difference(spec.column_names)) if spec.columns else ():
        yield _missing_column(spec, "lookups", name)
    for name in sorted(spec.lookup_targets):
        yield from _check_field(spec, "lookups", name)


def _check_duplicates(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name in dict.fromkeys([*spec.column_to_field.values(), *spec.constants]):
        sources = spec.sources_of(name)
        if len(sources) > 1:
            message = f"{name} is filled by {' and '.join(sources)}. Keep only one."
            yield FieldProblem("field_mapping", name, message)


def _unfilled_fields(spec: MappingSpec) -> Iterator[FieldProblem]:
    if spec.sync_mode == "update" or spec.schema is None:
        return
    for field in spec.schema.fields:
        if is_required_to_create(field) and not spec.sources_of(field.name):
            message = (
                f"{spec.object_name} needs {field.name} to create a record, and no column, "
                "constant or lookup fills it."
            )
            near = suggest_names(field.name, spec.unmapped_columns)
            if near:
                message += f" Perhaps column {' or '.join(near)} is meant for it."
            yield FieldProblem("required", field.name, message, needs_column=not near)


def _check_field(spec: MappingSpec, setting: SettingName, name: str) -> Iterator[FieldProblem]:
    """Check that the object has the field and that the sync mode can write it."""
    if spec.is_unknown_field(name):
        message = f"{spec.object_name} has no field {name}."
        yield FieldProblem(setting, name, message, spec.suggest(name))
    field = spec.field(name)
    reason = spec.not_writable_reason(field) if field else ""
    if reason:
        message = f"{name} cannot be written in sync mode {spec.sync_mode}: {reason}."
        yield FieldProblem(setting, name, message)


def _missing_column(spec: MappingSpec, setting: SettingName, column: str) -> FieldProblem:
    near = suggest_names(column, spec.column_names)
    needs_column = set(near).isdisjoint(spec.unmapped_columns)
    message = f"The stream has no column {column}."
    return FieldProblem(
        setting, column, message, near, needs_column=needs_column, is_missing_column=True
    )
