"""Company, Relationship and custom objects: written through the records API, 50 in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from target_gainsight.api import MAX_RECORDS
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows
from target_gainsight.loading.reading.fallback_rows import FallbackRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.writing.create_recovery import CreateRecovery
from target_gainsight.loading.writing.records_writer import RecordsWriter
from target_gainsight.sinks.object_sink import ObjectSink

if TYPE_CHECKING:
    from target_gainsight.loading.writing.writer import Writer


class RecordsSink(ObjectSink):
    """Loads one stream through the records API."""

    MAX_SIZE_DEFAULT = MAX_RECORDS

    @override
    def rows(self, keys: KeyReader) -> CurrentRows:
        ruled = tuple(self.stream.field_rules)
        return CurrentRows(self.client.records, self.object_name, keys, ruled=ruled)

    @override
    def with_fallback(self, rows: CurrentRows, keys: KeyReader) -> CurrentRows:
        if not self.plan.fallback_keys:
            return rows
        fallback_keys = KeyReader(self.plan.fallback_keys, self.mapper)
        fallback = CurrentRows(
            self.client.records,
            self.object_name,
            fallback_keys,
            required=(GSID, *keys.names),
            ruled=tuple(self.stream.field_rules),
        )
        claimed = self.context.claimed_rows[self.object_name.lower()]
        return FallbackRows(rows, keys, fallback, fallback_keys, claimed)

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        recovery = CreateRecovery(
            rows,
            self.mapper,
            self.clock,
            self._limits.request_timeout,
            only_new=self.stream.sync_mode == "insert",
        )
        return RecordsWriter(
            self.client.records,
            self.object_name,
            keys=keys.names,
            date_fields=self._date_fields(),
            date_format=self.stream.date_format,
            recovery=recovery,
            clock=self.clock,
            batch_size=self.batch_size_rows or MAX_RECORDS,
        )

    def _date_fields(self) -> frozenset[str]:
        fields = (converter.field for converter in self.mapper.converters.values())
        return frozenset(field.name for field in fields if field and field.data_type == "DATE")


class CompanySink(RecordsSink):
    """Loads companies."""


class RelationshipSink(RecordsSink):
    """Loads relationships."""


class CustomObjectSink(RecordsSink):
    """Loads a custom object."""
