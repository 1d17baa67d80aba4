"""The kinds of objects: how the rows of each are read, written and compared."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.classification import Comparison, ExistingOnInsert
from target_gainsight.loading.deletes import RowDeleter
from target_gainsight.loading.dry_run import PlanningWriter
from target_gainsight.loading.keys import LINK_OBJECT
from target_gainsight.loading.loader import RecordLoader
from target_gainsight.loading.reading.current_rows import (
    GSID,
    CurrentRows,
    FallbackRows,
    ObjectReader,
    PeopleRows,
)
from target_gainsight.loading.records import LoadRecord, SourceRecord
from target_gainsight.loading.writing.per_record_writers import (
    CtaWriter,
    PeopleWriter,
    TimelineWriter,
)
from target_gainsight.loading.writing.records_writer import RecordsWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.planning.static_schemas import (
    AUTHOR,
    AUTHOR_ID,
    EXTERNAL_ID,
    READ_AS,
    UNCOMPARED,
    static_schema,
)
from target_gainsight.mapping.record_mapper import WriteRules
from target_gainsight.settings.stream_settings import DUE_DATE
from target_gainsight.sinks.object_sink import ObjectSink


class RecordsSink(ObjectSink):
    """Loads companies, relationships or a custom object, 50 records in a call."""

    @override
    def take_deleted(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        if self.stream.deletes != "delete":
            super().take_deleted(record, source)
            return
        fields = self.mapper.map_keys(record)
        references = self.lookups.references_of(record)
        references = {name: each for name, each in references.items() if name in self.plan.keys}
        self._append(LoadRecord(source, fields, references=references, deletes=True))

    @override
    def _make_loader(self) -> RecordLoader:
        loader = super()._make_loader()
        if self.stream.deletes != "delete":
            return loader
        self.logger.info(
            "stream %s: deletes are on: a record with _sdc_deleted_at deletes its row of %s, "
            "at most %d in this run (max_deletes)",
            self.stream_name,
            self.object_name,
            self.stream.max_deletes,
        )
        if self.context.plan is not None:
            self.context.plan.streams[self.stream_name].max_deletes = self.stream.max_deletes
        loader.deleter = RowDeleter(
            stream=self.stream_name,
            spec=self.plan,
            reader=ObjectReader(self.client.records, self.object_name),
            deleted=self.context.deleted_rows,
            clock=self.clock,
            max_retry_seconds=loader.limits.max_retry_seconds,
            pool=loader.pool,
            planning=loader.writer if isinstance(loader.writer, PlanningWriter) else None,
        )
        return loader

    @override
    def _make_parts(self) -> tuple[CurrentRows, Writer, Comparison]:
        comparison = Comparison(self.mapper)
        reader = ObjectReader(self.client.records, self.object_name)
        rows = current = self._current_rows(reader=reader)
        if self.plan.fallback_keys:
            by = self._reader_of(self.plan.fallback_keys)
            required = (GSID, *self._keys.names)
            fallback = self._current_rows(reader=reader, keys=by, required=required)
            claimed = self.context.claimed_rows[self.object_name.lower()]
            rows = self._current_rows(
                FallbackRows, reader=reader, fallback=fallback, claimed=claimed
            )
        dates = (
            name
            for name, converter in self.mapper.converters.items()
            if converter.field and converter.field.data_type == "DATE"
        )
        writer = RecordsWriter(
            date_fields=frozenset(dates),
            date_format=self.stream.date_format,
            rows=current,
            comparison=comparison,
            clock=self.clock,
            timeout=self.context.settings.limits.request_timeout,
            only_new=self.stream.sync_mode == "insert",
            batch_size=self.batch_size,
        )
        return rows, writer, comparison


class PersonSink(ObjectSink):
    """Loads people, one in a call; they are identified by Email."""

    call_kinds = ("person", "person")
    existing_on_insert: ExistingOnInsert = "skipped"

    @override
    def _make_parts(self) -> tuple[CurrentRows, Writer, Comparison]:
        fields, links = self.lookups.link_fields, self.stream.company_links
        reader = ObjectReader(self.client.records, LINK_OBJECT)
        rows = self._current_rows(PeopleRows, links=reader, link_fields=tuple(fields))
        on_no_match = links.on_no_match if links else "reject"
        writer = PeopleWriter(self.client.people, on_no_match=on_no_match)
        converters = {name: each for name, (_, each) in fields.items()}
        return rows, writer, Comparison(self.mapper, link_fields=converters)


class StaticSchemaSink(ObjectSink):
    """Loads one stream into an object that has an API of its own."""

    existing_on_insert: ExistingOnInsert = "compared"
    needs_rows: bool
    """Nothing can be written safely unless the existing rows are read."""

    @abstractmethod
    def _make_writer(self, rows: CurrentRows, comparison: Comparison) -> Writer: ...

    @override
    def _make_parts(self) -> tuple[CurrentRows, Writer, Comparison]:
        known = {field.name for field in self._static_fields}  # others are sent unchecked
        compared = frozenset(known - UNCOMPARED.get(self.object_name, frozenset()) - self._only_new)
        comparison = Comparison(self.mapper, compared)
        rows = self._current_rows(
            required=(GSID,) if self.needs_rows else (),
            compared=compared,
            read_as=READ_AS.get(self.object_name, {}),
            may_stay_unread=not (self.needs_rows or self.stream.field_rules),
        )
        return rows, self._make_writer(rows, comparison), comparison

    @property
    def _only_new(self) -> frozenset[str]:
        """A due date some days ahead counts from the run that creates the CTA."""
        return frozenset() if self.stream.days_until_due is None else frozenset({DUE_DATE})

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        # A field that was not known before needs other reads, and so a new sink.
        known = {field.name for field in self._static_fields}
        mentioned = static_schema(self.object_name, self._mentioned()).fields
        fits = known.issuperset(field.name for field in mentioned)
        return fits and super().plan_again(keys_changed=keys_changed)

    @override
    def _describe(self) -> ObjectSchema:
        return self.context.schemas.get_static(self.object_name, self._mentioned())

    def _mentioned(self) -> tuple[str, ...]:
        stream = self.stream
        return (*sorted(self._filled_fields()), *stream.lookup_keys, *stream.field_rules)


class CtaSink(StaticSchemaSink):
    """Loads CTAs; they are identified by lookup keys of the stream's choice."""

    call_kinds = ("cta", "cta")
    needs_rows = True

    @override
    def _make_writer(self, rows: CurrentRows, comparison: Comparison) -> Writer:
        return CtaWriter(
            cockpit=self.client.cockpit,
            not_changed=self._only_new.union(self._keys.names),
            rows=rows,
            comparison=comparison,
            clock=self.clock,
            timeout=self.context.settings.limits.request_timeout,
            batch_size=self.batch_size,
        )


class TimelineSink(StaticSchemaSink):
    """Loads Timeline activities.

    Where the stream brings no ExternalId, its key properties, joined, are one. Where it brings no
    Author, the email by which AuthorId is looked up is the author.
    """

    call_kinds = ("timeline", "timeline")
    needs_rows = False

    @override
    def _derive(self) -> dict[str, Sequence[str]]:
        filled, lookup = self._filled_fields(), self.stream.lookups.get(AUTHOR_ID)
        emails = [] if lookup is None else [n for n, to in lookup.fields.items() if to == "Email"]
        derived = {EXTERNAL_ID: self.key_properties, AUTHOR: emails[:1]}
        return {name: each for name, each in derived.items() if each and name not in filled}

    @override
    def _make_writer(self, rows: CurrentRows, comparison: Comparison) -> Writer:
        return TimelineWriter(
            timeline=self.client.timeline,
            rows=rows,
            comparison=comparison,
            rules=WriteRules(self.stream.field_rules),
            updates_existing=self.stream.sync_mode != "insert",
            batch_size=self.batch_size,
        )
