"""What is wrong with the spec for a stream: one function for each thing that can be."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from target_gainsight.mapping.errors import ValueRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.types.converters import converter_for, may_convert, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_gainsight.api.resources.metadata import Field
    from target_gainsight.mapping.planning.mismatch import SettingName
    from target_gainsight.mapping.planning.spec import MappingSpec

KEY_TYPES = frozenset({"STRING", "NUMBER", "EMAIL", "GSID", "LOOKUP", "SFDCID"})
"""String, Number, Email and GSID (Company API, Update); a lookup holds a GSID, and a Salesforce
id is a string."""


def find_problems(spec: MappingSpec) -> tuple[FieldProblem, ...]:
    """Everything that is wrong, columns first."""
    checks = (
        _unknown_columns,
        _mapped_columns,
        _column_types,
        _constants,
        _lookups,
        _keys,
        _filled_twice,
        _required,
    )
    return tuple(chain.from_iterable(check(spec) for check in checks))


def warnings_of(spec: MappingSpec) -> tuple[str, ...]:
    """Name the fields that metadata marks as required and nothing fills.

    That need not stop the stream: records that exist are updated all the same.
    """
    if spec.schema is None or spec.schema.documented:
        return ()
    return tuple(
        f"{problem.message} Records that do not exist yet are rejected."
        for problem in _unfilled(spec)
    )


def _unknown_columns(spec: MappingSpec) -> Iterator[FieldProblem]:
    if spec.drops_unmapped:
        return
    for name in spec.unmapped_columns:
        if name in spec.undeclared:
            continue
        field = spec.field(name)
        if field is None:
            message = f"{spec.object_name} has no field {name}."
            yield FieldProblem("column", name, message, spec.suggest(name))
        else:
            yield FieldProblem("column", name, _closed(spec, field))


def _mapped_columns(spec: MappingSpec) -> Iterator[FieldProblem]:
    for source, target in spec.field_mapping.items():
        if spec.columns and source not in spec.column_names:
            yield _not_carried(spec, "field_mapping", source)
        yield from _named_field(spec, "field_mapping", target)


def _column_types(spec: MappingSpec) -> Iterator[FieldProblem]:
    kinds = {column.name: column.json_types for column in spec.columns}
    for source, target in spec.column_to_field.items():
        field = spec.field(target)
        if field and not may_convert(kinds.get(source, frozenset()), field.data_type):
            found = " or ".join(sorted(kinds[source]))
            message = f"Column {source} ({found}) cannot fit {target} ({field.data_type})."
            yield FieldProblem("column", source, f"{message} Convert it in a stream map.")


def _constants(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name, value in spec.constants.items():
        yield from _named_field(spec, "constants", name)
        field = spec.field(name)
        try:
            written = converter_for(field).write(value) if field else plain_value(value)
        except ValueRejectedError as refusal:
            yield FieldProblem("constants", name, str(refusal))
            continue
        if field and written is None and not field.nillable:
            yield FieldProblem("constants", name, f"{name} must not be empty.")


def _lookups(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name in sorted(spec.lookup_columns.difference(spec.column_names)):
        if spec.columns:
            yield _not_carried(spec, "lookups", name)
    for name in sorted(spec.lookup_targets):
        yield from _named_field(spec, "lookups", name)


def _keys(spec: MappingSpec) -> Iterator[FieldProblem]:
    if spec.keys_required and not spec.keys and spec.sync_mode != "insert":
        message = "No field is named by which existing records are found."
        yield FieldProblem("lookup_keys", "", message)
    for key in spec.keys:
        field = spec.field(key)
        if spec.is_unknown_field(key):
            message = f"{spec.object_name} has no field {key}."
            yield FieldProblem("lookup_keys", key, message, spec.suggest(key))
        elif field and not may_be_key(field):
            message = f"{key} is a {field.data_type}; a key is a String, GSID, Number or Email."
            yield FieldProblem("lookup_keys", key, message)
        elif spec.keys_required and not spec.sources_of(key):
            message = f"No column, constant or lookup fills {key}."
            yield FieldProblem("lookup_keys", key, message, needs_column=True)


def _filled_twice(spec: MappingSpec) -> Iterator[FieldProblem]:
    for name in dict.fromkeys([*spec.column_to_field.values(), *spec.constants]):
        sources = spec.sources_of(name)
        if len(sources) > 1:
            message = f"{name} is filled by {' and '.join(sources)}. Leave one."
            yield FieldProblem("field_mapping", name, message)


def _required(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Fields that an API's documentation requires; metadata's flags only warn."""
    if spec.schema is not None and spec.schema.documented:
        yield from _unfilled(spec)


def _unfilled(spec: MappingSpec) -> Iterator[FieldProblem]:
    if not spec.creates or spec.schema is None:
        return
    for field in spec.schema.fields:
        if is_required_to_create(field) and not spec.sources_of(field.name):
            needs = f"{spec.object_name} needs {field.name} to create a record"
            message = f"{needs}, and no column, constant or lookup fills it."
            near = suggest_names(field.name, spec.unmapped_columns)
            message += _perhaps(near)
            yield FieldProblem("required", field.name, message, needs_column=not near)


def may_be_key(field: Field) -> bool:
    """Whether records can be found by the field; one whose type is not known is not ruled out."""
    return not field.data_type or field.data_type in KEY_TYPES


def is_required_to_create(field: Field) -> bool:
    """Whether no record can be created without a value for the field."""
    return field.required and field.insertable and not field.nillable


def _named_field(spec: MappingSpec, setting: SettingName, name: str) -> Iterator[FieldProblem]:
    """What is wrong with a field that a setting names."""
    if spec.is_unknown_field(name):
        message = f"{spec.object_name} has no field {name}."
        yield FieldProblem(setting, name, message, spec.suggest(name))
    field = spec.field(name)
    if field and spec.not_writable_reason(field):
        yield FieldProblem(setting, name, _closed(spec, field))


def _not_carried(spec: MappingSpec, setting: SettingName, column: str) -> FieldProblem:
    near = suggest_names(column, spec.column_names)
    message = f"The stream has no column {column}."
    meant = set(near).intersection(spec.unmapped_columns)
    return FieldProblem(setting, column, message, near, needs_column=not meant)


def _closed(spec: MappingSpec, field: Field) -> str:
    reason = spec.not_writable_reason(field)
    return f"{field.name} cannot be written in sync mode {spec.sync_mode}: {reason}."


def _perhaps(columns: tuple[str, ...]) -> str:
    return f" Perhaps column {' or '.join(columns)} is meant for it." if columns else ""
