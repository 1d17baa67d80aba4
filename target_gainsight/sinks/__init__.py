"""One sink per stream: what a stream becomes in Gainsight."""

from __future__ import annotations

from target_gainsight.sinks.cta import CtaSink
from target_gainsight.sinks.discarding import DiscardingSink
from target_gainsight.sinks.files import BulkCsvSink, SurveyCsvSink
from target_gainsight.sinks.gainsight import GainsightSink
from target_gainsight.sinks.people import PersonSink
from target_gainsight.sinks.records import CompanySink, CustomObjectSink, RelationshipSink
from target_gainsight.sinks.stream import StreamSink
from target_gainsight.sinks.timeline import TimelineSink

__all__ = [
    "BulkCsvSink",
    "CompanySink",
    "CtaSink",
    "CustomObjectSink",
    "DiscardingSink",
    "GainsightSink",
    "PersonSink",
    "RelationshipSink",
    "StreamSink",
    "SurveyCsvSink",
    "TimelineSink",
]
