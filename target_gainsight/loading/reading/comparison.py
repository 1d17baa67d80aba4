"""Comparison of records with the current rows, and with each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_gainsight.loading.keys import COMPANIES, COMPANY_ID
from target_gainsight.loading.reading.current_rows import Row
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.converters import Converter


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
        changed = self.mapper.changed_fields(record, row)
        if COMPANIES in changed:  # lists are never equal to the mapper
            links, existing = record[COMPANIES], row.get(COMPANIES) or ()
            if all(any(self._are_equal(each, link) for each in existing) for link in links):
                changed = tuple(name for name in changed if name != COMPANIES)
        return changed

    def _are_equal(self, existing: Row, link: Row) -> bool:
        return existing.get(COMPANY_ID) == link[COMPANY_ID] and all(
            converter.comparable(link[name]) == converter.comparable(existing.get(name))
            for name, converter in self.link_fields.items()
            if name in link
        )


def merge_fields(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two records with the same key: later fields, and links to one company, win."""
    merged = {**earlier, **later}
    if earlier.get(COMPANIES) and later.get(COMPANIES):
        links = {link[COMPANY_ID]: link for link in (*earlier[COMPANIES], *later[COMPANIES])}
        merged[COMPANIES] = list(links.values())
    return merged
