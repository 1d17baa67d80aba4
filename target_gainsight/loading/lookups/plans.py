"""The lookups and company links of a stream, compiled against the objects they look into."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.keys import COMPANY_ID, LINK_OBJECT, MatchFields, Reference
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import ConversionError, FieldError, RecordRejectedError
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.checks import FieldProblem
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import strip_blanks
from target_gainsight.settings.stream_settings import OBJECT_NAMES, Lookup, StreamSettings

COMPANY_LINKS = "company_links"
UNALIGNED = "unaligned_lists"
"""The code of a record whose lists do not have one value per row that is looked up."""

_ALIGN = "Send a list with one value per company, or a single value for all."

Describe = Callable[[str], ObjectSchema | None]
"""Returns an object's schema, or None if it cannot be read."""


@dataclass(frozen=True)
class LookupPlan:
    """One lookup of a stream.

    Attributes:
        is_self_lookup: It looks into the object that the stream loads.
        is_list: It finds several rows; its source columns hold lists, or text that lists items.
    """

    target: str
    lookup: Lookup
    match: MatchFields
    is_self_lookup: bool = False
    is_list: bool = False

    def list_references(self, record: Mapping[str, Any]) -> list[Reference | None]:
        """Read a reference, or one for each row that the columns list; None where it is blank."""
        values = [record.get(column) for column in self.lookup.fields]
        if not self.is_list:
            return [self.match.reference(values)]
        listed = list(map(_split_items, values, self.match.converters))
        counts = {len(each) for each in listed if isinstance(each, list)}
        if len(counts) > 1:
            message = "the columns of its lookup list different numbers of values"
            hint = "Send lists of the same length."
            error = FieldError(self.target, values, "", UNALIGNED, message, hint)
            raise RecordRejectedError([error])
        return [
            self.match.reference([_item_at(value, index) for value in listed])
            for index in range(max(counts, default=1))
        ]


class StreamLookups:
    """The lookups and company links of a stream.

    Args:
        list_fields: The fields that hold a list of GSIDs.

    Attributes:
        plans: The lookups, by the field that each fills; and that of a person's companies.
        link_fields: By the fields of those links, the source column and how it is converted.
    """

    def __init__(
        self, stream: StreamSettings, describe: Describe, list_fields: frozenset[str] = frozenset()
    ) -> None:
        self.problems: list[FieldProblem] = []
        self.plans: dict[str, LookupPlan] = {}
        self.has_self_lookup = False
        self.link_fields: dict[str, tuple[str, Converter]] = {}
        lookups, links = dict(stream.lookups), stream.company_links
        if links is not None:
            company = OBJECT_NAMES["company"]
            lookups[COMPANY_LINKS] = Lookup(company, links.lookup, links.on_no_match)
        for target, lookup in lookups.items():
            try:
                match = self._plan_match(target, lookup, describe(lookup.object_name))
            except RunStoppedError as error:
                setting = target if target == COMPANY_LINKS else f"lookups.{target}"
                message = f"{setting}: {error}"
                raise RunStoppedError(message) from error
            is_own = lookup.object_name.lower() == stream.object_name.lower()
            is_list = target in {*list_fields, COMPANY_LINKS}
            self.has_self_lookup = self.has_self_lookup or is_own
            self.plans[target] = LookupPlan(target, lookup, match, is_own, is_list)
        if links is not None:
            self._plan_link_fields(links.fields, describe)

    def _plan_match(self, target: str, lookup: Lookup, schema: ObjectSchema | None) -> MatchFields:
        names = tuple(lookup.fields.values())
        for name in names:
            if schema is not None and schema.field(name) is None:
                message = f"{target} is looked up by {name}, which {schema.name} does not have."
                self._report(name, message, schema)
        return MatchFields.of(lookup.object_name, names, schema)

    def _plan_link_fields(self, fields: Mapping[str, str], describe: Describe) -> None:
        schema = describe(LINK_OBJECT) if fields else None
        for name, column in fields.items():
            field = schema.field(name) if schema else None
            if schema is not None and (field is None or name == COMPANY_ID):
                self._report(name, f"{LINK_OBJECT} has no field {name} that can be set.", schema)
            self.link_fields[name] = column, Converter(name, field)

    def _report(self, name: str, message: str, schema: ObjectSchema) -> None:
        similar = suggest_names(name, schema.fields)
        self.problems.append(FieldProblem("lookups", name, message, similar))

    @property
    def columns(self) -> frozenset[str]:
        """The source columns that lookups and links use."""
        columns = {column for column, _ in self.link_fields.values()}
        return frozenset(columns.union(*(plan.lookup.fields for plan in self.plans.values())))

    def references_of(self, record: Mapping[str, Any]) -> dict[str, tuple[Reference, ...]]:
        """Read a record's references by field, without blank ones."""
        return {
            target: tuple(filter(None, plan.list_references(record)))
            for target, plan in self.plans.items()
        }

    def links_of(self, record: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """Read the fields of a person's links; a text may list one item per link.

        Raises:
            RecordRejectedError: A list has more or fewer values than there are companies.
        """
        plan = self.plans.get(COMPANY_LINKS)
        companies = plan.list_references(record) if plan else []
        columns = []
        for name, (column, converter) in self.link_fields.items():
            if column in record and any(companies):
                value = _parse_list(record[column])
                items = _split_items(value, converter)
                if isinstance(items, list) and len(items) != len(companies):
                    if isinstance(value, list) and len(value) != len(companies):
                        message = f"its number of values is not {len(companies)}, as of companies"
                        refused = ConversionError(UNALIGNED, message, _ALIGN)
                        raise RecordRejectedError([converter.field_error(refused, value)])
                    items = value
                columns.append((name, items, converter))
        return tuple(
            {name: converter.write(_item_at(value, index)) for name, value, converter in columns}
            for index, company in enumerate(companies)
            if company is not None
        )


def _parse_list(value: object) -> object:
    """Return the list that JSON text holds; any other value stays as it is."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def _split_items(value: object, converter: Converter) -> object:
    """Split a text that lists several items: a JSON list, or items between `;` or line breaks.

    A text that the converter refuses as one item is split at commas, too: not `Acme, Inc.` and
    `1,234`, but two addresses.
    """
    value = _parse_list(value)
    parts = re.split(r"[;\n]", value) if isinstance(value, str) else value
    if not isinstance(parts, list):
        return value
    items: list[Any] = []
    for part in parts:
        try:
            converter.write(part)
            items.append(part)
        except RecordRejectedError:
            items += re.split(r"[;,\n]", part) if isinstance(part, str) else [part]
    items = [strip_blanks(each) if isinstance(each, str) else each for each in items]
    return items if len(items) > 1 or isinstance(value, list) else value


def _item_at(value: object, index: int) -> object:
    """Return one item of a list; a single value stands for every index."""
    return value[index] if isinstance(value, list) else value
