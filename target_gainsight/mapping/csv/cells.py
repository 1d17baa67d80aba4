"""The columns of a CSV, and values as its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import simplejson

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import (
    ConversionError,
    RecordRejectedError,
    ValueRejectedError,
)
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.types.numeric import number_text
from target_gainsight.mapping.types.strings import encodable

ITEM_SEPARATOR = ";"
"""Separates the items of a multi-select, as in the rows that a query returns."""


@dataclass(frozen=True)
class CsvColumn:
    """One column of a CSV.

    Attributes:
        source: The stream's column that fills it; None for a constant.
        write: Converts a source value; raises `ConversionError` or `ValueRejectedError`.
        data_type: Its Gainsight data type; empty when unknown.
        constant: The value in every row.
    """

    name: str
    source: str | None
    write: Callable[[object], Json]
    data_type: str = ""
    constant: object = None

    def text(self, record: Mapping[str, object]) -> str:
        """Return the cell of a record.

        Raises:
            ValueRejectedError: The value does not convert, or fits no cell.
        """
        value = self.constant if self.source is None else record.get(self.source)
        try:
            return cell(self.write(value))
        except ConversionError as unfit:
            raise ValueRejectedError(unfit.for_field(self.name, self.data_type, value)) from None


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
        cells, errors = [], []
        for column in self.columns:
            try:
                cells.append(column.text(record))
            except ValueRejectedError as refusal:
                errors.append(refusal.error)
        if errors:
            raise RecordRejectedError(errors)
        return cells


def unfit_columns(columns: Sequence[CsvColumn], setting: str) -> Iterator[FieldProblem]:
    """Find the names that no CSV header can hold, and the constants that fit no cell.

    The setting is the one that names the columns that are no constants.
    """
    for column in columns:
        try:
            cell(encodable(column.name))
        except ConversionError as unfit:
            place = "constants" if column.source is None else setting
            message = f"Column {column.name} cannot be in a CSV: {unfit}."
            yield FieldProblem(place, column.name, message)
    for column in columns:
        try:
            if column.source is None:
                column.text({})
        except ValueRejectedError as refusal:
            yield FieldProblem("constants", column.name, str(refusal))


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
    if isinstance(value, (int, float, Decimal)):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        items = [cell(each) for each in value]
        if any(ITEM_SEPARATOR in each for each in items):
            message = "an item has a semicolon, which separates the items in a CSV"
            raise ConversionError(code="separator_in_item", message=message)
        return ITEM_SEPARATOR.join(items)
    return str(simplejson.dumps(value, ensure_ascii=False, use_decimal=True))
