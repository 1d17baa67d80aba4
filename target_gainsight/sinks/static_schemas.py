"""Timeline activities and CTAs, by APIs of their own, whose documentation names the fields."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import cast

from typing_extensions import override

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.classification import ExistingOnInsert
from target_gainsight.loading.object_schemas import read_static_schema
from target_gainsight.loading.reading.api_rows import Comparison
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, RowReader
from target_gainsight.loading.writing.per_record_writers import CtaWriter, TimelineWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.errors import display
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
from target_gainsight.sinks.object_sink import Derive, ObjectSink

EMAIL = "Email"


class StaticSchemaSink(ObjectSink):
    """Loads one stream into an object that has an API of its own.

    Attributes:
        needs_rows: Whether nothing can be written safely without a look at what is there.
    """

    existing_on_insert: ExistingOnInsert = "compared"
    needs_rows: bool

    @abstractmethod
    def _make_writer(self, rows: CurrentRows | None, comparison: Comparison) -> Writer:
        """Return the writer of batches."""

    @override
    def _make_parts(self) -> tuple[RowReader | None, Writer, Comparison]:
        known = {field.name for field in self._describe().fields}  # others are sent unchecked
        compared = known - UNCOMPARED.get(self.object_name, frozenset()) - self._only_new
        comparison = Comparison(self.mapper, frozenset(compared))
        rows = self._read_rows(
            required=(GSID,) if self.needs_rows else (),
            compared=frozenset(compared),
            read_as=READ_AS.get(self.object_name, {}),
            may_stay_unread=not (self.needs_rows or self.stream.field_rules),
        )
        return rows, self._make_writer(rows, comparison), comparison

    @property
    def _only_new(self) -> frozenset[str]:
        """A due date so many days ahead counts from the run that creates the CTA."""
        return frozenset() if self.stream.days_until_due is None else frozenset({DUE_DATE})

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        # A field that was not known before needs other reads, and so a new sink.
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
    def _make_writer(self, rows: CurrentRows | None, comparison: Comparison) -> Writer:
        return CtaWriter(
            cockpit=self.client.cockpit,
            not_changed=self._only_new.union(self._keys.names),
            recovery=self._recover_creates(rows, comparison, only_new=False),
            clock=self.clock,
            batch_size=self.batch_size,
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
    def _derive(self) -> Mapping[str, Derive]:
        filled, lookup = self._filled_fields(), self.stream.lookups.get(AUTHOR_ID)
        derived: dict[str, Derive] = {}
        if EXTERNAL_ID not in filled and self.key_properties:
            derived[EXTERNAL_ID] = lambda record: join_keys(record, self.key_properties)
        emails = [] if lookup is None else [n for n, to in lookup.fields.items() if to == EMAIL]
        if AUTHOR not in filled and emails:
            derived[AUTHOR] = lambda record: record.get(emails[0])
        return derived

    @override
    def _make_writer(self, rows: CurrentRows | None, comparison: Comparison) -> Writer:
        return TimelineWriter(
            timeline=self.client.timeline,
            rows=cast("CurrentRows", rows),  # an activity always has a key, and so rows
            comparison=comparison,
            rules=WriteRules(self.stream.field_rules) if self.stream.field_rules else None,
            updates_known=self.stream.sync_mode != "insert",
            clock=self.clock,
            batch_size=self.batch_size,
        )
