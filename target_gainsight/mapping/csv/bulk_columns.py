"""Assigns the columns of a stream to the columns of a bulk job's CSV.

Only the administrator who made the job knows its columns. A column that has the name of a field
of the object gets that field's checks and format; any other is plain text. References are not
checked: the job may look them up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from target_gainsight.api.resources.metadata import Field, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.csv.cells import CsvColumn, CsvPlan, find_csv_problems
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.planning.checks import check_column_type
from target_gainsight.mapping.planning.mismatch import (
    FieldProblem,
    StreamMismatchError,
    missing_columns,
)
from target_gainsight.mapping.types.converters import REFERENCES, Converter
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.settings.stream_settings import StreamSettings


def plan_job_columns(
    columns: tuple[Column, ...],
    schema: ObjectSchema | None,
    settings: StreamSettings,
    *,
    stream: str,
    keys: Collection[str],
) -> CsvPlan:
    """Decide which columns the CSV has.

    With a mapping, the CSV has the columns it names and no others; without one, all of the
    stream's under their own names. Constants come after them.

    Args:
        schema: The object, or None when its metadata cannot be read.
        keys: The stream's key properties. A record without one of them is rejected: the job
            would take all such rows for one.

    Raises:
        StreamMismatchError: The stream does not fit; has all problems.
    """

    def csv_column(name: str, source: str | None, constant: object = None) -> CsvColumn:
        field = schema.field(name) if schema else None
        checked = None if field is None or field.data_type in REFERENCES else field
        html = settings.rich_text == "html"
        converter = Converter(name, checked, date_format=settings.date_format, html=html)
        finish = partial(_check_blank, field=checked, is_key=source in keys)
        return CsvColumn(converter, source, finish, constant)

    mapping = settings.field_mapping
    sent = _assign(columns, mapping, schema)
    plan = [csv_column(name, source) for source, name in sent.items()]
    plan += [csv_column(name, None, value) for name, value in settings.constants.items()]
    names = {column.name: column for column in columns}
    problems = [*missing_columns("field_mapping", mapping, names, set(names).difference(mapping))]
    for each in plan:
        if each.source in names:
            problems += check_column_type(names[each.source], each.converter.field)
    problems += find_csv_problems(plan, "column")
    if not plan and not problems:
        problems.append(FieldProblem("column", "", "It has no columns.", needs_column=True))
    if problems:
        object_name = schema.name if schema else "its bulk job"
        raise StreamMismatchError(problems, stream=stream, object_name=object_name)
    unmapped = (
        column
        for column in columns
        if column.name not in sent and not column.name.startswith(METADATA_PREFIX)
    )
    return CsvPlan(tuple(plan), tuple(unmapped))


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


def _check_blank(value: object, text: str, *, field: Field | None, is_key: bool) -> str:
    """Return a cell unless it is blank where a value is needed.

    Null in a field that must not be empty is left to the job, which may ignore empty cells.
    """
    if is_key and is_blank(text):
        message, hint = "a key property needs a value", "Let the tap or a stream map supply it."
        raise ConversionError(code="key_missing", message=message, hint=hint)
    if field and not field.nillable and value is not None and is_blank(text):
        message, hint = "the field must not be empty", "Send a value."
        raise ConversionError(code="null_not_allowed", message=message, hint=hint)
    return text
