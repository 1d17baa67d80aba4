"""Assigns the columns of a stream to those of the CSV that is imported into Surveys ("Import NPS").

A column's name decides its role; the settings choose which source column fills it. The file is
opened in spreadsheets, so no cell may be a formula.
"""

from __future__ import annotations

import re
from functools import partial

from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.csv.cells import CsvColumn, CsvPlan, find_csv_problems
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.near_names import bare_name, suggest_names
from target_gainsight.mapping.planning.mismatch import (
    FieldProblem,
    StreamMismatchError,
    missing_columns,
)
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import is_blank
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


def plan_survey(columns: tuple[Column, ...], settings: StreamSettings, *, stream: str) -> CsvPlan:
    """Decide which source column fills which column of the import.

    A column that the settings do not name is filled by the source column of the same name,
    whatever its case and separators; one that is not required may be missing.

    Raises:
        StreamMismatchError: The stream does not fit; has all problems.
    """

    def csv_column(name: str, source: str | None, constant: object = None) -> CsvColumn:
        role = _role(name)
        data_type = {SCORE: "NUMBER", DATE: "DATE"}.get(role, "STRING")
        if role == EMAIL and "email" in bare_name(name):  # otherwise it may be any id of a person
            data_type = "EMAIL"
        converter = Converter(name, Field(name, name, data_type), date_format=settings.date_format)
        return CsvColumn(converter, source, partial(_finish, role=role), constant)

    survey_columns, constants = settings.survey_columns, settings.constants
    names = tuple(column.name for column in columns)
    filled = dict(survey_columns)
    named = {_role(name) for name in (*survey_columns, *constants)}
    for source in names:
        if _role(source) in SURVEY_COLUMNS and _role(source) not in named:
            filled.setdefault(_role(source), source)
    plan = [csv_column(name, source) for name, source in filled.items()]
    plan += [csv_column(name, None, value) for name, value in constants.items()]
    spare = set(names).difference(survey_columns.values())
    problems = [*missing_columns("survey_columns", survey_columns.values(), names, spare)]
    for role in _REQUIRED:
        if role not in map(_role, (*filled, *constants)):
            message = (
                f"A survey import needs {role}, and no column or constant fills it: name the "
                "stream's column for it."
            )
            near = suggest_names(role, names)
            problems.append(FieldProblem("survey_columns", role, message, near, needs_column=True))
    problems += find_csv_problems(plan, "survey_columns", _role)
    if problems:
        raise StreamMismatchError(problems, stream=stream, object_name="a survey import")
    order = list(SURVEY_COLUMNS)
    plan.sort(key=lambda each: order.index(_role(each.name)) if _role(each.name) in order else 99)
    unmapped = (column for column in columns if column.name not in filled.values())
    return CsvPlan(tuple(plan), tuple(unmapped))


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _role(name: str) -> str:
    """Return the column of the import that a name means, or else the name without its case."""
    return _ROLES.get(bare_name(name), name.casefold())


def _finish(_: object, text: str, *, role: str) -> str:
    """Return a cell that fits its role and is no formula."""
    if role in _REQUIRED and is_blank(text):
        message, hint = "a survey import needs it in every row", "Send a value."
        raise ConversionError(code="required_missing", message=message, hint=hint)
    if role == SCORE and not _SCORES.fullmatch(text):
        message = "a score is a whole number from 0 to 10"
        raise ConversionError(code="score_out_of_range", message=message)
    return harmless(text)
