"""The columns of a CSV, and values as its cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import simplejson

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import ConversionError, FieldError, RecordRejectedError
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.numeric import NUMBERS, number_text
from target_gainsight.mapping.types.strings import encodable

ITEM_SEPARATOR = ";"
"""Separates the items of a multi-select, as in the rows that a query returns."""


@dataclass(frozen=True)
class CsvColumn:
    """One column of a CSV.

    Attributes:
        source: The stream's column that fills it; None for a constant.
        finish: Returns the final cell of a source value and its cell; raises `ConversionError`.
        constant: The value in every row.
    """

    converter: Converter
    source: str | None
    finish: Callable[[object, str], str]
    constant: object = None

    @property
    def name(self) -> str:
        """Its name in the header."""
        return self.converter.name

    def text(self, record: Mapping[str, object]) -> str:
        """Return the cell of a record.

        Raises:
            RecordRejectedError: The value does not convert, or fits no cell.
        """
        value = self.constant if self.source is None else record.get(self.source)
        try:
            return self.finish(value, cell(self.converter.write(value)))
        except ConversionError as error:
            rejected = error.for_field(self.name, self.converter.data_type, value)
            raise RecordRejectedError([rejected]) from None


@dataclass(frozen=True)
class CsvPlan:
    """The columns of a CSV, in its order, and those of the stream that are not written."""

    columns: tuple[CsvColumn, ...]
    unmapped: tuple[Column, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """The cells of the first line."""
        return tuple(column.name for column in self.columns)

    def row(self, record: Mapping[str, object]) -> list[str]:
        """Return the cells of a record.

        Raises:
            RecordRejectedError: It cannot be written; has the errors of all its columns.
        """
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


def find_csv_problems(
    columns: Sequence[CsvColumn], setting: str, role: Callable[[str], str] = str.casefold
) -> Iterator[FieldProblem]:
    """Find columns that share a role, names that no header can hold, and wrong constants.

    The setting is the one that names the columns that are no constants.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        names[role(column.name)].append(column.name)
        place = "constants" if column.source is None else setting
        try:
            cell(encodable(column.name))
            if column.source is None:
                column.text({})
        except ConversionError as error:
            message = f"Column {column.name} cannot be in a CSV: {error}."
            yield FieldProblem(place, column.name, message)
        except RecordRejectedError as error:
            yield FieldProblem(place, column.name, str(error))
    for same in names.values():
        if len(same) > 1:
            message = f"{' and '.join(same)} are the same column of the CSV. Keep only one."
            yield FieldProblem(setting, same[0], message)


def cell(value: Json) -> str:
    """Return a converted value as a cell: null is empty, a list its items between semicolons.

    Raises:
        ConversionError: A text has a NUL character, or an item of a list has a semicolon.
    """
    if isinstance(value, str):
        if "\0" in value:  # some CSV readers end the file there
            message = f"a NUL character at position {value.index(chr(0))}, which no CSV can hold"
            hint = "Remove it in a stream map."
            raise ConversionError(code="nul_in_text", message=message, hint=hint)
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NUMBERS):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        items = [cell(each) for each in value]
        if any(ITEM_SEPARATOR in each for each in items):
            message = "an item has a semicolon, which separates the items in a CSV"
            raise ConversionError(code="separator_in_item", message=message)
        return ITEM_SEPARATOR.join(items)
    return str(simplejson.dumps(value, ensure_ascii=False, use_decimal=True))
