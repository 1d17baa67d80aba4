"""One sink per stream: what a stream becomes in Gainsight."""

from __future__ import annotations

from target_gainsight.sinks.discarding import DiscardingSink
from target_gainsight.sinks.registry import sink_class
from target_gainsight.sinks.stream import StreamSink

__all__ = ["DiscardingSink", "StreamSink", "sink_class"]
