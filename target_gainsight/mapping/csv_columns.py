"""Assigns the columns of a stream to those of a CSV: of a bulk job, or of the import of Surveys.

Only the administrator who made a bulk job knows its columns: one that is named like a field of the
object gets its checks and format, unless it is a reference, which the job may look up. A survey
import ("Import NPS") is opened in spreadsheets, so no cell may be a formula.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from target_gainsight.api import Field, Json, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.errors import ConversionError, FieldError, RecordRejectedError
from target_gainsight.mapping.near_names import bare_name, suggest_names
from target_gainsight.mapping.planning.checks import (
    FieldProblem,
    StreamMismatchError,
    check_column_type,
    missing_columns,
)
from target_gainsight.mapping.record_mapper import KEY_MISSING, NULL_NOT_ALLOWED, REQUIRED_MISSING
from target_gainsight.mapping.types.converters import REFERENCES, Converter
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.mapping.types.strings import write_text
from target_gainsight.settings.stream_settings import StreamSettings

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula (CSV injection, OWASP)."""

EMAIL, SCORE, DATE = "Email", "Score", "Response Date"
SURVEY_COLUMNS = {
    "Company": ("company", "companyname", "companyid"),
    EMAIL: ("email", "person", "personemail"),
    SCORE: ("score", "npsscore", "nps"),
    "Comment": ("comment", "comments"),
    "Survey Name": ("surveyname", "surveyid", "survey"),
    DATE: ("responsedate", "responsedatetime"),
    "Language": ("language",),
    "Channel": ("channel",),
}
"""The columns of the import, in its order, to their names without blanks and in lower case."""

_REQUIRED = ("Company", EMAIL, SCORE, "Survey Name", DATE)
_ROLES = {name: role for role, names in SURVEY_COLUMNS.items() for name in names}
_SCORES = re.compile(r"[0-9]|10")
_NO_SCORE = ConversionError("score_out_of_range", "a score is a whole number from 0 to 10")


@dataclass(frozen=True)
class CsvColumn:
    """One column of a CSV, filled by a column of the stream (`source`) or a constant.

    A blank cell is the error `if_blank`, but for a null in a field that must not be empty: the job
    may ignore empty cells. `role` is the column of the survey import, None in a bulk job.
    """

    converter: Converter
    source: str | None
    constant: object = None
    if_blank: ConversionError | None = None
    role: str | None = None

    def text(self, record: Mapping[str, object]) -> str:
        """Return the cell of a record, or raise `RecordRejectedError`."""
        value = self.constant if self.source is None else record.get(self.source)
        try:
            text = cell(self.converter.write(value))
        except ConversionError as error:
            raise RecordRejectedError([self.converter.field_error(error, value)]) from None
        failure = _NO_SCORE if self.role == SCORE and not _SCORES.fullmatch(text) else None
        if is_blank(text) and (value is not None or self.if_blank is not NULL_NOT_ALLOWED):
            failure = self.if_blank
        if failure is not None:
            raise RecordRejectedError([self.converter.field_error(failure, value)])
        return text if self.role is None else escape_formula(text)


@dataclass(frozen=True)
class CsvPlan:
    """The columns of a CSV, in its order, and those of the stream that are not written."""

    columns: tuple[CsvColumn, ...]
    unmapped: tuple[Column, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """The cells of the first line."""
        return tuple(column.converter.name for column in self.columns)

    def row(self, record: Mapping[str, object]) -> list[str]:
        """Return the cells of a record, or raise the errors of all columns as one."""
        cells: list[str] = []
        errors: list[FieldError] = []
        for column in self.columns:
            try:
                cells.append(column.text(record))
            except RecordRejectedError as rejection:
                errors += rejection.errors
        if errors:
            raise RecordRejectedError(errors)
        return cells


def plan_job_columns(
    columns: tuple[Column, ...],
    schema: ObjectSchema | None,
    settings: StreamSettings,
    *,
    stream: str,
    keys: Collection[str],
) -> CsvPlan:
    """Decide which columns the CSV of a bulk job has: those of the mapping, or else all.

    Constants come after them. A record without one of the keys, the stream's key properties, is
    rejected: the job would take all such rows for one.
    """

    def csv_column(name: str, source: str | None, constant: object = None) -> CsvColumn:
        field = schema.field(name) if schema else None
        checked = None if field is None or field.data_type in REFERENCES else field
        html = settings.rich_text == "html"
        converter = Converter(name, checked, date_format=settings.date_format, html=html)
        if_blank = None if checked is None or checked.nillable else NULL_NOT_ALLOWED
        return CsvColumn(converter, source, constant, KEY_MISSING if source in keys else if_blank)

    own = {column.name: column for column in columns}
    mapping = settings.field_mapping
    sent = mapping or {
        name: name
        for name, column in own.items()
        if not name.startswith(METADATA_PREFIX)
        and (column.declared or schema is None or schema.field(name))
    }
    plan = [csv_column(name, source) for source, name in sent.items()]
    plan += [csv_column(name, None, value) for name, value in settings.constants.items()]
    problems = [*missing_columns("field_mapping", mapping, own, set(own).difference(mapping))]
    for each in plan:
        if each.source in own:
            problems += check_column_type(own[each.source], each.converter.field)
    if not plan:
        text = "The stream has no columns to write. Check the tap's selection (meltano select)."
        problems.append(FieldProblem("column", "", text, columns=()))
    object_name = schema.name if schema else "its bulk job"
    return _checked_plan(plan, columns, problems, "column", stream, object_name)


def plan_survey(columns: tuple[Column, ...], settings: StreamSettings, *, stream: str) -> CsvPlan:
    """Decide which column fills which one of the import: the configured, or that of its name."""

    def csv_column(name: str, source: str | None, constant: object = None) -> CsvColumn:
        role = _role(name)
        data_type = {SCORE: "NUMBER", DATE: "DATE"}.get(role, "STRING")
        if role == EMAIL and "email" in bare_name(name):  # otherwise it may be any id of a person
            data_type = "EMAIL"
        converter = Converter(name, Field(name, name, data_type), date_format=settings.date_format)
        if_blank = REQUIRED_MISSING if role in _REQUIRED else None
        return CsvColumn(converter, source, constant, if_blank, role)

    filled, names = dict(settings.survey_columns), [column.name for column in columns]
    named = {_role(name) for name in (*filled, *settings.constants)}
    for source in names:
        if _role(source) in SURVEY_COLUMNS and _role(source) not in named:
            filled.setdefault(_role(source), source)
    plan = [csv_column(name, source) for name, source in filled.items()]
    plan += [csv_column(name, None, value) for name, value in settings.constants.items()]
    spare = set(names).difference(settings.survey_columns.values())
    problems = [*missing_columns("survey_columns", settings.survey_columns.values(), names, spare)]
    roles = {each.role for each in plan}
    for role in (each for each in _REQUIRED if each not in roles):
        message = f"A survey import needs {role}, and no column or constant fills it."
        near = suggest_names(role, names)
        problems.append(FieldProblem("survey_columns", role, message, near, columns=()))
    order = [*SURVEY_COLUMNS]
    plan.sort(key=lambda each: order.index(each.role) if each.role in order else len(order))
    return _checked_plan(plan, columns, problems, "survey_columns", stream, "a survey import")


def cell(value: Json) -> str:
    """Return a converted value as a cell: null is empty, a list its items between semicolons."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        items = [cell(each) for each in value]
        if any(";" in each for each in items):
            message = "an item has a semicolon, which separates the items in a CSV"
            raise ConversionError(code="separator_in_item", message=message)
        return ";".join(items)
    text = write_text(value)
    if "\0" in text:  # some CSV readers end the file there
        message = f"a NUL character at position {text.index(chr(0))}, which no CSV can hold"
        hint = "Remove it in a stream map."
        raise ConversionError(code="nul_in_text", message=message, hint=hint)
    return text


def escape_formula(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _checked_plan(
    plan: Sequence[CsvColumn],
    columns: Iterable[Column],
    problems: Iterable[FieldProblem],
    setting: str,
    stream: str,
    object_name: str,
) -> CsvPlan:
    """Raise these problems and those of any CSV, or return what is written and what is not."""
    found, names = [*problems], defaultdict[str, list[str]](list)
    for column in plan:
        name = column.converter.name
        names[column.role or name.casefold()].append(name)
        try:
            cell(name)
            if column.source is None:
                column.text({})
        except (ConversionError, RecordRejectedError) as error:
            message = str(error)
            if isinstance(error, ConversionError):
                message = f"Column {name} cannot be in a CSV: {error.message}."
            place = "constants" if column.source is None else setting
            found.append(FieldProblem(place, name, message))
    for same in names.values():
        if len(same) > 1:
            message = f"{' and '.join(same)} are the same column of the CSV. Keep only one."
            found.append(FieldProblem(setting, same[0], message))
    if found:
        raise StreamMismatchError(found, stream=stream, object_name=object_name)
    sent = {column.source for column in plan}
    others = (each for each in columns if not each.name.startswith(METADATA_PREFIX))
    return CsvPlan(tuple(plan), tuple(each for each in others if each.name not in sent))


def _role(name: str) -> str:
    """Return the column of the survey import that a name means, or else the name in lower case."""
    return _ROLES.get(bare_name(name), name.casefold())
