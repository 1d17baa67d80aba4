"""Company, Relationship and custom objects, by the records API; Person, by the People API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from typing_extensions import override

from target_gainsight.loading.classification import ExistingOnInsert
from target_gainsight.loading.deletes.deleted_rows import RowStream
from target_gainsight.loading.deletes.row_deleter import DeleteWriter, RowDeleter
from target_gainsight.loading.loader import RecordLoader
from target_gainsight.loading.outcomes import Outcome, reason_of_fields
from target_gainsight.loading.reading.api_rows import LINK_OBJECT, Comparison, PeopleRows
from target_gainsight.loading.reading.current_rows import GSID, ObjectReader, RowReader
from target_gainsight.loading.reading.fallback_rows import FallbackRows
from target_gainsight.loading.records import LoadRecord, SourceRecord
from target_gainsight.loading.writing.per_record_writers import PeopleWriter
from target_gainsight.loading.writing.records_writer import RecordsWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.sinks.object_sink import ObjectSink
from target_gainsight.sinks.stream import DELETED_AT


class RecordsSink(ObjectSink):
    """Loads companies, relationships or a custom object, 50 records in a call."""

    @override
    def setup(self) -> None:
        super().setup()
        if self.stream.deletes == "delete":
            self.logger.info(
                "stream %s: deletes are on: a record with _sdc_deleted_at deletes its row of %s, "
                "at most %d in this run (max_deletes)",
                self.stream_name,
                self.object_name,
                self.stream.max_deletes,
            )

    @override
    def take_deleted(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Add a record to its group that deletes its row; it has its lookup keys only."""
        deleted_at = source.message["record"][DELETED_AT]
        if self.stream.deletes != "delete" or not deleted_at or is_blank(deleted_at):
            super().take_deleted(record, source)
            return
        try:
            fields = self.mapper.map_keys(record)
        except RecordRejectedError as error:
            self.ledger.record_source(source, Outcome.REJECTED, reason_of_fields(error.errors))
            return
        loaded = LoadRecord(source, fields, deletes=True)
        loaded.references = {
            plan.target: plan.references_of(record)
            for plan in self.lookups.lookups
            if plan.target in self.plan.keys
        }
        self._append(loaded)

    @override
    def _make_loader(self) -> RecordLoader:
        loader = super()._make_loader()
        if self.stream.deletes != "delete":
            return loader
        records, schema, plan = self.client.records, self._object_schema, self.context.plan
        writer: Writer = DeleteWriter(records, self.object_name, self.clock)
        if plan is not None:
            plan.streams[self.stream_name].max_deletes = self.stream.max_deletes
            writer = loader.writer
        loader.deleter = RowDeleter(
            stream=RowStream(self.stream_name, self.object_name, self.plan.keys, schema),
            max_deletes=self.stream.max_deletes,
            records=records,
            deleted=self.context.deleted_rows,
            writer=writer,
            resends=loader.resends,
            pool=loader.pool,
            plan=plan,
        )
        return loader

    @override
    def _make_parts(self) -> tuple[RowReader | None, Writer, Comparison]:
        keys, comparison, current = self._keys.names, Comparison(self.mapper), self._read_rows()
        dates = (
            name
            for name, converter in self.mapper.converters.items()
            if converter.field and converter.field.data_type == "DATE"
        )
        only_new = self.stream.sync_mode == "insert"
        writer = RecordsWriter(
            records=self.client.records,
            object_name=self.object_name,
            keys=keys,
            date_fields=frozenset(dates),
            date_format=self.stream.date_format,
            recovery=self._recover_creates(current, comparison, only_new=only_new),
            clock=self.clock,
            batch_size=self.batch_size,
        )
        if current is None or not self.plan.fallback_keys:
            return current, writer, comparison
        by = self._reader_of(self.plan.fallback_keys)
        fallback = replace(current, keys=by, required=(GSID, *keys))
        context, name = self.context, self.object_name.lower()
        deleted = context.plan.deleted if context.plan else ()
        claimed = context.claimed_rows[name]
        return FallbackRows(current, keys, fallback, by, claimed, deleted), writer, comparison


class PersonSink(ObjectSink):
    """Loads people, one in a call; they are identified by Email."""

    call_kinds = ("person", "person")
    existing_on_insert: ExistingOnInsert = "skipped"
    fixed_keys = ("Email",)

    @override
    def _make_parts(self) -> tuple[RowReader | None, Writer, Comparison]:
        fields, links = self.lookups.link_fields, self.stream.company_links
        rows = PeopleRows(
            reader=ObjectReader(self.client.records, self.object_name),
            keys=self._keys,
            ruled=tuple(self.stream.field_rules),
            links=ObjectReader(self.client.records, LINK_OBJECT),
            link_fields=tuple(fields),
        )
        on_no_match = links.on_no_match if links else "reject"
        writer = PeopleWriter(self.client.people, on_no_match=on_no_match)
        converters = {name: each for name, (_, each) in fields.items()}
        comparison = Comparison(self.mapper, link_fields=converters)
        return rows, writer, comparison
