"""Every object type has a sink."""

from __future__ import annotations

from typing import get_args

import pytest

from target_gainsight.settings.parsing import parse_settings
from target_gainsight.settings.stream_settings import ObjectType, StreamSettings
from target_gainsight.sinks import sink_class
from target_gainsight.sinks.stream import StreamSink


def stream(**entry: str) -> StreamSettings:
    if entry["object_type"] == "custom_object":
        entry["custom_object_name"] = "Any__gc"
    found = parse_settings({"domain": "sandbox", "streams": {"a": entry}}).for_stream("a")
    assert found is not None
    return found


@pytest.mark.parametrize("object_type", get_args(ObjectType))
def test_every_object_type_has_a_sink(object_type: ObjectType) -> None:
    assert issubclass(sink_class(stream(object_type=object_type)), StreamSink)


def test_bulk_stream_uses_files_for_any_object() -> None:
    bulk = stream(object_type="company", transport="bulk", bulk_job_id="1")
    assert sink_class(bulk).__name__ == "BulkCsvSink"
