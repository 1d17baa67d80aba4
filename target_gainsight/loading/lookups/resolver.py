"""Fill a stream's foreign keys: references in, GSIDs out, or the reason why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.outcomes import REJECTED_PARENT, BatchResult, Outcome, Reason
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.references import (
    COMPANIES,
    COMPANY_ID,
    LookupKey,
    LookupResult,
    MatchFields,
    Reference,
    reference,
)
from target_gainsight.mapping.errors import ValueRejectedError
from target_gainsight.mapping.types.spellings import strip_blanks

NO_MATCH = "lookup_no_match"
MULTI_MATCH = "lookup_multi_match"
USER = "gsuser"
LOAD_FIRST = "load the parent first"
ADD_USER = "add the user in Gainsight, or correct the value: this target does not load users"


@dataclass(frozen=True)
class LookupPlan:
    """One lookup of a stream.

    Attributes:
        target: The field that receives the GSID.
        columns: The source columns, in the order of the match fields.
        is_self_lookup: It looks into the object that the stream loads.
        is_list: The field holds a list of GSIDs; its source columns hold lists, or text that
            lists items.
    """

    target: str
    columns: tuple[str, ...]
    match: MatchFields
    on_no_match: Literal["reject", "leave_empty"]
    multi_match: Literal["reject", "first"]
    is_self_lookup: bool = False
    is_list: bool = False

    def reference_of(self, record: Mapping[str, Any]) -> Reference:
        """Read a record's reference."""
        if not self.is_list:
            return reference(self.match, [record.get(column) for column in self.columns])
        lists = self.lists_of(record)
        each = (self.reference_at(lists, index) for index in range(self.length_of(lists)))
        return tuple(one for one in each if one is not None) or None

    def lists_of(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record's columns, with text that lists several items as a list."""
        pairs = zip(self.columns, self.match.converters, strict=True)
        return {
            column: split_items(record.get(column), converter.write) for column, converter in pairs
        }

    def length_of(self, record: Mapping[str, Any]) -> int:
        """Count the rows that a record's columns name: as many as the longest list has items."""
        values = [record.get(column) for column in self.columns]
        return max([len(value) for value in values if isinstance(value, list)], default=1)

    def reference_at(
        self, record: Mapping[str, Any], index: int
    ) -> LookupKey | LookupResult | None:
        """Read the reference at one index of the columns' lists."""
        return reference(
            self.match, [item_at(record.get(column), index) for column in self.columns]
        )


def split_items(value: object, convert: Callable[[object], object] | None = None) -> object:
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
    except ValueRejectedError:
        return False
    return True


def item_at(value: object, index: int) -> object:
    """Return one item of a list, None beyond its end; a single value stands for every index."""
    if not isinstance(value, list):
        return value
    return value[index] if index < len(value) else None


class Resolver:
    """Resolves the lookups and company links of one stream.

    Args:
        links: How a person's companies are looked up; None for other objects.
        omit_null: Leave a field out rather than emptying it.

    Attributes:
        has_self_lookup: A lookup goes into the object that the stream loads.
    """

    def __init__(
        self,
        lookups: tuple[LookupPlan, ...],
        links: LookupPlan | None,
        index: LookupIndex,
        *,
        omit_null: bool,
    ) -> None:
        self._lookups = {plan.target: plan for plan in lookups}
        self._links = links
        self._index = index
        self._omit_null = omit_null
        self.has_self_lookup = any(plan.is_self_lookup for plan in lookups)

    def resolve(
        self, group: Sequence[LoadRecord], result: BatchResult, *, final: bool
    ) -> list[LoadRecord]:
        """Fill the foreign keys of a group.

        Args:
            group: The records.
            result: Receives the rejects.
            final: No parent can arrive later.

        Returns:
            The records that go on. Unless ``final``, a self-lookup without a match is kept in
            ``waiting``, and its field left out.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read them.
        """
        references = [(record, list(self._references(record))) for record in group]
        self._index.find(each for _, several in references for _, each in several)
        self._index.find_near(
            each
            for _, several in references
            for plan, each in several
            if plan.on_no_match == "reject"
            and (final or not plan.is_self_lookup)
            and not self._index.gsids(each)
        )
        return [record for record in group if self._fill(record, result, final=final)]

    def _references(self, record: LoadRecord) -> Iterator[tuple[LookupPlan, LookupKey]]:
        """List the references of a record that can be looked up."""
        for target, refers in record.references.items():
            for each in refers if isinstance(refers, tuple) else (refers,):
                if isinstance(each, LookupKey):
                    yield self._lookups[target], each
        for link in record.links:
            if self._links is not None and isinstance(link.company, LookupKey):
                yield self._links, link.company

    def _fill(self, record: LoadRecord, result: BatchResult, *, final: bool) -> bool:
        """Fill the foreign keys of one record; return False if it is rejected."""
        for target, refers in record.references.items():
            plan = self._lookups[target]
            if isinstance(refers, tuple):
                if not self._fill_list(plan, record, refers, result):
                    return False
                continue
            found = LookupResult() if refers is None else self._look_up(plan, refers)
            may_arrive_later = plan.is_self_lookup and not final and found.code == NO_MATCH
            if may_arrive_later and isinstance(refers, LookupKey):
                record.waiting = {**record.waiting, target: refers}
            elif refers is None or found.gsid is not None or plan.on_no_match == "leave_empty":
                self._put(record, target, found.gsid)
            else:
                result.settle(record, Outcome.REJECTED, self._reason(target, refers, found))
                return False
        return self._links is None or self._fill_links(self._links, record, result)

    def _fill_list(
        self,
        plan: LookupPlan,
        record: LoadRecord,
        refers: tuple[LookupKey | LookupResult, ...],
        result: BatchResult,
    ) -> bool:
        """Fill a field that holds a list: a miss rejects the record, or leaves that one out."""
        gsids = []
        for each in refers:
            found = self._look_up(plan, each)
            if found.gsid is not None:
                gsids.append(found.gsid)
            elif plan.on_no_match == "reject":
                result.settle(record, Outcome.REJECTED, self._reason(plan.target, each, found))
                return False
        self._put(record, plan.target, list(dict.fromkeys(gsids)) or None)
        return True

    def _put(self, record: LoadRecord, target: str, value: str | list[str] | None) -> None:
        if value is not None or not self._omit_null:
            record.fields[target] = value

    def _fill_links(self, plan: LookupPlan, record: LoadRecord, result: BatchResult) -> bool:
        companies = []
        for link in record.links:
            found = self._look_up(plan, link.company)
            if found.gsid is not None:
                companies.append({COMPANY_ID: found.gsid, **link.attributes})
            elif plan.on_no_match == "reject":
                reason = self._reason("company_links", link.company, found)
                result.settle(record, Outcome.REJECTED, reason)
                return False
        if companies:
            record.fields[COMPANIES] = companies
        return True

    def _look_up(self, plan: LookupPlan, refers: LookupKey | LookupResult) -> LookupResult:
        if isinstance(refers, LookupResult):
            return refers
        gsids = self._index.gsids(refers)
        if len(gsids) == 1 or (gsids and plan.multi_match == "first"):
            return LookupResult(gsid=gsids[0])
        name = plan.match.object_name
        if gsids:
            rows = ", ".join(gsids)
            return LookupResult(
                code=MULTI_MATCH, message=f"{len(gsids)} rows of {name} match: {rows}"
            )
        return LookupResult(code=NO_MATCH, message=f"no row of {name} has {refers}")

    def _reason(self, target: str, refers: LookupKey | LookupResult, found: LookupResult) -> Reason:
        """Explain why a record is rejected for what a lookup (or a link) did not find."""
        hint = found.hint or f"{LOAD_FIRST}, or set on_no_match to leave_empty"
        code, value = found.code or NO_MATCH, found.value
        if isinstance(refers, LookupKey):
            value = refers.written[0] if len(refers.written) == 1 else list(refers.written)
            near = self._index.near(refers)
            if self._index.is_rejected(refers):
                code = REJECTED_PARENT
                hint = "its parent was rejected in this run: fix that one first, then replay"
            elif found.code == MULTI_MATCH:
                hint = "choose match fields that are unique, or set multi_match to first"
            elif near is not None:
                hint = f"{near} differs in spelling only: make the two equal"
            elif refers.match.object_name.lower() == USER:
                hint = ADD_USER
        return Reason(code, found.message, field=target, value=value, hint=hint)
