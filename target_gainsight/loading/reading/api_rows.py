"""Current rows of people, with their links, and the comparison of records with rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from target_gainsight.api import is_in
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, KeyValues
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, ObjectReader, Row
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.converters import Converter

PERSON_ID = "Person_ID"


@dataclass(kw_only=True, eq=False)
class PeopleRows(CurrentRows):
    """Reads people, and their links to companies where the stream carries any."""

    links: ObjectReader
    link_fields: tuple[str, ...]

    @override
    def _read_part(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        """Read people; add their links, which are rows of another object, as ``companies``."""
        if COMPANIES not in select:
            return super()._read_part(values, select)
        rows = super()._read_part(values, tuple(name for name in select if name != COMPANIES))
        people = {str(row[GSID]) for row in rows}
        links: dict[object, list[Row]] = defaultdict(list)
        if people:
            for link in self.links.read(
                (PERSON_ID, COMPANY_ID),
                self.link_fields,
                is_in(PERSON_ID, sorted(people)),
                lambda link: link[PERSON_ID] in people,
            ):
                links[link.get(PERSON_ID)].append(link)
        return [{**row, COMPANIES: links.get(row.get(GSID), [])} for row in rows]


@dataclass(frozen=True)
class Comparison:
    """Compares the records of one stream with rows, by the fields that can be read back."""

    mapper: RecordMapper
    compared: frozenset[str] | None = None
    link_fields: Mapping[str, Converter] = field(default_factory=dict)

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields whose values differ; ``companies`` for new or changed links."""
        if self.compared is not None:
            record = {name: value for name, value in record.items() if name in self.compared}
        links = record.get(COMPANIES)
        if not links:
            return self.mapper.changed_fields(record, row)
        own = {name: value for name, value in record.items() if name != COMPANIES}
        changed, existing = self.mapper.changed_fields(own, row), row.get(COMPANIES) or ()
        is_linked = all(any(self._are_equal(each, link) for each in existing) for link in links)
        return changed if is_linked else (*changed, COMPANIES)

    def _are_equal(self, existing: Row, link: Row) -> bool:
        return existing.get(COMPANY_ID) == link[COMPANY_ID] and all(
            converter.comparable(link[name]) == converter.comparable(existing.get(name))
            for name, converter in self.link_fields.items()
            if name in link
        )


def merged_fields(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two records with the same key: later fields, and links to one company, win."""
    merged = {**earlier, **later}
    if earlier.get(COMPANIES) and later.get(COMPANIES):
        links = {link[COMPANY_ID]: link for link in (*earlier[COMPANIES], *later[COMPANIES])}
        merged[COMPANIES] = list(links.values())
    return merged
