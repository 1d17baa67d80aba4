"""Timeline activities: written through the Timeline API, identified by their ExternalId."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, cast

from typing_extensions import override

from target_gainsight.api import MAX_ACTIVITIES, ObjectSchema
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.current_rows import CurrentRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.writing.per_record_writers import TimelineWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.composite_key import join_keys
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.planning.static_schemas import (
    AUTHOR,
    AUTHOR_ID,
    EXPECTED_FIELDS,
    EXTERNAL_ID,
)
from target_gainsight.mapping.write_rules import WriteRules
from target_gainsight.sinks.static_schema_sink import StaticSchemaSink

EMAIL = "Email"


class TimelineSink(StaticSchemaSink):
    """Loads Timeline activities.

    Where the stream brings no ExternalId, its key properties, joined, are one. Where it brings no
    Author, the email by which AuthorId is looked up is the author.
    """

    MAX_SIZE_DEFAULT = MAX_ACTIVITIES
    call_kinds: ClassVar[tuple[str, str]] = ("timeline", "timeline")
    needs_rows: ClassVar[bool] = False

    @override
    def setup(self) -> None:
        super().setup()
        missing = [name for name in EXPECTED_FIELDS if name not in self._filled_fields]
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

    @property
    def _filled_fields(self) -> frozenset[str]:
        """The fields that columns, lookups and constants fill."""
        return frozenset((*self._provided_fields(), *self.stream.constants))

    @cached_property
    def _joins_keys(self) -> bool:
        """Whether the ExternalId is made of the key properties."""
        return EXTERNAL_ID not in self._filled_fields

    @cached_property
    def _author_column(self) -> str | None:
        """The column whose email identifies the user, where nothing else fills Author."""
        lookup = self.stream.lookups.get(AUTHOR_ID)
        if lookup is None or AUTHOR in self._filled_fields:
            return None
        return next((column for column, match in lookup.fields.items() if match == EMAIL), None)

    @override
    def identifies_as_before(self) -> bool:
        return not self._joins_keys

    @override
    def plan_again(self) -> bool:
        """Decide anew; a new sink takes the ExternalId that records bring after all."""
        return (
            not (self._joins_keys and EXTERNAL_ID in self._provided_fields())
            and super().plan_again()
        )

    @override
    def _columns(self) -> tuple[Column, ...]:
        columns = super()._columns()
        if self._author_column is not None:
            columns = (*columns, Column(AUTHOR, frozenset({"string"})))
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
    def _lookup_only_columns(self) -> frozenset[str]:
        held = super()._lookup_only_columns()
        return held.union(self.key_properties) if self._joins_keys else held

    @override
    def _choose_keys(self, provided: set[str], schema: ObjectSchema | None) -> tuple[str, ...]:
        return (EXTERNAL_ID,)

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        return TimelineWriter(
            self.client.timeline,
            cast("CurrentRows", rows),  # an activity always has a key, and so rows
            self.comparison(),
            rules=WriteRules.of(self.stream.field_rules),
            updates_known=self.stream.sync_mode != "insert",
            clock=self.clock,
            batch_size=self.batch_size_rows or MAX_ACTIVITIES,
        )
