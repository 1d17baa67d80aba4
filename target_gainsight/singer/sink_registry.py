"""The part of the target that finds the sink of a stream."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from target_gainsight.mapping.errors import shown
from target_gainsight.singer.config import ConfiguredTarget
from target_gainsight.singer.schemas.merge import merge_schemas, with_undeclared
from target_gainsight.sinks import DiscardingSink, StreamSink, sink_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.sinks import Sink

    from target_gainsight.loading.context import Run

logger = logging.getLogger(__name__)

CHANGES_BEFORE_WARNING = 3


class RoutedTarget(ConfiguredTarget):
    """A target whose streams have sinks by the settings and the stream maps."""

    default_sink_class = StreamSink

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self._changes: Counter[str] = Counter()

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
        """Return the sink of a stream.

        A changed schema is merged into that of the sink. Only where that cannot be done, the sink
        is settled and a new one made.

        Args:
            stream_name: The stream's name as it comes out of the stream maps.
            record: Not used.
            schema: The stream's schema, in a SCHEMA message.
            key_properties: Its key properties, in a SCHEMA message.

        Returns:
            The sink.
        """
        before = self._sinks_active.get(stream_name)
        keys = cast("list[str] | None", key_properties)  # as JSON has them
        if schema is None or not isinstance(before, StreamSink):
            return super().get_sink(stream_name, record=record, schema=schema, key_properties=keys)
        if list(before.key_properties) == list(key_properties or ()):
            merged = merge_schemas(before.original_schema, schema)
            if merged is not None:
                if merged == before.original_schema or before.adopt_schema(merged):
                    return before
                schema = merged
        self._warn_of_changes(stream_name)
        before.settle()
        return super().get_sink(stream_name, schema=schema, key_properties=keys)

    def _warn_of_changes(self, stream_name: str) -> None:
        self._changes[stream_name] += 1
        if self._changes[stream_name] == CHANGES_BEFORE_WARNING:
            logger.warning(
                "stream %s: its schema changes again and again in ways that cannot be merged; at "
                "each change everything before it is written first, which costs calls. Let the "
                "tap send one SCHEMA message for all records",
                shown(stream_name),
            )

    def declare_columns(self, stream_name: str, columns: Iterable[str]) -> StreamSink:
        """Add columns that records carry and no SCHEMA message declares.

        Args:
            stream_name: The stream's name as it comes out of the stream maps.
            columns: The columns.

        Returns:
            The stream's sink, which may be another than before.
        """
        sink = self._sinks_active[stream_name]
        schema = with_undeclared(sink.original_schema, columns)
        return cast(
            "StreamSink",
            self.get_sink(stream_name, schema=schema, key_properties=sink.key_properties),
        )

    @property
    def active_sinks(self) -> tuple[StreamSink, ...]:
        """The sinks that load; those that discard are left out."""
        return tuple(s for s in self._sinks_active.values() if isinstance(s, StreamSink))
