"""Timeline activities and CTAs, by APIs of their own, whose documentation names the fields."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from typing_extensions import override

from target_gainsight.api import MAX_RECORDS, ObjectSchema
from target_gainsight.loading.classification import ExistingOnInsert
from target_gainsight.loading.object_schemas import read_static_schema
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.api_rows import (
    DocumentedComparison,
    DocumentedRows,
    RecordMap,
)
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, ObjectReader, RowReader
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.writing.create_recovery import CreateRecovery
from target_gainsight.loading.writing.per_record_writers import CtaWriter, TimelineWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import (
    AUTHOR,
    AUTHOR_ID,
    EXPECTED_FIELDS,
    EXTERNAL_ID,
    READ_AS,
    UNCOMPARED,
    static_schema,
)
from target_gainsight.mapping.types.strings import join_keys
from target_gainsight.mapping.write_rules import WriteRules
from target_gainsight.settings.stream_settings import DUE_DATE
from target_gainsight.sinks.object_sink import ObjectSink

EMAIL = "Email"


class StaticSchemaSink(ObjectSink):
    """Loads one stream into an object that has an API of its own.

    Attributes:
        needs_rows: Whether nothing can be written safely without a look at what is there.
    """

    existing_on_insert: ExistingOnInsert = "compared"
    html_by_default = frozenset({"Notes", "Comments"})
    needs_rows: bool

    @abstractmethod
    def _make_writer(self, rows: CurrentRows | None, comparison: RecordMap) -> Writer:
        """Return the writer of batches."""

    @override
    def _make_parts(self) -> tuple[RowReader | None, Writer, RecordMap]:
        known = {field.name for field in self._describe().fields}  # others are sent unchecked
        compared = known - UNCOMPARED.get(self.object_name, frozenset()) - self._only_new
        comparison = DocumentedComparison(self.mapper, frozenset(compared))
        rows: CurrentRows | None = None
        if self._keys.names:
            rows = DocumentedRows(
                reader=ObjectReader(self.client.records, self.object_name),
                keys=self._keys,
                required=(GSID,) if self.needs_rows else (),
                compared=frozenset(compared),
                read_as=READ_AS.get(self.object_name, {}),
                needed=self.needs_rows,
                ruled=tuple(self.stream.field_rules),
            )
        return rows, self._make_writer(rows, comparison), comparison

    @property
    def _only_new(self) -> frozenset[str]:
        """The fields that are written when a row is created and left alone by later runs.

        A due date so many days ahead counts from the run that creates the CTA.
        """
        return frozenset() if self.stream.days_until_due is None else frozenset({DUE_DATE})

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        """Decide anew; a field that was not known before needs other reads, and so a new sink."""
        mentioned = static_schema(self.object_name, self._mentioned()).fields
        known = all(self._describe().field(field.name) for field in mentioned)
        return known and super().plan_again(keys_changed=keys_changed)

    @override
    def _describe(self) -> ObjectSchema:
        return self._object_schema or read_static_schema(
            self.object_name,
            self._mentioned(),
            describe=self.context.schemas.get_if_readable,
            cockpit=self.client.cockpit,
        )

    def _mentioned(self) -> tuple[str, ...]:
        stream = self.stream
        return (*sorted(self._filled_fields()), *stream.lookup_keys, *stream.field_rules)


class CtaSink(StaticSchemaSink):
    """Loads CTAs; they are identified by lookup keys of the stream's choice."""

    call_kinds = ("cta", "cta")
    needs_rows = True
    name_identifies = False

    @override
    def _make_writer(self, rows: CurrentRows | None, comparison: RecordMap) -> Writer:
        timeout = self.context.settings.limits.request_timeout
        return CtaWriter(
            cockpit=self.client.cockpit,
            not_changed=self._only_new.union(self._keys.names),
            recovery=CreateRecovery(rows, comparison, self.clock, timeout, only_new=False),
            clock=self.clock,
            batch_size=min(self.batch_size_rows or MAX_RECORDS, MAX_RECORDS),
        )


class TimelineSink(StaticSchemaSink):
    """Loads Timeline activities.

    Where the stream brings no ExternalId, its key properties, joined, are one. Where it brings no
    Author, the email by which AuthorId is looked up is the author.
    """

    call_kinds = ("timeline", "timeline")
    fixed_keys = (EXTERNAL_ID,)
    needs_rows = False

    @override
    def setup(self) -> None:
        super().setup()
        filled = self._filled_fields()
        missing = [name for name in EXPECTED_FIELDS if name not in filled]
        if missing and self.stream.sync_mode != "update":
            self.logger.warning(
                "stream %s: nothing fills %s; Gainsight probably refuses to save an activity "
                "without it. Map a column to it, or set a constant",
                display(self.stream_name),
                " and ".join(missing),
            )

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        derived: dict[str, Any] = {}
        if self._joins_keys:
            derived[EXTERNAL_ID] = join_keys(record, self.key_properties)
        author = record.get(self._author_column) if self._author_column else None
        if author:
            derived[AUTHOR] = author
        super().take({**record, **derived} if derived else record, source)

    @cached_property
    def _joins_keys(self) -> bool:
        """Whether the ExternalId is made of the key properties."""
        return EXTERNAL_ID not in self._filled_fields()

    @cached_property
    def _author_column(self) -> str | None:
        """The column whose email identifies the user, where nothing else fills Author."""
        lookup = self.stream.lookups.get(AUTHOR_ID)
        if lookup is None or AUTHOR in self._filled_fields():
            return None
        return next((column for column, match in lookup.fields.items() if match == EMAIL), None)

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        """Decide anew; a new sink takes other key properties, or an ExternalId, after all."""
        if self._joins_keys and (keys_changed or EXTERNAL_ID in self._filled_fields()):
            return False
        return super().plan_again(keys_changed=keys_changed)

    @override
    def _spec(self, keys: tuple[str, ...]) -> MappingSpec:
        spec = super()._spec(keys)
        if self._author_column is not None:
            author = Column(AUTHOR, frozenset({"string"}))
            spec = replace(spec, columns=(*spec.columns, author))
        if not self._joins_keys:
            return spec
        if not self.key_properties:
            message = (
                f"stream {self.stream_name}: an activity needs an ExternalId, and the stream has "
                "no key properties to make one of; map a column to it (field_mapping: "
                "{id: ExternalId}), or compute it in a stream map"
            )
            raise RunStoppedError(message)
        return replace(
            spec,
            columns=(*spec.columns, Column(EXTERNAL_ID, frozenset({"string"}))),
            lookup_columns=spec.lookup_columns.union(self.key_properties),
        )

    @override
    def _make_writer(self, rows: CurrentRows | None, comparison: RecordMap) -> Writer:
        return TimelineWriter(
            timeline=self.client.timeline,
            rows=cast("CurrentRows", rows),  # an activity always has a key, and so rows
            comparison=comparison,
            rules=WriteRules(self.stream.field_rules) if self.stream.field_rules else None,
            updates_known=self.stream.sync_mode != "insert",
            clock=self.clock,
            batch_size=min(self.batch_size_rows or MAX_RECORDS, MAX_RECORDS),
        )
