"""The columns of a CSV, and values as its cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import simplejson

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import (
    ConversionError,
    RecordRejectedError,
    ValueRejectedError,
)
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.types.numeric import number_text
from target_gainsight.mapping.types.strings import encodable

Setting = Literal["column", "field_mapping", "survey_columns"]

ITEM_SEPARATOR = ";"
"""Separates the items of a multi-select, as in the rows that a query returns."""


@dataclass(frozen=True)
class CsvColumn:
    """One column of a CSV.

    Attributes:
        name: Its name in the header.
        source: The stream's column that fills it; None for a constant.
        write: Converts a source value; raises `ValueRejectedError` only.
        constant: The cell of a constant.
        data_type: Its Gainsight data type; empty when unknown.
    """

    name: str
    source: str | None
    write: Callable[[object], Json]
    constant: str = ""
    data_type: str = ""

    def text(self, record: Mapping[str, object]) -> str:
        """Return the cell of a record; raises ValueRejectedError if the value fits no cell."""
        if self.source is None:
            return self.constant
        value = record.get(self.source)
        try:
            return cell(self.write(value))
        except ConversionError as unfit:
            raise ValueRejectedError(unfit.for_field(self.name, self.data_type, value)) from None


@dataclass(frozen=True)
class CsvPlan:
    """The columns of a CSV, in its order, and those of the stream that are not written.

    Attributes:
        dropped: Columns that the SCHEMA declares.
        undeclared: Columns that records have although the SCHEMA does not declare them.
    """

    columns: tuple[CsvColumn, ...]
    dropped: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()

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


def unmapped(columns: Iterable[Column], mapped: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the columns that are not written, as `dropped` and `undeclared` of a CsvPlan."""
    left = [column for column in columns if column.name not in mapped]
    return {
        "dropped": tuple(column.name for column in left if column.declared),
        "undeclared": tuple(column.name for column in left if not column.declared),
    }


def missing_sources(
    names: tuple[str, ...], sources: Collection[str], setting: Setting
) -> Iterator[FieldProblem]:
    """Find the columns that a setting names and a stream with these columns does not have."""
    for source in sources:
        if names and source not in names:
            near = suggest_names(source, names)
            yield FieldProblem(
                setting,
                source,
                f"The stream has no column {source}.",
                near,
                needs_column=set(sources).issuperset(near),
                is_missing_column=True,
            )


def unwritable_names(
    names: Iterable[str], constants: Collection[str], setting: Setting
) -> Iterator[FieldProblem]:
    """Find the names that no CSV header can hold; the setting is where other names come from."""
    for name in (*names, *constants):
        try:
            cell(encodable(name))
        except ConversionError as unfit:
            message = f"Column {name} cannot be in a CSV: {unfit}."
            yield FieldProblem("constants" if name in constants else setting, name, message)


def cell(value: Json) -> str:
    """Return a converted value as a cell: null is empty, a list its items between semicolons.

    Raises:
        ConversionError: A text has a NUL character, or an item of a list has a semicolon.
    """
    if isinstance(value, str):
        if "\0" in value:  # some CSV readers end the file there
            code = "nul_in_text"
            message = f"a NUL character at position {value.index(chr(0))}, which no CSV can hold"
            raise ConversionError(code, message, "Remove it in a stream map.")
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
            code = "separator_in_item"
            message = "an item has a semicolon, which separates the items in a CSV"
            raise ConversionError(code, message)
        return ITEM_SEPARATOR.join(items)
    return str(simplejson.dumps(value, ensure_ascii=False, use_decimal=True))
