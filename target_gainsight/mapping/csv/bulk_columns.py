"""Assigns the columns of a stream to the columns of a bulk job's CSV.

Only the administrator who made the job knows its columns. A column that has the name of a field
of the object gets that field's checks and format; any other is plain text. References are not
checked: the job may look them up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import Field, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.csv.cells import (
    CsvColumn,
    CsvPlan,
    cell,
    missing_sources,
    unmapped,
    unwritable_names,
)
from target_gainsight.mapping.errors import ConversionError, ValueRejectedError
from target_gainsight.mapping.planning.mismatch import FieldProblem, StreamMismatchError
from target_gainsight.mapping.types.converters import Converter, may_convert, plain_converter
from target_gainsight.mapping.types.spellings import is_blank

REFERENCES = frozenset({"GSID", "LOOKUP", "WHOID", "WHATID"})

_KEY_MISSING = ConversionError(
    "key_missing", "a key property needs a value", "Let the tap or a stream map supply it."
)
_BLANK = ConversionError("null_not_allowed", "the field must not be empty", "Send a value.")


def plan_job_columns(
    columns: tuple[Column, ...],
    schema: ObjectSchema | None,
    *,
    stream: str,
    field_mapping: Mapping[str, str],
    constants: Mapping[str, Json],
    keys: Collection[str],
    compile_converter: Callable[[Field], Converter],
) -> CsvPlan:
    """Decide which columns the CSV has.

    With a mapping, the CSV has the columns it names and no others; without one, all of the
    stream's under their own names. Constants come after them.

    Args:
        columns: The stream's columns.
        schema: The object, or None when its metadata cannot be read.
        stream: The stream's name, for messages.
        field_mapping: The stream's column → the job's column.
        constants: The job's column → the value in every row.
        keys: The stream's key properties. A record without one of them is rejected: the job
            would take all such rows for one.
        compile_converter: Compiles the converter of a field.

    Raises:
        StreamMismatchError: The stream does not fit; has all problems.
    """
    names = tuple(column.name for column in columns)
    sent = _assign(columns, field_mapping, schema)
    problems = [*missing_sources(names, field_mapping, "field_mapping")]
    problems += _duplicates(sent, constants)
    problems += _column_types(columns, sent, schema)
    problems += unwritable_names(sent.values(), constants, "column")
    plan = []
    for source, name in sent.items():
        converter = _converter(name, schema, compile_converter)
        data_type = converter.field.data_type if converter.field else ""
        write = _checked(name, converter, is_key=source in keys)
        plan.append(CsvColumn(name, source, write, data_type=data_type))
    for name, value in constants.items():
        converter = _converter(name, schema, compile_converter)
        try:
            text = cell(converter.write(value))
        except (ConversionError, ValueRejectedError) as refusal:
            problems.append(FieldProblem("constants", name, str(refusal)))
            continue
        plan.append(CsvColumn(name, None, converter.write, constant=text))
    if not plan and not problems:
        problems.append(FieldProblem("column", "", "It has no columns.", needs_column=True))
    if problems:
        object_name = schema.name if schema else "its bulk job"
        raise StreamMismatchError(problems, stream=stream, object_name=object_name)
    own = (column for column in columns if not column.name.startswith(METADATA_PREFIX))
    return CsvPlan(tuple(plan), **unmapped(own, sent))


def _assign(
    columns: tuple[Column, ...], field_mapping: Mapping[str, str], schema: ObjectSchema | None
) -> dict[str, str]:
    """Map columns to the CSV's; an undeclared column is sent only if a field has its name."""
    if not field_mapping:
        return {
            column.name: column.name
            for column in columns
            if not column.name.startswith(METADATA_PREFIX)
            and (column.declared or schema is None or schema.field(column.name))
        }
    ordered = [column.name for column in columns if column.name in field_mapping]
    return {name: field_mapping[name] for name in ordered or field_mapping}


def _duplicates(sent: Mapping[str, str], constants: Mapping[str, Json]) -> Iterator[FieldProblem]:
    by_name: dict[str, list[str]] = {}
    for source, name in sent.items():
        by_name.setdefault(name.casefold(), []).append(f"column {source}")
    for name in constants:
        by_name.setdefault(name.casefold(), []).append(f"the constant {name}")
    for name, sources in by_name.items():
        if len(sources) > 1:
            message = f"A CSV has each column once, and {' and '.join(sources)} fill this one."
            yield FieldProblem("field_mapping", name, message)


def _column_types(
    columns: tuple[Column, ...], sent: Mapping[str, str], schema: ObjectSchema | None
) -> Iterator[FieldProblem]:
    for column in columns:
        field = _checked_field(sent.get(column.name, ""), schema)
        if field and not may_convert(column.json_types, field.data_type):
            found = " or ".join(sorted(column.json_types))
            message = f"Column {column.name} ({found}) cannot fit {field.name} ({field.data_type})."
            yield FieldProblem("column", column.name, f"{message} Convert it in a stream map.")


def _checked_field(name: str, schema: ObjectSchema | None) -> Field | None:
    field = schema.field(name) if schema else None
    return None if field is None or field.data_type in REFERENCES else field


def _converter(
    name: str, schema: ObjectSchema | None, compile_converter: Callable[[Field], Converter]
) -> Converter:
    field = _checked_field(name, schema)
    return plain_converter(name) if field is None else compile_converter(field)


def _checked(name: str, converter: Converter, *, is_key: bool) -> Callable[[object], Json]:
    """Return the conversion of a column that rejects blanks where a value is needed.

    Null in a field that must not be empty is left to the job, which may ignore empty cells.
    """
    field = converter.field
    data_type = field.data_type if field else ""
    is_needed = field is not None and not field.nillable

    def write(value: object) -> Json:
        written = converter.write(value)
        if is_blank(written):
            if is_key:
                raise ValueRejectedError(_KEY_MISSING.for_field(name, data_type, value))
            if is_needed and value is not None:
                raise ValueRejectedError(_BLANK.for_field(name, data_type, value))
        return written

    return write
