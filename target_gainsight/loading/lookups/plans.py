"""The lookups and company links of a stream, compiled against the objects they look into."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.keys import (
    COMPANY_ID,
    Link,
    LookupKey,
    MatchFields,
    Reference,
    reference,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import FieldError, RecordRejectedError
from target_gainsight.mapping.near_names import suggest
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import strip_blanks
from target_gainsight.settings.stream_settings import (
    OBJECT_NAMES,
    CompanyLinks,
    Lookup,
    StreamSettings,
)

Describe = Callable[[str], ObjectSchema | None]

LINK_OBJECT = "company_person"


@dataclass(frozen=True)
class LookupPlan:
    """One lookup of a stream.

    Attributes:
        target: The field that receives the GSID.
        lookup: How it is configured.
        is_self_lookup: It looks into the object that the stream loads.
        is_list: The field holds a list of GSIDs; its source columns hold lists, or text that
            lists items.
    """

    target: str
    lookup: Lookup
    match: MatchFields
    is_self_lookup: bool = False
    is_list: bool = False

    def reference_of(self, record: Mapping[str, Any]) -> Reference:
        """Read a record's reference."""
        if not self.is_list:
            return reference(self.match, [record.get(column) for column in self.lookup.fields])
        return tuple(each for each in self.references_in(record) if each is not None) or None

    def references_in(self, record: Mapping[str, Any]) -> list[LookupKey | FieldError | None]:
        """Read a reference for each row that the columns list; None where one is blank."""
        pairs = zip(self.lookup.fields, self.match.converters, strict=True)
        values = [_split_items(record.get(column), converter.write) for column, converter in pairs]
        count = max([len(each) for each in values if isinstance(each, list)], default=1)
        return [
            reference(self.match, [_item_at(value, index) for value in values])
            for index in range(count)
        ]


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
        return frozenset(column for plan in plans for column in plan.lookup.fields).union(fields)

    def links_of(self, record: Mapping[str, Any]) -> tuple[Link, ...]:
        """Read a person's links: one per company, several where the source lists several.

        Raises:
            RecordRejectedError: A field of a link does not convert.
        """
        if self.links is None:
            return ()
        links: dict[object, Link] = {}
        companies = self.links.references_in(record)
        for index, company in enumerate(companies):
            if company is not None:
                attributes = dict(self._attributes(record, index, len(companies)))
                identity = company.key if isinstance(company, LookupKey) else index
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
            items = _split_items(value)
            if isinstance(items, list) and len(items) == count > 1:
                value = items
            yield field.name, field.converter.write(_item_at(value, index))


def _split_items(value: object, convert: Callable[[object], object] | None = None) -> object:
    """Split a text that lists several items: a JSON list, or items between `;` or line breaks.

    Args:
        value: The value of a column; what is no such text stays as it is. Of a list, texts that
            are refused as one item are split.
        convert: Converts an item. Where one is refused, commas separate items, too: not in
            `Acme, Inc.` and `1,234`, but between two addresses.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, list) and convert is not None:
        return [part for each in value for part in _split_refused(each, convert)]
    if not isinstance(value, str):
        return value
    items = [strip_blanks(each) for each in re.split(r"[;\n]", value)]
    if convert is not None and not all(_converts(each, convert) for each in items):
        items = _split_refused(value, convert)
    return items if len(items) > 1 else value


def _split_refused(item: object, convert: Callable[[object], object]) -> list[Any]:
    """Split a text at every separator if it is refused as one item."""
    if not isinstance(item, str) or _converts(item, convert):
        return [item]
    return [strip_blanks(each) for each in re.split(r"[;,\n]", item)]


def _converts(item: object, convert: Callable[[object], object]) -> bool:
    try:
        convert(item)
    except RecordRejectedError:
        return False
    return True


def _item_at(value: object, index: int) -> object:
    """Return one item of a list, None beyond its end; a single value stands for every index."""
    if not isinstance(value, list):
        return value
    return value[index] if index < len(value) else None


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
        plan = _plan_lookup(target, lookup, schema, problems)
        is_self_lookup = lookup.object_name.lower() == stream.object_name.lower()
        is_list = target in list_fields
        lookups.append(replace(plan, is_self_lookup=is_self_lookup, is_list=is_list))
    links: LookupPlan | None = None
    link_fields: tuple[LinkField, ...] = ()
    if stream.company_links is not None:
        companies = stream.company_links
        lookup = Lookup(OBJECT_NAMES["company"], companies.lookup, companies.on_no_match)
        links = _plan_lookup("company_links", lookup, describe(lookup.object_name), problems)
        link_fields = _plan_link_fields(companies, describe, problems)
    return StreamLookups(tuple(lookups), links, link_fields, tuple(problems))


def _plan_lookup(
    target: str, lookup: Lookup, schema: ObjectSchema | None, problems: list[FieldProblem]
) -> LookupPlan:
    names = tuple(lookup.fields.values())
    for name in names:
        if schema is not None and schema.field(name) is None:
            message = f"{target} is looked up by {name}, which {schema.name} does not have."
            problems.append(FieldProblem("lookups", name, message, suggest(name, schema.fields)))
    return LookupPlan(target, lookup, MatchFields.of(lookup.object_name, names, schema))


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
        fields.append(LinkField(name, column, Converter(name, field)))
    return tuple(fields)
