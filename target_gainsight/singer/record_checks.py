"""Checks a record as it comes out of the stream maps; an invalid one is rejected alone.

The SDK's path ends the run instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from target_gainsight.loading.outcomes import Reason
from target_gainsight.mapping.errors import error_text
from target_gainsight.sinks import StreamSink
from target_gainsight.sinks.stream import METADATA

Record = dict[str, Any]


def with_metadata(record: Record, message: Mapping[str, Any], sink: StreamSink) -> Record:
    """Return a record with the SDK's metadata columns, or without them, as the sink wants it.

    It is a copy if it is changed here or in the checks.
    """
    adds = sink.include_sdc_metadata_properties
    if not adds and sink.knows_fields and METADATA.isdisjoint(record):
        return record
    copied = dict(record)
    if adds:
        sink._add_sdc_metadata_to_record(copied, dict(message), {})  # noqa: SLF001
    else:
        sink._remove_sdc_metadata_from_record(copied)  # noqa: SLF001
    return copied


def check_record(record: Record, sink: StreamSink) -> Reason | None:
    """Check a record against its keys and schema; parse its dates if no field's type does it."""
    if not sink.key_set <= record.keys():
        missing = ", ".join(key for key in sink.key_properties if key not in record)
        message = f"the record lacks its key property {missing}"
        hint = "let the tap or a stream map supply it"
        return Reason("key_missing", message, field=missing, hint=hint)
    try:
        if sink.check is not None:
            sink.check(record)
        if not sink.knows_fields:
            sink._parse_timestamps_in_record(  # noqa: SLF001
                record=record, schema=sink.schema, treatment=sink.datetime_error_treatment
            )
    except jsonschema_rs.ValidationError as error:
        return _violation(error)
    except (ValueError, TypeError) as error:
        return Reason("invalid_date", f"a date or time cannot be read: {error_text(error)}")
    return None


def _violation(error: jsonschema_rs.ValidationError) -> Reason:
    """Name the column, and the rule of the schema that it breaks."""
    path, value = [*map(str, error.instance_path)], error.instance
    message = f"its schema refuses it: {error.message}"
    if error.kind.name == "required":
        path, value = [*path, error.kind.value], None
        message = "its schema requires the column, which the record lacks"
    hint = "correct it in the tap, or set validate_records: false"
    return Reason("schema_violation", message, field=".".join(path), value=value, hint=hint)
