"""What the tenant holds of people now: the person's row and its links to companies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from target_gainsight.api import is_in
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows
from target_gainsight.loading.reading.object_reader import ObjectReader
from target_gainsight.loading.references import COMPANIES, COMPANY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_gainsight.api import RecordsApi
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.mapping.errors import FieldError
    from target_gainsight.mapping.record_mapper import RecordMapper
    from target_gainsight.mapping.types.converters import Converter

LINK_OBJECT = "company_person"
PERSON_ID = "Person_ID"


class PeopleRows(CurrentRows):
    """Reads people, and their links to companies where the stream carries any.

    Args:
        records: The records API.
        object_name: The object, Person.
        keys: The lookup key, Email.
        link_fields: The fields of the links that the stream writes.
    """

    def __init__(
        self,
        records: RecordsApi,
        object_name: str,
        keys: KeyReader,
        link_fields: tuple[str, ...],
    ) -> None:
        super().__init__(records, object_name, keys)
        self._link_fields = link_fields
        self._links = ObjectReader(records, LINK_OBJECT)

    def own_fields(self, record: LoadRecord) -> Iterable[str]:
        """List the fields of a person; its links are rows of another object."""
        return (name for name in record.fields if name != COMPANIES)

    def complete(
        self, rows: list[Mapping[str, Any]], records: Sequence[LoadRecord]
    ) -> list[Mapping[str, Any]]:
        """Add the links to the rows of people.

        Args:
            rows: The people.
            records: The records of the group.

        Returns:
            The same rows with ``companies``, if any record links to a company.
        """
        if not rows or not any(COMPANIES in record.fields for record in records):
            return rows
        people = {str(row[GSID]) for row in rows}
        found = self._links.read(
            (PERSON_ID, COMPANY_ID),
            self._link_fields,
            is_in(PERSON_ID, sorted(people)),
            lambda link: link[PERSON_ID] in people,
        )
        links: dict[object, list[Mapping[str, Any]]] = defaultdict(list)
        for link in found:
            links[link.get(PERSON_ID)].append(link)
        return [{**row, COMPANIES: links.get(row.get(GSID), [])} for row in rows]


class PersonComparison:
    """Compares a person with its row, links included.

    Args:
        mapper: Compares the person's own fields.
        link_fields: How each field of a link compares.
    """

    def __init__(self, mapper: RecordMapper, link_fields: Mapping[str, Converter]) -> None:
        self._mapper = mapper
        self._link_fields = link_fields

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields that the row does not hold already; ``companies`` for new links."""
        own = {name: value for name, value in record.items() if name != COMPANIES}
        changed = self._mapper.changed_fields(own, row)
        wanted = record.get(COMPANIES, ())
        if all(self._is_linked(link, row.get(COMPANIES, ())) for link in wanted):
            return changed
        return (*changed, COMPANIES)

    def missing_for_create(self, record: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Name the required fields that a new person would lack."""
        return self._mapper.missing_for_create(record)

    def _is_linked(self, link: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> bool:
        return any(
            each.get(COMPANY_ID) == link[COMPANY_ID] and self._holds(each, link) for each in held
        )

    def _holds(self, held: Mapping[str, Any], link: Mapping[str, Any]) -> bool:
        return all(
            converter.written_comparable(link[name]) == converter.read_comparable(held.get(name))
            for name, converter in self._link_fields.items()
            if name in link
        )


def merged_fields(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the fields of two records with the same key: later ones win, earlier ones stay.

    Links are added to each other: the later one to a company wins.

    Args:
        earlier: The fields of the record that came first.
        later: Those of the other.

    Returns:
        The fields of both.
    """
    merged = {**earlier, **later}
    if COMPANIES in earlier and COMPANIES in later:
        links = {link[COMPANY_ID]: link for link in (*earlier[COMPANIES], *later[COMPANIES])}
        merged[COMPANIES] = list(links.values())
    return merged
