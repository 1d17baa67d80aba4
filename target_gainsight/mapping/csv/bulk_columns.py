"""Which column of a stream goes to which column of a bulk job's CSV.

Only the administrator who made the job knows its columns. One that bears the name of a field of
the object is taken for that field's, and its values are checked and formatted as that field's;
any other is plain text. References are not checked: the job may look them up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.mapping.csv.cells import CsvColumn, CsvPlan, cell, unfit_names
from target_gainsight.mapping.errors import UnfitError, ValueRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import Cure, FieldProblem, StreamMismatchError
from target_gainsight.mapping.planning.spec import METADATA_PREFIX
from target_gainsight.mapping.types.converters import converter_for, may_convert, plain_converter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.api.resources.metadata import Field, ObjectSchema
    from target_gainsight.mapping.columns import Column
    from target_gainsight.mapping.types.converters import Converter
    from target_gainsight.mapping.types.datetimes import DateFormat

REFERENCES = frozenset({"GSID", "LOOKUP", "WHOID", "WHATID"})


def plan_job_columns(
    columns: tuple[Column, ...],
    schema: ObjectSchema | None,
    *,
    stream: str,
    field_mapping: Mapping[str, str],
    constants: Mapping[str, Json],
    date_format: DateFormat,
    html: bool = False,
) -> CsvPlan:
    """Decide which columns the CSV has, or say everything that is wrong.

    With a mapping, the CSV has the columns it names and no others; without one, all of the
    stream's under their own names. Constants come after them.

    Args:
        columns: What the stream carries.
        schema: What the object offers, or None when its metadata cannot be read.
        stream: The stream's name, for messages.
        field_mapping: The stream's column to the job's.
        constants: The job's column to the value in every row.
        date_format: How dates are written.
        html: Whether line breaks of rich text become `<br>`.

    Raises:
        StreamMismatchError: The stream does not fit; carries all problems.
    """
    names = tuple(column.name for column in columns)
    sent = _sent(columns, field_mapping, schema)
    problems = [*_not_carried(names, field_mapping), *_written_twice(sent, constants)]
    problems += _column_types(columns, sent, schema)
    problems += _unwritable(sent, constants)
    plan = []
    for source, name in sent.items():
        converter = _converter(name, schema, date_format, html=html)
        plan.append(CsvColumn(name, source, converter.write, data_type=_type(converter)))
    for name, value in constants.items():
        converter = _converter(name, schema, date_format, html=html)
        try:
            text = cell(converter.write(value))
        except (UnfitError, ValueRejectedError) as refusal:
            problems.append(FieldProblem("constants", name, str(refusal)))
            continue
        plan.append(CsvColumn(name, None, converter.write, constant=text))
    if not plan and not problems:
        problems.append(FieldProblem("column", "", "It has no columns.", lacks_column=True))
    if problems:
        object_name = schema.name if schema else "its bulk job"
        raise StreamMismatchError(problems, stream=stream, object_name=object_name, cure=Cure())
    return CsvPlan(
        tuple(plan),
        dropped=_dropped(columns, sent, declared=True),
        undeclared=_dropped(columns, sent, declared=False),
    )


def _sent(
    columns: tuple[Column, ...], field_mapping: Mapping[str, str], schema: ObjectSchema | None
) -> dict[str, str]:
    """Assign the columns; one that the SCHEMA does not declare goes only to a field of its name."""
    if not field_mapping:
        return {
            column.name: column.name
            for column in columns
            if not column.name.startswith(METADATA_PREFIX)
            and (column.declared or schema is None or schema.field(column.name))
        }
    ordered = [column.name for column in columns if column.name in field_mapping]
    return {name: field_mapping[name] for name in ordered or field_mapping}


def _dropped(
    columns: tuple[Column, ...], sent: Mapping[str, str], *, declared: bool
) -> tuple[str, ...]:
    return tuple(
        column.name
        for column in columns
        if column.declared is declared
        and column.name not in sent
        and not column.name.startswith(METADATA_PREFIX)
    )


def _not_carried(
    names: tuple[str, ...], field_mapping: Mapping[str, str]
) -> Iterator[FieldProblem]:
    for source in field_mapping:
        if names and source not in names:
            message = f"The stream has no column {source}."
            near = suggest_names(source, names)
            yield FieldProblem(
                "field_mapping",
                source,
                message,
                near,
                lacks_column=field_mapping.keys() >= set(near),
            )


def _written_twice(
    sent: Mapping[str, str], constants: Mapping[str, Json]
) -> Iterator[FieldProblem]:
    by_name: dict[str, list[str]] = {}
    for source, name in sent.items():
        by_name.setdefault(name.casefold(), []).append(f"column {source}")
    for name in constants:
        by_name.setdefault(name.casefold(), []).append(f"the constant {name}")
    for name, sources in by_name.items():
        if len(sources) > 1:
            message = f"A CSV has each column once, and {' and '.join(sources)} fill this one."
            yield FieldProblem("field_mapping", name, message)


def _unwritable(sent: Mapping[str, str], constants: Mapping[str, Json]) -> Iterator[FieldProblem]:
    for name, reason in unfit_names((*sent.values(), *constants)):
        yield FieldProblem("column", name, f"Column {name} cannot stand in a CSV: {reason}.")


def _column_types(
    columns: tuple[Column, ...], sent: Mapping[str, str], schema: ObjectSchema | None
) -> Iterator[FieldProblem]:
    for column in columns:
        field = _checked_field(sent.get(column.name, ""), schema)
        if field and not may_convert(column.kinds, field.data_type):
            found = " or ".join(sorted(column.kinds))
            message = f"Column {column.name} ({found}) cannot fit {field.name} ({field.data_type})."
            yield FieldProblem("column", column.name, f"{message} Convert it in a stream map.")


def _checked_field(name: str, schema: ObjectSchema | None) -> Field | None:
    field = schema.field(name) if schema else None
    return None if field is None or field.data_type in REFERENCES else field


def _converter(
    name: str, schema: ObjectSchema | None, date_format: DateFormat, *, html: bool
) -> Converter:
    field = _checked_field(name, schema)
    if field is None:
        return plain_converter(name)
    return converter_for(field, date_format=date_format, html=html)


def _type(converter: Converter) -> str:
    return converter.field.data_type if converter.field else ""
