"""Assigns the columns of a stream to the columns of a bulk job's CSV.

Only the administrator who made the job knows its columns. A column that has the name of a field
of the object gets that field's checks and format; any other is plain text. References are not
checked: the job may look them up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.csv.cells import CsvColumn, CsvPlan, unfit_columns
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

    def converter(name: str) -> Converter:
        field = schema.field(name) if schema else None
        checked = None if field is None or field.data_type in REFERENCES else field
        html = settings.rich_text == "html"
        return Converter(name, checked, date_format=settings.date_format, html=html)

    field_mapping, constants = settings.field_mapping, settings.constants
    sent = _assign(columns, field_mapping, schema)
    converters = {name: converter(name) for name in (*sent.values(), *constants)}
    plan = []
    for source, name in sent.items():
        write = _writer(converters[name], is_key=source in keys)
        plan.append(CsvColumn(name, source, write, converters[name].data_type))
    for name, value in constants.items():
        write = converters[name].write
        plan.append(CsvColumn(name, None, write, converters[name].data_type, value))
    names = tuple(column.name for column in columns)
    spare = set(names).difference(field_mapping)
    problems = [*missing_columns("field_mapping", field_mapping, names, spare)]
    problems += _duplicates(plan)
    for column in columns:
        if column.name in sent:
            problems += check_column_type(column, converters[sent[column.name]].field)
    problems += unfit_columns(plan, "column")
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


def _duplicates(plan: Iterable[CsvColumn]) -> Iterator[FieldProblem]:
    by_name: dict[str, list[str]] = {}
    for column in plan:
        is_constant = column.source is None
        source = f"the constant {column.name}" if is_constant else f"column {column.source}"
        by_name.setdefault(column.name.casefold(), []).append(source)
    for name, sources in by_name.items():
        if len(sources) > 1:
            message = f"A CSV has each column once, and {' and '.join(sources)} fill this one."
            yield FieldProblem("field_mapping", name, message)


def _writer(converter: Converter, *, is_key: bool) -> Callable[[object], Json]:
    """Return the conversion of a column that rejects blanks where a value is needed.

    Null in a field that must not be empty is left to the job, which may ignore empty cells.
    """
    field = converter.field
    is_needed = field is not None and not field.nillable

    def write(value: object) -> Json:
        written = converter.write(value)
        if is_blank(written) and is_key:
            message, hint = "a key property needs a value", "Let the tap or a stream map supply it."
            raise ConversionError(code="key_missing", message=message, hint=hint)
        if is_blank(written) and is_needed and value is not None:
            message, hint = "the field must not be empty", "Send a value."
            raise ConversionError(code="null_not_allowed", message=message, hint=hint)
        return written

    return write
