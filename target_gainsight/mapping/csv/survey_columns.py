"""Assigns the columns of a stream to those of the CSV that is imported into Surveys ("Import NPS").

A column's name decides its role; the settings choose which source column fills it. The file is
opened in spreadsheets, so no cell may be a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.csv.cells import (
    CsvColumn,
    CsvPlan,
    cell,
    missing_sources,
    unmapped,
    unwritable_names,
)
from target_gainsight.mapping.errors import ConversionError, ValueRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import FieldProblem, StreamMismatchError
from target_gainsight.mapping.types.datetimes import DateFormat, date_writer
from target_gainsight.mapping.types.numeric import number
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.mapping.types.strings import email_writer, text_writer

Role = Literal["company", "person", "score", "comment", "survey", "date", "language", "channel"]

HIGHEST_SCORE = 10
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula (CSV injection, OWASP)."""

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class SurveyColumn:
    """A column of the import.

    Attributes:
        other_names: Synonyms, without blanks and in lower case.
        required: Whether every response must have a value.
    """

    name: str
    role: Role
    other_names: tuple[str, ...] = ()
    required: bool = False


SURVEY_COLUMNS = (
    SurveyColumn("Company", "company", ("companyname", "companyid"), required=True),
    SurveyColumn("Email", "person", ("person", "personemail"), required=True),
    SurveyColumn("Score", "score", ("npsscore", "nps"), required=True),
    SurveyColumn("Comment", "comment", ("comments",)),
    SurveyColumn("Survey Name", "survey", ("surveyid", "survey"), required=True),
    SurveyColumn("Response Date", "date", ("responsedatetime",), required=True),
    SurveyColumn("Language", "language"),
    SurveyColumn("Channel", "channel"),
)
"""The columns of the import, in its order."""


def plan_survey(
    columns: tuple[Column, ...],
    *,
    stream: str,
    survey_columns: Mapping[str, str],
    constants: Mapping[str, Json],
    date_format: DateFormat,
) -> CsvPlan:
    """Decide which source column fills which column of the import.

    A column that the settings do not name is filled by the source column of the same name,
    whatever its case and separators; one that is not required may be missing.

    Args:
        columns: The stream's columns.
        stream: The stream's name, for messages.
        survey_columns: Column of the import → source column.
        constants: Column of the import → value in every row.
        date_format: The format of dates.

    Raises:
        StreamMismatchError: The stream does not fit; has all problems.
    """
    names = tuple(column.name for column in columns)
    filled = {**_matches_by_name(names, (*survey_columns, *constants)), **survey_columns}
    problems = [*missing_sources(names, survey_columns.values(), "survey_columns")]
    problems += _missing((*filled, *constants), names)
    problems += _duplicates((*survey_columns, *constants))
    problems += unwritable_names(filled, constants, "survey_columns")
    plan = [CsvColumn(name, source, _writer(name, date_format)) for name, source in filled.items()]
    for name, value in constants.items():
        write = _writer(name, date_format)
        try:
            plan.append(CsvColumn(name, None, write, constant=cell(write(value))))
        except (ConversionError, ValueRejectedError) as refusal:
            problems.append(FieldProblem("constants", name, str(refusal)))
    if problems:
        raise StreamMismatchError(problems, stream=stream, object_name="a survey import")
    plan.sort(key=_position)
    return CsvPlan(tuple(plan), **unmapped(columns, filled.values()))


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _known_column(name: str) -> SurveyColumn | None:
    bare = _bare(name)
    for column in SURVEY_COLUMNS:
        if bare == _bare(column.name) or bare in column.other_names:
            return column
    return None


def _position(column: CsvColumn) -> int:
    """Return a column's place in the import's order; further columns come last."""
    known = _known_column(column.name)
    return SURVEY_COLUMNS.index(known) if known else len(SURVEY_COLUMNS)


def _matches_by_name(sources: Iterable[str], named: Iterable[str]) -> dict[str, str]:
    """Match source columns by name to the columns of the import that the settings leave out."""
    taken = {_known_column(name) for name in named}
    matches: dict[str, str] = {}
    for source in sources:
        known = _known_column(source)
        if known and known not in taken:
            matches.setdefault(known.name, source)
    return matches


def _missing(filled: Iterable[str], sources: tuple[str, ...]) -> Iterator[FieldProblem]:
    present = {_known_column(name) for name in filled}
    for column in SURVEY_COLUMNS:
        if column.required and column not in present:
            message = (
                f"A survey import needs {column.name}, and no column or constant fills it: name "
                "the stream's column for it."
            )
            near = suggest_names(column.name, sources)
            yield FieldProblem("survey_columns", column.name, message, near, needs_column=True)


def _duplicates(named: Iterable[str]) -> Iterator[FieldProblem]:
    by_column: dict[str, list[str]] = {}
    for name in named:
        known = _known_column(name)
        by_column.setdefault(known.name if known else name.casefold(), []).append(name)
    for names in by_column.values():
        if len(names) > 1:
            message = f"{' and '.join(names)} mean the same column of the import. Keep only one."
            yield FieldProblem("survey_columns", names[0], message)


def _writer(name: str, date_format: DateFormat) -> Callable[[object], Json]:
    """Return the conversion of a column's values, by its role."""
    known = _known_column(name)
    role = known.role if known else None
    write: Callable[[object], Json] = text_writer(None)
    if role == "score":
        write = _score
    elif role == "date":
        write = date_writer(date_format)
    elif role == "person" and "email" in _bare(name):  # otherwise it may be any id of a person
        write = email_writer(None)
    required = known is not None and known.required

    def checked(value: object) -> Json:
        try:
            written = None if value is None else write(value)
        except ConversionError as unfit:
            raise ValueRejectedError(unfit.for_field(name, "", value)) from None
        if required and (written is None or is_blank(cell(written))):
            raise ValueRejectedError(_REQUIRED.for_field(name, "", value))
        return harmless(written) if isinstance(written, str) else written

    return checked


_REQUIRED = ConversionError(
    "required_missing", "a survey import needs it in every row", "Send a value."
)


def _score(value: object) -> Json:
    """Convert a whole number from 0 to 10."""
    score = number(value)
    if score is None:
        return None
    exact = Decimal(str(score))
    if exact != exact.to_integral_value() or not 0 <= exact <= HIGHEST_SCORE:
        code = "score_out_of_range"
        message = f"a score is a whole number from 0 to {HIGHEST_SCORE}"
        raise ConversionError(code, message)
    return int(exact)


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()
