"""One sink per stream: what a stream becomes in Gainsight."""

from target_gainsight.settings.stream_settings import StreamSettings
from target_gainsight.sinks.files import BulkCsvSink, SurveyCsvSink
from target_gainsight.sinks.kinds import CtaSink, PersonSink, RecordsSink, TimelineSink
from target_gainsight.sinks.stream import StreamSink

SINKS: dict[str, type[StreamSink]] = {
    "company": RecordsSink,
    "person": PersonSink,
    "relationship": RecordsSink,
    "custom_object": RecordsSink,
    "timeline": TimelineSink,
    "cta": CtaSink,
    "survey_csv": SurveyCsvSink,
}
"""The sink of each object type."""


def sink_class(stream: StreamSettings) -> type[StreamSink]:
    """Choose the sink of a stream."""
    return BulkCsvSink if stream.transport == "bulk" else SINKS[stream.object_type]
