"""The lookups and company links of a stream, compiled against the objects they look into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.lookups.resolver import LookupPlan, item_at, split_items
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.references import COMPANY_ID, Link, LookupResult, MatchFields
from target_gainsight.mapping.errors import RecordRejectedError, ValueRejectedError
from target_gainsight.mapping.near_names import suggest
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.types.converters import Converter, converter_for, plain_converter
from target_gainsight.settings.stream_settings import OBJECT_NAMES, CompanyLinks, StreamSettings

Describe = Callable[[str], ObjectSchema | None]

LINK_OBJECT = "company_person"


@dataclass(frozen=True)
class LinkField:
    """A field of ``company_person``, and the source column that fills it."""

    name: str
    column: str
    converter: Converter


@dataclass(frozen=True)
class StreamLookups:
    """The lookups of a stream.

    Attributes:
        links: How the companies of a person are looked up, or None.
        link_fields: The fields of those links.
        problems: The errors in their settings.
    """

    lookups: tuple[LookupPlan, ...] = ()
    links: LookupPlan | None = None
    link_fields: tuple[LinkField, ...] = ()
    problems: tuple[FieldProblem, ...] = ()

    @property
    def any(self) -> bool:
        """Whether the stream looks anything up."""
        return bool(self.lookups) or self.links is not None

    @property
    def columns(self) -> frozenset[str]:
        """The source columns that lookups and links use."""
        plans = (*self.lookups, *([self.links] if self.links else []))
        fields = (field.column for field in self.link_fields)
        return frozenset(column for plan in plans for column in plan.columns).union(fields)

    def links_of(self, record: Mapping[str, Any]) -> tuple[Link, ...]:
        """Read a person's links: one per company, several where the source lists several.

        Raises:
            RecordRejectedError: A field of a link does not convert.
        """
        if self.links is None:
            return ()
        links: dict[object, Link] = {}
        companies = self.links.lists_of(record)
        count = self.links.length_of(companies)
        for index in range(count):
            company = self.links.reference_at(companies, index)
            if company is not None:
                attributes = dict(self._attributes(record, index, count))
                identity = company.key if not isinstance(company, LookupResult) else index
                links.setdefault(identity, Link(company, attributes))
        return tuple(links.values())

    def _attributes(
        self, record: Mapping[str, Any], index: int, count: int
    ) -> Iterator[tuple[str, Any]]:
        """Read the fields of one of a person's links; text may list one item per link."""
        for field in self.link_fields:
            if field.column not in record:
                continue
            value = record[field.column]
            items = split_items(value)
            if isinstance(items, list) and len(items) == count > 1:
                value = items
            try:
                yield field.name, field.converter.write(item_at(value, index))
            except ValueRejectedError as error:
                raise RecordRejectedError([error.error]) from None


def plan_lookups(
    stream: StreamSettings, describe: Describe, list_fields: frozenset[str] = frozenset()
) -> StreamLookups:
    """Compile the lookups of a stream.

    Args:
        stream: The stream's settings.
        describe: Returns an object's schema, or None if it cannot be read.
        list_fields: The fields that hold a list of GSIDs.

    Raises:
        RunStoppedError: An object that is looked into does not exist.
    """
    problems: list[FieldProblem] = []
    lookups = []
    for target, lookup in stream.lookups.items():
        try:
            schema = describe(lookup.object_name)
        except RunStoppedError as error:
            message = f"lookups.{target}: {error}"
            raise RunStoppedError(message) from error
        names = tuple(lookup.fields.values())
        problems += _unknown_fields(target, names, schema)
        lookups.append(
            LookupPlan(
                target=target,
                columns=tuple(lookup.fields),
                match=MatchFields.of(lookup.object_name, names, schema),
                on_no_match=lookup.on_no_match,
                multi_match=lookup.multi_match,
                is_self_lookup=lookup.object_name.lower() == stream.object_name.lower(),
                is_list=target in list_fields,
            )
        )
    links: LookupPlan | None = None
    link_fields: tuple[LinkField, ...] = ()
    if stream.company_links is not None:
        links = _plan_links(stream.company_links, describe, problems)
        link_fields = _plan_link_fields(stream.company_links, describe, problems)
    return StreamLookups(tuple(lookups), links, link_fields, tuple(problems))


def _plan_links(
    links: CompanyLinks, describe: Describe, problems: list[FieldProblem]
) -> LookupPlan:
    company = OBJECT_NAMES["company"]
    schema = describe(company)
    names = tuple(links.lookup.values())
    problems += _unknown_fields("company_links", names, schema)
    return LookupPlan(
        target="company_links",
        columns=tuple(links.lookup),
        match=MatchFields.of(company, names, schema),
        on_no_match=links.on_no_match,
        multi_match="reject",
    )


def _plan_link_fields(
    links: CompanyLinks, describe: Describe, problems: list[FieldProblem]
) -> tuple[LinkField, ...]:
    schema = describe(LINK_OBJECT) if links.fields else None
    fields = []
    for name, column in links.fields.items():
        field = schema.field(name) if schema else None
        if schema is not None and (field is None or name == COMPANY_ID):
            message = f"{LINK_OBJECT} has no field {name} that can be set."
            problems.append(FieldProblem("lookups", name, message, suggest(name, schema.fields)))
        converter = converter_for(field) if field else plain_converter(name)
        fields.append(LinkField(name, column, converter))
    return tuple(fields)


def _unknown_fields(
    target: str, names: tuple[str, ...], schema: ObjectSchema | None
) -> Iterator[FieldProblem]:
    for name in names:
        if schema is not None and schema.field(name) is None:
            message = f"{target} is looked up by {name}, which {schema.name} does not have."
            yield FieldProblem("lookups", name, message, suggest(name, schema.fields))
