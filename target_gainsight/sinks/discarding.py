"""The sink of a stream that the stream maps exclude."""

from __future__ import annotations

from typing import Any

from singer_sdk.sinks import RecordSink
from typing_extensions import override


class DiscardingSink(RecordSink):
    """Takes records and keeps none."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Forget the record."""
