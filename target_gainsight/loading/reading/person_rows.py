"""Current rows of people, with their links to companies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from target_gainsight.api import RecordsApi, is_in
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, KeyReader, KeyValues
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, ObjectReader, Row
from target_gainsight.mapping.errors import FieldError
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.converters import Converter

LINK_OBJECT = "company_person"
PERSON_ID = "Person_ID"


class PeopleRows(CurrentRows):
    """Reads people, and their links to companies where the stream carries any.

    Args:
        keys: The lookup key, Email.
        link_fields: The fields of the links that the stream writes.
        ruled: Fields of the person that have a write rule.
    """

    def __init__(
        self,
        records: RecordsApi,
        object_name: str,
        keys: KeyReader,
        link_fields: tuple[str, ...],
        ruled: tuple[str, ...] = (),
    ) -> None:
        super().__init__(records, object_name, keys, ruled=ruled)
        self._link_fields = link_fields
        self._links = ObjectReader(records, LINK_OBJECT)

    @override
    def _read_part(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        """Read people; add their links, which are rows of another object, as ``companies``."""
        if COMPANIES not in select:
            return super()._read_part(values, select)
        rows = super()._read_part(values, tuple(name for name in select if name != COMPANIES))
        people = {str(row[GSID]) for row in rows}
        links: dict[object, list[Row]] = defaultdict(list)
        if people:
            for link in self._links.read(
                (PERSON_ID, COMPANY_ID),
                self._link_fields,
                is_in(PERSON_ID, sorted(people)),
                lambda link: link[PERSON_ID] in people,
            ):
                links[link.get(PERSON_ID)].append(link)
        return [{**row, COMPANIES: links.get(row.get(GSID), [])} for row in rows]


@dataclass(frozen=True)
class PersonComparison:
    """Compares a person with its row, links included, whose fields compare by converters."""

    mapper: RecordMapper
    link_fields: Mapping[str, Converter]

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields whose values differ; ``companies`` for new or changed links."""
        own = {name: value for name, value in record.items() if name != COMPANIES}
        changed = self.mapper.changed_fields(own, row)
        links, existing = record.get(COMPANIES, ()), row.get(COMPANIES) or ()
        is_linked = all(any(self._are_equal(each, link) for each in existing) for link in links)
        return changed if is_linked else (*changed, COMPANIES)

    def missing_for_create(self, record: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Name the required fields that a new person would lack."""
        return self.mapper.missing_for_create(record)

    def _are_equal(self, existing: Mapping[str, Any], link: Mapping[str, Any]) -> bool:
        return existing.get(COMPANY_ID) == link[COMPANY_ID] and all(
            converter.comparable(link[name]) == converter.comparable(existing.get(name))
            for name, converter in self.link_fields.items()
            if name in link
        )


def merged_fields(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the fields of two records with the same key: later ones win, earlier ones stay.

    Links are added to each other: the later one to a company wins.
    """
    merged = {**earlier, **later}
    if earlier.get(COMPANIES) and later.get(COMPANIES):
        links = {link[COMPANY_ID]: link for link in (*earlier[COMPANIES], *later[COMPANIES])}
        merged[COMPANIES] = list(links.values())
    return merged
