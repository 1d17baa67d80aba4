"""Values as the cells of a CSV, and a stream's columns as the columns of one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import simplejson

from target_gainsight.mapping.errors import (
    RecordRejectedError,
    UnfitError,
    ValueRejectedError,
)
from target_gainsight.mapping.types.numeric import number_text
from target_gainsight.mapping.types.strings import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.mapping.errors import FieldError

    Write = Callable[[object], Json]

ITEM_SEPARATOR = ";"
"""Between the items of a multi-select, as the query reads them back."""


@dataclass(frozen=True)
class CsvColumn:
    """One column of a CSV.

    Attributes:
        name: Its name in the header.
        source: The stream's column that fills it; None for a constant.
        write: A source's value to the value that is written; raises `ValueRejectedError` only.
        constant: What stands in every row of a constant.
        data_type: Its Gainsight data type; empty when that is not known.
    """

    name: str
    source: str | None
    write: Write
    constant: str = ""
    data_type: str = ""

    def text(self, record: Mapping[str, object]) -> str:
        """The cell of a record; empty where the record has no value.

        Raises:
            ValueRejectedError: The value has no form in a CSV.
        """
        if self.source is None:
            return self.constant
        value = record.get(self.source)
        try:
            return cell(self.write(value))
        except UnfitError as unfit:
            raise ValueRejectedError(unfit.about(self.name, self.data_type, value)) from None


@dataclass(frozen=True)
class CsvPlan:
    """What becomes of a stream's columns.

    Attributes:
        columns: Those of the CSV, in its order.
        dropped: Columns of the stream that are not written.
        undeclared: Those that the SCHEMA does not declare and records carry, not written either.
    """

    columns: tuple[CsvColumn, ...]
    dropped: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        """The cells of the first line."""
        return tuple(column.name for column in self.columns)

    def row(self, record: Mapping[str, object]) -> list[str]:
        """The cells of a record.

        Raises:
            RecordRejectedError: It cannot be written; carries the errors of all its columns.
        """
        try:
            return [column.text(record) for column in self.columns]
        except ValueRejectedError:
            raise RecordRejectedError(self._errors(record)) from None

    def _errors(self, record: Mapping[str, object]) -> list[FieldError]:
        errors = []
        for column in self.columns:
            try:
                column.text(record)
            except ValueRejectedError as refusal:
                errors.append(refusal.error)
        return errors


def unfit_names(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that no header of a CSV can hold, each with the reason."""
    for name in names:
        try:
            cell(encodable(name))
        except UnfitError as unfit:
            yield name, str(unfit)


def cell(value: Json) -> str:
    """A written value as the text of a cell: null is empty, a list its items between semicolons.

    Raises:
        UnfitError: A text holds NUL, or an item of a list a semicolon.
    """
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        return ITEM_SEPARATOR.join(_item(each) for each in value)
    return str(simplejson.dumps(value, ensure_ascii=False, use_decimal=True))


def _text(value: str) -> str:
    """Text that no reader of the CSV takes for the file's end: its other rows must not suffer."""
    if "\0" in value:
        code = "nul_in_text"
        message = f"a NUL character at position {value.index(chr(0))}, which no CSV can hold"
        raise UnfitError(code, message, "Take it out in a stream map.")
    return value


def _item(value: Json) -> str:
    text = cell(value)
    if ITEM_SEPARATOR in text:
        code = "separator_in_item"
        message = "an item holds a semicolon, which separates the items in a CSV"
        raise UnfitError(code, message)
    return text
