"""The part of the target that finds the sink of a stream."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from target_gainsight.singer.config import ConfiguredTarget
from target_gainsight.sinks import DiscardingSink, StreamSink, sink_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.sinks import Sink

    from target_gainsight.loading.context import Run


class RoutedTarget(ConfiguredTarget):
    """A target whose streams have sinks by the settings and the stream maps."""

    default_sink_class = StreamSink

    @property
    @abstractmethod
    def run(self) -> Run:
        """What all streams share."""

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Choose the sink of a stream by its settings.

        Args:
            stream_name: The stream's name as it comes out of the stream maps.

        Returns:
            The sink class; a discarding one for a stream that the maps exclude.

        Raises:
            RunStoppedError: No setting routes the stream.
        """
        if self._is_excluded(stream_name):
            return DiscardingSink
        return sink_class(self.run.stream_settings(stream_name))

    def _is_excluded(self, alias: str) -> bool:
        maps = [
            stream_map
            for stream_maps in self.mapper.stream_maps.values()
            for stream_map in stream_maps
            if stream_map.stream_alias == alias
        ]
        return bool(maps) and all(isinstance(each, RemoveRecordTransform) for each in maps)

    @override
    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        """Return the sink of a stream; on a schema change the old one is settled first.

        Args:
            stream_name: The stream's name as it comes out of the stream maps.
            record: Not used.
            schema: The stream's schema, in a SCHEMA message.
            key_properties: Its key properties, in a SCHEMA message.

        Returns:
            The sink.
        """
        before = self._sinks_active.get(stream_name)
        if schema is not None and isinstance(before, StreamSink):
            changed = before.original_schema != schema or before.key_properties != key_properties
            if changed:
                before.settle()
        keys = cast("list[str] | None", key_properties)  # as JSON has them
        return super().get_sink(stream_name, record=record, schema=schema, key_properties=keys)

    @property
    def active_sinks(self) -> tuple[StreamSink, ...]:
        """The sinks that load; those that discard are left out."""
        return tuple(s for s in self._sinks_active.values() if isinstance(s, StreamSink))
