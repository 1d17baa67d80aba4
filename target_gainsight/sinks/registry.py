"""Which sink loads a stream. A kind's modules are imported when a stream is of that kind."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from target_gainsight.settings.stream_settings import StreamSettings
from target_gainsight.sinks.stream import StreamSink

BULK = ("files", "BulkCsvSink")
SINKS = {
    "company": ("records", "CompanySink"),
    "person": ("people", "PersonSink"),
    "relationship": ("records", "RelationshipSink"),
    "custom_object": ("records", "CustomObjectSink"),
    "timeline": ("timeline", "TimelineSink"),
    "cta": ("cta", "CtaSink"),
    "survey_csv": ("files", "SurveyCsvSink"),
}
"""Object type to the module here and its sink."""


def sink_class(stream: StreamSettings) -> type[StreamSink]:
    """Choose the sink of a stream.

    Returns:
        The sink's class.
    """
    module, name = BULK if stream.transport == "bulk" else SINKS[stream.object_type]
    sinks = import_module(f"target_gainsight.sinks.{module}")
    return cast("type[StreamSink]", getattr(sinks, name))
