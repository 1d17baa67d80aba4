"""Survey responses as the CSV that an administrator imports into Surveys ("Import NPS").

Its columns have roles by their names; which source column fills which is the settings' choice.
People open such a file in a spreadsheet: no cell may be a formula.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from target_gainsight.mapping.csv.cells import CsvColumn, CsvPlan, cell, unfit_names
from target_gainsight.mapping.errors import UnfitError, ValueRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import Cure, FieldProblem, StreamMismatchError
from target_gainsight.mapping.types.blanks import is_blank
from target_gainsight.mapping.types.datetimes import DateFormat, date_writer
from target_gainsight.mapping.types.numeric import number
from target_gainsight.mapping.types.strings import email_writer, encodable, text_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.mapping.columns import Column

Role = Literal["company", "person", "score", "comment", "survey", "date", "language", "channel"]

HIGHEST_SCORE = 10
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take text for a formula (CSV injection, OWASP)."""

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class SurveyColumn:
    """A column of the import.

    Attributes:
        name: Its name.
        role: What it means.
        other_names: Names that mean the same, without blanks and in small letters.
        required: Whether every response has a value.
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
"""The eight columns of the import, in its order."""


def plan_survey(
    columns: tuple[Column, ...],
    *,
    stream: str,
    survey_columns: Mapping[str, str],
    constants: Mapping[str, Json],
    date_format: DateFormat,
) -> CsvPlan:
    """Decide which source column fills which column of the import, or say what is wrong.

    A column that the settings do not name is filled by the source column of its name, whatever
    case and separators; one that is not required may be missing.

    Args:
        columns: What the stream carries.
        stream: The stream's name, for messages.
        survey_columns: Column of the import to source column.
        constants: Column of the import to the value in every row.
        date_format: How dates are written.

    Raises:
        StreamMismatchError: The stream does not fit; carries all problems.
    """
    names = tuple(column.name for column in columns)
    filled = {**_filled_by_name(names, survey_columns, constants), **survey_columns}
    problems = [*_not_carried(names, survey_columns), *_missing(filled, constants, names)]
    problems += _filled_twice(survey_columns, constants)
    problems += _unwritable(filled, constants)
    plan = []
    for name, source in filled.items():
        plan.append(CsvColumn(name, source, _writer(name, date_format)))
    for name, value in constants.items():
        try:
            plan.append(CsvColumn(name, None, _same, cell(_writer(name, date_format)(value))))
        except (UnfitError, ValueRejectedError) as refusal:
            problems.append(FieldProblem("constants", name, str(refusal)))
    if problems:
        raise StreamMismatchError(
            problems, stream=stream, object_name="a survey import", cure=Cure()
        )
    ordered = sorted(plan, key=_place)
    dropped = [column for column in columns if column.name not in filled.values()]
    return CsvPlan(
        tuple(ordered),
        dropped=tuple(column.name for column in dropped if column.declared),
        undeclared=tuple(column.name for column in dropped if not column.declared),
    )


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what might be one gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _role(name: str) -> SurveyColumn | None:
    bare = _bare(name)
    for column in SURVEY_COLUMNS:
        if bare == _bare(column.name) or bare in column.other_names:
            return column
    return None


def _place(column: CsvColumn) -> int:
    """The import's order; further columns come after its own."""
    known = _role(column.name)
    return SURVEY_COLUMNS.index(known) if known else len(SURVEY_COLUMNS)


def _filled_by_name(
    names: Iterable[str], survey_columns: Mapping[str, str], constants: Mapping[str, Json]
) -> dict[str, str]:
    taken = {known.role for name in (*survey_columns, *constants) if (known := _role(name))}
    by_role: dict[str, str] = {}
    for source in names:
        known = _role(source)
        if known and known.role not in taken:
            by_role.setdefault(known.name, source)
    return by_role


def _not_carried(
    names: tuple[str, ...], survey_columns: Mapping[str, str]
) -> Iterator[FieldProblem]:
    for source in survey_columns.values():
        if names and source not in names:
            message = f"The stream has no column {source}."
            near = suggest_names(source, names)
            meant = set(near).difference(survey_columns.values())
            yield FieldProblem("survey_columns", source, message, near, lacks_column=not meant)


def _missing(
    filled: Mapping[str, str], constants: Mapping[str, Json], names: tuple[str, ...]
) -> Iterator[FieldProblem]:
    roles = {known.role for name in (*filled, *constants) if (known := _role(name))}
    for column in SURVEY_COLUMNS:
        if column.required and column.role not in roles:
            message = (
                f"A survey import needs {column.name}, and no column or constant fills it: name "
                "the stream's column for it."
            )
            near = suggest_names(column.name, names)
            yield FieldProblem("survey_columns", column.name, message, near, lacks_column=True)


def _filled_twice(
    survey_columns: Mapping[str, str], constants: Mapping[str, Json]
) -> Iterator[FieldProblem]:
    by_role: dict[str, list[str]] = {}
    for name in (*survey_columns, *constants):
        known = _role(name)
        by_role.setdefault(known.role if known else name.casefold(), []).append(name)
    for names in by_role.values():
        if len(names) > 1:
            message = f"{' and '.join(names)} mean the same column of the import. Leave one."
            yield FieldProblem("survey_columns", names[0], message)


def _unwritable(filled: Mapping[str, str], constants: Mapping[str, Json]) -> Iterator[FieldProblem]:
    for name, reason in unfit_names((*filled, *constants)):
        place: Literal["constants", "survey_columns"] = (
            "constants" if name in constants else "survey_columns"
        )
        yield FieldProblem(place, name, f"Column {name} cannot stand in a CSV: {reason}.")


def _writer(name: str, date_format: DateFormat) -> Callable[[object], Json]:
    """How the values of a column are written, checked by the column's role."""
    known = _role(name)
    convert: dict[str, Callable[[object], Json]] = {
        "score": _score,
        "date": date_writer(date_format),
        "person": _person(name),
    }
    write = convert.get(known.role, text_writer(None)) if known else text_writer(None)
    required = known is not None and known.required

    def checked(value: object) -> Json:
        try:
            written = None if value is None else write(value)
        except UnfitError as unfit:
            raise ValueRejectedError(unfit.about(name, "", value)) from None
        if required and (written is None or is_blank(cell(written))):
            raise ValueRejectedError(_NEEDED.about(name, "", value))
        return harmless(written) if isinstance(written, str) else written

    return checked


_NEEDED = UnfitError("required_missing", "a survey import needs it in every row", "Send a value.")


def _person(name: str) -> Callable[[object], Json]:
    """Addresses have a shape; a column that is not called so may hold any id of a person."""
    if "email" not in _bare(name):
        return text_writer(None)
    return email_writer(None)


def _score(value: object) -> Json:
    """A whole number from 0 to 10."""
    score = number(value)
    if score is None:
        return None
    exact = Decimal(str(score))
    if exact != exact.to_integral_value() or not 0 <= exact <= HIGHEST_SCORE:
        code = "score_out_of_range"
        message = f"a score is a whole number from 0 to {HIGHEST_SCORE}"
        raise UnfitError(code, message)
    return int(exact)


def _same(value: object) -> Json:
    return encodable(str(value))


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()
