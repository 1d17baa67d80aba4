"""Current rows of objects that have an API of their own: people, Timeline activities and CTAs."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from target_gainsight.api import (
    AccessDeniedError,
    GainsightError,
    NotFoundError,
    RefusedError,
    UnsuitableObjectError,
    is_in,
)
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, KeyValues
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, ObjectReader, Row
from target_gainsight.mapping.errors import FieldError
from target_gainsight.mapping.planning.static_schemas import CONTEXT_FIELDS
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import is_blank

logger = logging.getLogger(__name__)

LINK_OBJECT = "company_person"
PERSON_ID = "Person_ID"

_REFUSALS = (RefusedError, NotFoundError, AccessDeniedError, UnsuitableObjectError)


@dataclass(kw_only=True, eq=False)
class PeopleRows(CurrentRows):
    """Reads people, and their links to companies where the stream carries any.

    Attributes:
        links: Reads links.
        link_fields: The fields of the links that the stream writes.
    """

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


@dataclass(kw_only=True, eq=False)
class DocumentedRows(CurrentRows):
    """Reads activities or CTAs by the fields that the documentation names.

    It is not documented which of them a query returns. If it refuses them, only keys are read; if
    it refuses those, too, the response to the write shows which records existed.

    Attributes:
        compared: The fields to read.
        needed: Whether a refused query stops the run, because a write without a read could create
            duplicates. A write rule has the same effect.
    """

    compared: frozenset[str]
    needed: bool
    _reads_fields: bool = field(default=True, init=False)

    @override
    def _query(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        paths = {GSID, *(self.read_as.get(name, name) for name in self.compared)}
        compared = tuple(name for name in select if name in paths)
        while self.readable:
            reads_fields = self._reads_fields
            fields = compared if reads_fields else (GSID,)
            try:
                return super()._query(values, fields)
            except _REFUSALS as refusal:
                if self._is_too_large(values, fields, refusal):
                    raise
                if reads_fields is self._reads_fields and self.readable:
                    self._read_less(refusal)  # unless another thread has done so meanwhile
        return []

    def _is_too_large(
        self, values: Sequence[KeyValues], select: tuple[str, ...], refusal: GainsightError
    ) -> bool:
        """Return whether the query is refused for its size: then its halves are read."""
        if len(values) == 1 or not isinstance(refusal, RefusedError):
            return False
        try:
            super()._query(values[:1], select)
        except RefusedError:
            return False
        return True

    def _read_less(self, refusal: GainsightError) -> None:
        """Read only which rows exist from now on, or nothing any more."""
        if self._reads_fields:
            self._reads_fields = False
            logger.warning(
                "%s: the tenant refuses to read the fields that are written (%s); only which "
                "records exist is read, and existing ones are written without being compared",
                self.reader.object_name,
                refusal,
            )
            return
        if self.needed or self.ruled:
            why = (
                "field_rules depend on the rows" if self.ruled else "the records may exist already"
            )
            message = (
                f"the tenant refuses to read {self.reader.object_name} by "
                f"{', '.join(self.keys.names)}: {refusal}. Nothing is written, because {why}"
            )
            raise RunStoppedError(message) from refusal
        self.readable = False
        logger.warning(
            "%s: the tenant refuses to read which records exist (%s); every record is written, "
            "and the responses show which existed",
            self.reader.object_name,
            refusal,
        )


@dataclass(frozen=True)
class DocumentedComparison:
    """Compares records with rows by the fields that can be read back."""

    mapper: RecordMapper
    compared: frozenset[str]

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields whose written value differs from the row's."""
        compared = {name: value for name, value in record.items() if name in self.compared}
        return self.mapper.changed_fields(compared, row)

    def missing_for_create(self, record: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Name the required fields that a new row would lack.

        The field that an activity's context needs is one of them where it is sent, but empty.
        """
        missing = self.mapper.missing_for_create(record)
        name = CONTEXT_FIELDS.get(str(record.get("ContextName")), "")
        is_empty = name in record and is_blank(record[name])
        if is_empty and is_blank(record.get("ContextId")):
            missing += (self.mapper.required_missing(name, record),)
        return missing


RecordMap = RecordMapper | PersonComparison | DocumentedComparison
"""Compares records of one kind of object with rows."""
