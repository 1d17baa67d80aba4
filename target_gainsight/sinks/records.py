"""Company, Relationship and custom objects: written through the records API, 50 in a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from target_gainsight.api import MAX_RECORDS
from target_gainsight.loading.deletes.deleted_rows import RowStream
from target_gainsight.loading.deletes.row_deleter import RowDeleter, WholeRowReader
from target_gainsight.loading.dry_run.plan import PlanningWriter
from target_gainsight.loading.outcomes import Outcome, reason_of_fields
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, RowReader
from target_gainsight.loading.reading.fallback_rows import FallbackRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.records import LoadRecord, SourceRecord
from target_gainsight.loading.writing.create_recovery import CreateRecovery
from target_gainsight.loading.writing.delete_writer import DeleteWriter
from target_gainsight.loading.writing.delivery import ResendPolicy
from target_gainsight.loading.writing.records_writer import RecordsWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.sinks.object_sink import ObjectSink
from target_gainsight.sinks.stream import DELETED_AT


class RecordsSink(ObjectSink):
    """Loads one stream through the records API."""

    MAX_SIZE_DEFAULT = MAX_RECORDS

    @override
    def setup(self) -> None:
        super().setup()
        if self._deletes:
            self.logger.info(
                "stream %s: deletes are on: a record with _sdc_deleted_at deletes its row of %s, "
                "at most %d in this run (max_deletes)",
                self.stream_name,
                self.object_name,
                self.stream.max_deletes,
            )

    @property
    def _deletes(self) -> bool:
        """Whether records that the source has deleted delete their rows."""
        return self.stream.deletes == "delete"

    @override
    def take_deleted(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Add a record to its group that deletes its row; it has its lookup keys only."""
        deleted_at = source.message["record"][DELETED_AT]
        if not self._deletes or not deleted_at or is_blank(deleted_at):
            super().take_deleted(record, source)
            return
        try:
            fields = self.mapper.map_keys(record)
        except RecordRejectedError as error:
            self.ledger.record_source(source, Outcome.REJECTED, reason_of_fields(error.errors))
            return
        loaded = LoadRecord(source, fields, deletes=True)
        loaded.references = {
            plan.target: plan.reference_of(record)
            for plan in self.lookups.lookups
            if plan.target in self.plan.keys
        }
        if self._lookup_index is not None:
            self._lookup_index.on_expected_delete(self.object_name)
        self._append(loaded)

    @override
    def make_deleter(
        self, planning: PlanningWriter | None, resends: ResendPolicy
    ) -> RowDeleter | None:
        if not self._deletes:
            return None
        records, schema = self.client.records, self._object_schema
        if self.context.plan is not None:
            self.context.plan.stream(self.stream_name).max_deletes = self.stream.max_deletes
        fields = [field.name for field in schema.fields] if schema else []
        return RowDeleter(
            stream=RowStream(self.stream_name, self.object_name, self.plan.keys, schema),
            max_deletes=self.stream.max_deletes,
            reader=WholeRowReader(records, self.object_name, fields),
            deleted=self.context.deleted_rows,
            writer=planning or DeleteWriter(records, self.object_name, self.clock),
            resends=resends,
            pool=self.context.pool,
            plan=self.context.plan,
        )

    @override
    def rows(self, keys: KeyReader) -> CurrentRows:
        ruled = tuple(self.stream.field_rules)
        return CurrentRows(self.client.records, self.object_name, keys, ruled=ruled)

    @override
    def with_fallback(self, rows: RowReader, keys: KeyReader) -> RowReader:
        if not self.plan.fallback_keys:
            return rows
        fallback_keys = KeyReader.of(self.plan.fallback_keys, self.mapper)
        fallback = CurrentRows(
            self.client.records,
            self.object_name,
            fallback_keys,
            required=(GSID, *keys.names),
            ruled=tuple(self.stream.field_rules),
        )
        claimed = self.context.claimed_rows[self.object_name.lower()]
        return FallbackRows(rows, keys.names, fallback, fallback_keys, claimed)

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
