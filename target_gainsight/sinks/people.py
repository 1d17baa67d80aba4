"""Person: written through the People API, one in a call, identified by Email."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.classification import ExistingOnInsert, RecordMap
from target_gainsight.loading.reading.current_rows import CurrentRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.reading.person_rows import PeopleRows, PersonComparison
from target_gainsight.loading.writing.people_writer import PeopleWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.sinks.object_sink import ObjectSink

EMAIL = "Email"


class PersonSink(ObjectSink):
    """Loads people."""

    MAX_SIZE_DEFAULT = 1
    call_kinds: ClassVar[tuple[str, str]] = ("person", "person")
    existing_on_insert: ClassVar[ExistingOnInsert] = "skipped"

    @override
    def rows(self, keys: KeyReader) -> CurrentRows:
        names = tuple(field.name for field in self.lookups.link_fields)
        ruled = tuple(self.stream.field_rules)
        return PeopleRows(self.client.records, self.object_name, keys, names, ruled)

    @override
    def comparison(self) -> RecordMap:
        links = {field.name: field.converter for field in self.lookups.link_fields}
        return PersonComparison(self.mapper, links)

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        links = self.stream.company_links
        on_no_match = links.on_no_match if links else "reject"
        return PeopleWriter(self.client.people, on_no_match=on_no_match)

    @override
    def _choose_keys(self, provided: set[str], schema: ObjectSchema | None) -> tuple[str, ...]:
        return (EMAIL,)
