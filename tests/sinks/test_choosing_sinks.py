"""Every object type has a sink, which is imported on demand."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from target_gainsight.settings.parsing import parse_settings
from target_gainsight.settings.stream_settings import ObjectType, StreamSettings
from target_gainsight.sinks import StreamSink, sink_class


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


def test_unused_sinks_are_not_imported() -> None:
    code = "import sys, target_gainsight.target; print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", code]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "target_gainsight.sinks.stream" in imported
    for unneeded in ("sinks.cta", "sinks.files", "loading.uploads", "sandbox"):
        assert f"target_gainsight.{unneeded}" not in imported
