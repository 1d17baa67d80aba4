"""What Timeline and CTAs share: objects whose fields are known from their API's documentation."""

from __future__ import annotations

from typing import ClassVar, cast

from typing_extensions import override

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.classification import ExistingOnInsert, RecordMap
from target_gainsight.loading.object_schemas import read_static_schema
from target_gainsight.loading.reading.current_rows import CurrentRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.reading.static_schema_rows import DocumentedComparison, DocumentedRows
from target_gainsight.mapping.planning.static_schemas import (
    LIST_TYPE,
    READ_AS,
    UNCOMPARED,
    static_schema,
)
from target_gainsight.sinks.object_sink import ObjectSink


class StaticSchemaSink(ObjectSink):
    """Loads one stream into an object that has an API of its own.

    Attributes:
        needs_rows: Whether nothing can be written safely without a look at what is there.
    """

    existing_on_insert: ClassVar[ExistingOnInsert] = "compared"
    html_by_default: ClassVar[frozenset[str]] = frozenset({"Notes", "Comments"})
    needs_rows: ClassVar[bool]

    @override
    def _describe(self) -> ObjectSchema:
        return read_static_schema(
            self.object_name,
            self._mentioned(),
            describe=self.context.schemas.get_if_readable,
            cockpit=self.client.cockpit,
        )

    def _mentioned(self) -> tuple[str, ...]:
        return (
            *sorted(self._provided_fields()),
            *self.stream.constants,
            *self.stream.lookup_keys,
            *self.stream.field_rules,
        )

    @property
    def _known(self) -> ObjectSchema:
        return cast("ObjectSchema", self._object_schema)

    @override
    def _list_fields(self) -> frozenset[str]:
        fields = self._known.fields
        return frozenset(field.name for field in fields if field.data_type == LIST_TYPE)

    @override
    def comparison(self) -> RecordMap:
        return DocumentedComparison(self.mapper, self._compared())

    @override
    def rows(self, keys: KeyReader) -> CurrentRows:
        return DocumentedRows(
            self.client.records,
            self.object_name,
            keys,
            compared=self._compared(),
            read_as=READ_AS.get(self.object_name, {}),
            needed=self.needs_rows,
            ruled=tuple(self.stream.field_rules),
        )

    @override
    def plan_again(self) -> bool:
        """Decide anew; a field that was not known before needs other reads, and so a new sink."""
        mentioned = static_schema(self.object_name, self._mentioned()).fields
        known = all(self._known.field(field.name) for field in mentioned)
        return known and super().plan_again()

    def _compared(self) -> frozenset[str]:
        """The fields that are read back: what is sent unchecked is not."""
        known = frozenset(field.name for field in self._known.fields)
        return known - UNCOMPARED.get(self.object_name, frozenset())
