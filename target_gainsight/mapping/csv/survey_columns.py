"""Assigns the columns of a stream to those of the CSV that is imported into Surveys ("Import NPS").

A column's name decides its role; the settings choose which source column fills it. The file is
opened in spreadsheets, so no cell may be a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.csv.cells import CsvColumn, CsvPlan, cell, unfit_columns
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import (
    FieldProblem,
    StreamMismatchError,
    missing_columns,
)
from target_gainsight.mapping.types.datetimes import write_date
from target_gainsight.mapping.types.numeric import write_number
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.mapping.types.strings import write_email, write_text
from target_gainsight.settings.stream_settings import DateFormat, StreamSettings

HIGHEST_SCORE = 10
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula (CSV injection, OWASP)."""

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class SurveyColumn:
    """A column of the import.

    Attributes:
        synonyms: Without blanks and in lower case, its own name included.
        required: Whether every response must have a value.
    """

    name: str
    synonyms: tuple[str, ...]
    required: bool = False


_PERSON = SurveyColumn("Email", ("email", "person", "personemail"), required=True)
_SCORE = SurveyColumn("Score", ("score", "npsscore", "nps"), required=True)
_DATE = SurveyColumn("Response Date", ("responsedate", "responsedatetime"), required=True)
SURVEY_COLUMNS = (
    SurveyColumn("Company", ("company", "companyname", "companyid"), required=True),
    _PERSON,
    _SCORE,
    SurveyColumn("Comment", ("comment", "comments")),
    SurveyColumn("Survey Name", ("surveyname", "surveyid", "survey"), required=True),
    _DATE,
    SurveyColumn("Language", ("language",)),
    SurveyColumn("Channel", ("channel",)),
)
"""The columns of the import, in its order."""


def plan_survey(columns: tuple[Column, ...], settings: StreamSettings, *, stream: str) -> CsvPlan:
    """Decide which source column fills which column of the import.

    A column that the settings do not name is filled by the source column of the same name,
    whatever its case and separators; one that is not required may be missing.

    Raises:
        StreamMismatchError: The stream does not fit; has all problems.
    """
    names = tuple(column.name for column in columns)
    survey_columns, constants = settings.survey_columns, settings.constants
    date_format = settings.date_format
    filled = {**_matches_by_name(names, (*survey_columns, *constants)), **survey_columns}
    plan = [CsvColumn(name, source, _writer(name, date_format)) for name, source in filled.items()]
    for name, value in constants.items():
        plan.append(CsvColumn(name, None, _writer(name, date_format), constant=value))
    sources = survey_columns.values()
    spare = set(names).difference(sources)
    problems = [*missing_columns("survey_columns", sources, names, spare)]
    problems += _missing((*filled, *constants), names)
    problems += _duplicates((*survey_columns, *constants))
    problems += unfit_columns(plan, "survey_columns")
    if problems:
        raise StreamMismatchError(problems, stream=stream, object_name="a survey import")
    order = [*SURVEY_COLUMNS, None]
    plan.sort(key=lambda column: order.index(_known_column(column.name)))
    unmapped = (column for column in columns if column.name not in filled.values())
    return CsvPlan(tuple(plan), tuple(unmapped))


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _known_column(name: str) -> SurveyColumn | None:
    bare = _bare(name)
    return next((column for column in SURVEY_COLUMNS if bare in column.synonyms), None)


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()


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
    is_required = known is not None and known.required

    def convert(value: object) -> Json:
        if known is _SCORE:
            return _write_score(value)
        if known is _DATE:
            return write_date(value, date_format)
        if known is _PERSON and "email" in _bare(name):  # otherwise it may be any id of a person
            return write_email(value)
        return write_text(value)

    def write(value: object) -> Json:
        written = None if value is None else convert(value)
        if is_required and is_blank(cell(written)):
            message, hint = "a survey import needs it in every row", "Send a value."
            raise ConversionError(code="required_missing", message=message, hint=hint)
        return harmless(written) if isinstance(written, str) else written

    return write


def _write_score(value: object) -> Json:
    """Convert a whole number from 0 to 10."""
    score = write_number(value)
    if score is None:
        return None
    exact = Decimal(str(score))
    if exact != exact.to_integral_value() or not 0 <= exact <= HIGHEST_SCORE:
        message = f"a score is a whole number from 0 to {HIGHEST_SCORE}"
        raise ConversionError(code="score_out_of_range", message=message)
    return int(exact)
