"""Timeline activities: written through the Timeline API, identified by their ExternalId."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from target_gainsight.api import MAX_ACTIVITIES
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.writing.timeline_writer import TimelineWriter
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.composite_key import joined_keys
from target_gainsight.mapping.planning.static_schemas import EXTERNAL_ID
from target_gainsight.sinks.static_schema_sink import DocumentedSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api import ObjectSchema
    from target_gainsight.loading.lookups.plans import References
    from target_gainsight.loading.outcomes import Arrival
    from target_gainsight.loading.reading.current_rows import CurrentRows
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.loading.writing.writer import Writer


class TimelineSink(DocumentedSink):
    """Loads Timeline activities.

    Where the stream brings no ExternalId, its key properties, joined, are one.
    """

    MAX_SIZE_DEFAULT = MAX_ACTIVITIES
    call_kinds: ClassVar[tuple[str, str]] = ("timeline", "timeline")
    needs_rows: ClassVar[bool] = False

    @override
    def take(self, record: Mapping[str, Any], arrival: Arrival) -> None:
        if self._joins_keys:
            record = {**record, EXTERNAL_ID: joined_keys(record, self.key_properties)}
        super().take(record, arrival)

    @cached_property
    def _joins_keys(self) -> bool:
        """Whether the ExternalId is made of the key properties."""
        given = (*self._carried(), *self.stream.constants)
        return EXTERNAL_ID not in given

    @override
    def _columns(self) -> tuple[Column, ...]:
        columns = super()._columns()
        if not self._joins_keys:
            return columns
        if not self.key_properties:
            message = (
                f"stream {self.stream_name}: an activity needs an ExternalId, and the stream has "
                "no key properties to make one of; map a column to it (field_mapping: "
                "{id: ExternalId}), or compute it in a stream map"
            )
            raise RunStoppedError(message)
        return (*columns, Column(EXTERNAL_ID, frozenset({"string"})))

    @override
    def _held_columns(self, references: References) -> frozenset[str]:
        held = super()._held_columns(references)
        return held.union(self.key_properties) if self._joins_keys else held

    @override
    def _choose_keys(self, carried: set[str], schema: ObjectSchema | None) -> tuple[str, ...]:
        return (EXTERNAL_ID,)

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        return TimelineWriter(
            self.run.client.timeline,
            cast("CurrentRows", rows),  # an activity always has a key, and so rows
            self._comparison(),
            updates_known=self.stream.sync_mode != "insert",
            clock=self.run.clock,
            batch_size=self.batch_size_rows or MAX_ACTIVITIES,
        )
