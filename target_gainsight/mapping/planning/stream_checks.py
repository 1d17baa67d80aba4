"""What is wrong with the wishes for a stream: one function for each thing that can be."""

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
    from target_gainsight.mapping.planning.mismatch import Place
    from target_gainsight.mapping.planning.spec import Wishes

KEY_TYPES = frozenset({"STRING", "NUMBER", "EMAIL", "GSID", "LOOKUP", "SFDCID"})
"""String, Number, Email and GSID (Company API, Update); a lookup holds a GSID, and a Salesforce
id is a string."""


def problems_of(wishes: Wishes) -> tuple[FieldProblem, ...]:
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
    return tuple(chain.from_iterable(check(wishes) for check in checks))


def warnings_of(wishes: Wishes) -> tuple[str, ...]:
    """Name the fields that metadata marks as required and nothing fills.

    That need not stop the stream: records that exist are updated all the same.
    """
    if wishes.schema is None or wishes.schema.documented:
        return ()
    return tuple(
        f"{problem.message} Records that do not exist yet are rejected."
        for problem in _unfilled(wishes)
    )


def _unknown_columns(wishes: Wishes) -> Iterator[FieldProblem]:
    if wishes.tolerates_unknown:
        return
    for name in wishes.unknown:
        if name in wishes.undeclared:
            continue
        field = wishes.field(name)
        if field is None:
            message = f"{wishes.object_name} has no field {name}."
            yield FieldProblem("column", name, message, wishes.suggest(name))
        else:
            yield FieldProblem("column", name, _closed(wishes, field))


def _mapped_columns(wishes: Wishes) -> Iterator[FieldProblem]:
    for source, target in wishes.field_mapping.items():
        if wishes.columns and source not in wishes.column_names:
            yield _not_carried(wishes, "field_mapping", source)
        yield from _named_field(wishes, "field_mapping", target)


def _column_types(wishes: Wishes) -> Iterator[FieldProblem]:
    kinds = {column.name: column.kinds for column in wishes.columns}
    for source, target in wishes.sent.items():
        field = wishes.field(target)
        if field and not may_convert(kinds.get(source, frozenset()), field.data_type):
            found = " or ".join(sorted(kinds[source]))
            message = f"Column {source} ({found}) cannot fit {target} ({field.data_type})."
            yield FieldProblem("column", source, f"{message} Convert it in a stream map.")


def _constants(wishes: Wishes) -> Iterator[FieldProblem]:
    for name, value in wishes.constants.items():
        yield from _named_field(wishes, "constants", name)
        field = wishes.field(name)
        try:
            written = converter_for(field).write(value) if field else plain_value(value)
        except ValueRejectedError as refusal:
            yield FieldProblem("constants", name, str(refusal))
            continue
        if field and written is None and not field.nillable:
            yield FieldProblem("constants", name, f"{name} must not be empty.")


def _lookups(wishes: Wishes) -> Iterator[FieldProblem]:
    for name in sorted(wishes.held_columns.difference(wishes.column_names)):
        if wishes.columns:
            yield _not_carried(wishes, "lookups", name)
    for name in sorted(wishes.lookup_targets):
        yield from _named_field(wishes, "lookups", name)


def _keys(wishes: Wishes) -> Iterator[FieldProblem]:
    if wishes.keys_required and not wishes.keys and wishes.sync_mode != "insert":
        message = "No field is named by which existing records are found."
        yield FieldProblem("lookup_keys", "", message)
    for key in wishes.keys:
        field = wishes.field(key)
        if wishes.lacks(key):
            message = f"{wishes.object_name} has no field {key}."
            yield FieldProblem("lookup_keys", key, message, wishes.suggest(key))
        elif field and not may_be_key(field):
            message = f"{key} is a {field.data_type}; a key is a String, GSID, Number or Email."
            yield FieldProblem("lookup_keys", key, message)
        elif wishes.keys_required and not wishes.carried_by(key):
            message = f"No column, constant or lookup fills {key}."
            yield FieldProblem("lookup_keys", key, message, lacks_column=True)


def _filled_twice(wishes: Wishes) -> Iterator[FieldProblem]:
    for name in dict.fromkeys([*wishes.sent.values(), *wishes.constants]):
        sources = wishes.carried_by(name)
        if len(sources) > 1:
            message = f"{name} is filled by {' and '.join(sources)}. Leave one."
            yield FieldProblem("field_mapping", name, message)


def _required(wishes: Wishes) -> Iterator[FieldProblem]:
    """Fields that an API's documentation requires; metadata's flags only warn."""
    if wishes.schema is not None and wishes.schema.documented:
        yield from _unfilled(wishes)


def _unfilled(wishes: Wishes) -> Iterator[FieldProblem]:
    if not wishes.creates or wishes.schema is None:
        return
    for field in wishes.schema.fields:
        if is_required_to_create(field) and not wishes.carried_by(field.name):
            needs = f"{wishes.object_name} needs {field.name} to create a record"
            message = f"{needs}, and no column, constant or lookup fills it."
            near = suggest_names(field.name, wishes.unknown)
            message += _perhaps(near)
            yield FieldProblem("required", field.name, message, lacks_column=not near)


def may_be_key(field: Field) -> bool:
    """Whether records can be found by the field; one whose type is not known is not ruled out."""
    return not field.data_type or field.data_type in KEY_TYPES


def is_required_to_create(field: Field) -> bool:
    """Whether no record can be created without a value for the field."""
    return field.required and field.insertable and not field.nillable


def _named_field(wishes: Wishes, place: Place, name: str) -> Iterator[FieldProblem]:
    """What is wrong with a field that a setting names."""
    if wishes.lacks(name):
        message = f"{wishes.object_name} has no field {name}."
        yield FieldProblem(place, name, message, wishes.suggest(name))
    field = wishes.field(name)
    if field and wishes.why_closed(field):
        yield FieldProblem(place, name, _closed(wishes, field))


def _not_carried(wishes: Wishes, place: Place, column: str) -> FieldProblem:
    near = suggest_names(column, wishes.column_names)
    message = f"The stream has no column {column}."
    meant = set(near).intersection(wishes.unknown)
    return FieldProblem(place, column, message, near, lacks_column=not meant)


def _closed(wishes: Wishes, field: Field) -> str:
    reason = wishes.why_closed(field)
    return f"{field.name} cannot be written in sync mode {wishes.sync_mode}: {reason}."


def _perhaps(columns: tuple[str, ...]) -> str:
    return f" Perhaps column {' or '.join(columns)} is meant for it." if columns else ""
