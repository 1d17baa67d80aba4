"""The file of deleted rows: a Singer file that creates them again."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.reading.current_rows import Row
from target_gainsight.loading.storage.private_file import append_lines
from target_gainsight.loading.storage.source_json import utc_time, write_json
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.types.datetimes import EPOCH, comparable_date, comparable_datetime

_COLUMN = {"type": ["null", "string", "number", "boolean", "array", "object"]}
"""The schema of every column: the type of its field decides how a value is read."""

DELETED_PROPERTY = "gainsight_deleted"
"""The property of a RECORD message that holds the row as the tenant returned it.

A SCHEMA message has it, too, with the object."""


class DeletedRows:
    """The rows that one run deletes, written before they are deleted; `sent` counts by stream."""

    def __init__(self, path: Path, now: Callable[[], float], files: dict[str, Path]) -> None:
        self.sent: Counter[str] = Counter()
        self._path = path
        self._now = now
        self._files = files
        self._columns: dict[str, dict[str, Any]] = {}

    def add(self, stream: str, spec: MappingSpec, rows: Mapping[str, Row]) -> None:
        """Bring rows, by their GSIDs, to disk; nothing may be deleted unless that succeeds."""
        if not rows:
            return
        lines, object_name = [], spec.settings.object_name
        names: Iterable[str] = chain.from_iterable(rows.values())
        if spec.schema is not None:
            names = [field.name for field in spec.schema.fields if field.insertable]
        columns = dict.fromkeys(names, _COLUMN)
        if self._columns.get(stream) != columns:
            self._columns[stream] = columns
            schema = {
                "type": "SCHEMA",
                "stream": stream,
                "schema": {"type": "object", "properties": columns},
                "key_properties": [key for key in spec.keys if key in columns],
                DELETED_PROPERTY: {"object": object_name},
            }
            lines.append(write_json(schema))
        time = utc_time(self._now())
        for gsid, row in rows.items():
            deleted = {"object": object_name, "gsid": gsid, "time": time, "row": row}
            message = {
                "type": "RECORD",
                "stream": stream,
                "record": _source_record(row, columns, spec.schema),
                DELETED_PROPERTY: deleted,
            }
            lines.append(write_json(message))
        self._files["deleted"] = self._path
        append_lines(self._path, lines, sync=True)


def _source_record(
    row: Row, columns: Iterable[str], schema: ObjectSchema | None
) -> dict[str, object]:
    """Return a row as a source would send it to create it again, without empty fields."""
    record: dict[str, object] = {}
    for name in columns:
        value = row.get(name)
        field = schema.field(name) if schema else None
        if value is None or value == "":
            continue
        data_type = field.data_type if field else ""
        if data_type == "DATE":
            value = comparable_date(value) or value
        elif data_type == "DATETIME" and (milliseconds := comparable_datetime(value)) is not None:
            instant = EPOCH + timedelta(milliseconds=milliseconds)
            value = instant.isoformat(timespec="milliseconds")
        record[name] = value
    return record
