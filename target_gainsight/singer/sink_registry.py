"""The sinks of a run's streams, made and changed as SCHEMA messages arrive."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol, cast

from singer_sdk.mapper import PluginMapper, RemoveRecordTransform
from singer_sdk.sinks import Sink

from target_gainsight.mapping.errors import display
from target_gainsight.singer.schemas.merge import merge_schemas, with_undeclared
from target_gainsight.sinks import StreamSink

logger = logging.getLogger(__name__)

CHANGES_BEFORE_WARNING = 3


class MakeSink(Protocol):
    """Makes the sink of a stream, or returns the one it has if its schema is the same."""

    def __call__(
        self, stream_name: str, *, schema: dict[str, Any], key_properties: list[str] | None
    ) -> Sink:
        """Return the sink; the stream's former one is settled already."""


class SinkRegistry:
    """The sinks by stream, named as they come out of the stream maps; excluded ones have none.

    Args:
        mapper: The stream maps.
        sinks: The sinks as the SDK keeps them.
        make_sink: The SDK's function that makes a sink.
    """

    def __init__(
        self, mapper: PluginMapper, sinks: Mapping[str, Sink], make_sink: MakeSink
    ) -> None:
        self._mapper = mapper
        self._sinks = sinks
        self._make_sink = make_sink
        self._changes: Counter[str] = Counter()

    @property
    def loading(self) -> tuple[StreamSink, ...]:
        """The sinks of all streams."""
        return tuple(cast("StreamSink", sink) for sink in self._sinks.values())

    def find(self, stream_name: str) -> StreamSink | None:
        """Return the sink of a stream, or None for a stream that is excluded."""
        return cast("StreamSink | None", self._sinks.get(stream_name))

    def _is_excluded(self, stream_name: str) -> bool:
        """Return whether the stream maps exclude a stream."""
        all_maps = chain.from_iterable(self._mapper.stream_maps.values())
        maps = [each for each in all_maps if each.stream_alias == stream_name]
        return bool(maps) and all(isinstance(each, RemoveRecordTransform) for each in maps)

    def open(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Make the sink of a stream that is not excluded, or change the one it has.

        A changed schema is merged into that of the sink. Only where that cannot be done, the sink
        is settled and a new one made.
        """
        if self._is_excluded(stream_name):
            return
        keys = list(key_properties or ())
        before = self.find(stream_name)
        if before is not None:
            schema = merge_schemas(before.original_schema, schema)
            if before.adopt_schema(schema, keys):
                return
            self._changes[stream_name] += 1
            if self._changes[stream_name] == CHANGES_BEFORE_WARNING:
                logger.warning(
                    "stream %s: its schema changes again and again in ways that cannot be merged; "
                    "at each change everything before it is written first, which costs calls. Let "
                    "the tap send one SCHEMA message for all records",
                    display(stream_name),
                )
            before.settle()
        sink = self._make_sink(stream_name, schema=schema, key_properties=keys)
        cast("StreamSink", sink).begin()

    def declare_columns(self, stream_name: str, columns: Iterable[str]) -> StreamSink:
        """Add columns that records carry and no SCHEMA message declares.

        Returns:
            The stream's sink, which may be another than before.
        """
        sink = self._sinks[stream_name]
        schema = with_undeclared(sink.original_schema, columns)
        self.open(stream_name, schema, sink.key_properties)
        return cast("StreamSink", self._sinks[stream_name])
