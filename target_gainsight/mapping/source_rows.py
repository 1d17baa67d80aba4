"""Turn a row of the tenant into a source record that creates it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.mapping.types.datetimes import comparable_date, comparable_datetime

_COLUMN = {"type": ["null", "string", "number", "boolean", "array", "object"]}
"""The schema of every column: the type of its field decides how a value is read."""


def source_columns(schema: ObjectSchema | None, names: Iterable[str]) -> dict[str, Any]:
    """Return the JSON schemas of the columns of rows, by name.

    Args:
        schema: The object, or None where its metadata is unknown.
        names: The fields of a row.

    Returns:
        A column for each field that can be set when a record is created.
    """
    if schema is None:
        return dict.fromkeys(names, _COLUMN)
    return {field.name: _COLUMN for field in schema.fields if field.insertable}


def source_record(
    row: Mapping[str, Any], columns: Iterable[str], schema: ObjectSchema | None
) -> dict[str, Any]:
    """Return a row as a source would send it; empty fields are left out.

    Args:
        row: The row as the tenant returned it.
        columns: The fields to send.
        schema: The object, or None where its metadata is unknown.
    """
    record = {}
    for name in columns:
        value = row.get(name)
        if value is None or value == "":
            continue
        field = schema.field(name) if schema else None
        read = _READ.get(field.data_type) if field else None
        record[name] = read(value) if read else value
    return record


def _day(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    return comparable_date(value) or value


def _instant(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    milliseconds = comparable_datetime(value)
    if milliseconds is None:
        return value
    seconds, rest = divmod(milliseconds, 1000)
    instant = datetime.fromtimestamp(seconds, tz=timezone.utc).replace(microsecond=rest * 1000)
    return instant.isoformat(timespec="milliseconds")


def _items(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    return [item for item in value.split(";") if item] if isinstance(value, str) else value


_READ: Mapping[str, Callable[[Any], Any]] = {
    "DATE": _day,
    "DATETIME": _instant,
    "MULTISELECTDROPDOWNLIST": _items,
}
"""Data type to what turns a value as it is read into one that a source would send."""
