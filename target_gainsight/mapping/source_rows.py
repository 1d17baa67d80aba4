"""Turn a row of the tenant into a source record that creates it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.mapping.types.datetimes import EPOCH, comparable_date, comparable_datetime

_COLUMN = {"type": ["null", "string", "number", "boolean", "array", "object"]}
"""The schema of every column: the type of its field decides how a value is read."""


def source_columns(schema: ObjectSchema | None, names: Iterable[str]) -> dict[str, Any]:
    """Return the JSON schemas of the fields that a create can set, or else of these names."""
    if schema is None:
        return dict.fromkeys(names, _COLUMN)
    return {field.name: _COLUMN for field in schema.fields if field.insertable}


def source_record(
    row: Mapping[str, Any], columns: Iterable[str], schema: ObjectSchema | None
) -> dict[str, Any]:
    """Return a row, as the tenant returned it, as a source would send it, without empty fields."""
    record = {}
    for name in columns:
        value = row.get(name)
        field = schema.field(name) if schema else None
        if value is not None and value != "":
            record[name] = _as_sent(value, field.data_type if field else "")
    return record


def _as_sent(value: Any, data_type: str) -> Any:  # noqa: ANN401 - JSON values
    if data_type == "DATE":
        return comparable_date(value) or value
    if data_type == "DATETIME" and (milliseconds := comparable_datetime(value)) is not None:
        instant = EPOCH + timedelta(milliseconds=milliseconds)
        return instant.isoformat(timespec="milliseconds")
    if data_type == "MULTISELECTDROPDOWNLIST" and isinstance(value, str):
        return [item for item in value.split(";") if item]
    return value
