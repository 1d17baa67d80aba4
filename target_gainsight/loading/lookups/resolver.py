"""Fills a stream's foreign keys: references in, GSIDs out, or the reason why there is none."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.references import (
    COMPANIES,
    COMPANY_ID,
    Found,
    MatchFields,
    Reference,
    References,
    Wanted,
    reference,
)
from target_gainsight.mapping.types.blanks import strip_blanks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_gainsight.loading.lookups.index import LookupIndex, SeenParents
    from target_gainsight.loading.records import LoadRecord

NO_MATCH = "lookup_no_match"
SEVERAL = "lookup_multi_match"
USER = "gsuser"
LOAD_FIRST = "load the parent first"
ADD_USER = "add the user in Gainsight, because this target does not load users; correct the value"


@dataclass(frozen=True)
class LookupPlan:
    """One lookup of a stream.

    Attributes:
        target: The field that receives the GSID.
        columns: The source columns, in the order of the match fields.
        match: The match fields.
        on_no_match: What happens when no row is found.
        multi_match: What happens when several are.
        into_self: Whether it looks into the object that the stream loads.
        many: Whether the field holds a list of GSIDs, from source columns that hold lists, or
            text that lists its items.
    """

    target: str
    columns: tuple[str, ...]
    match: MatchFields
    on_no_match: Literal["reject", "leave_empty"]
    multi_match: Literal["reject", "first"]
    into_self: bool = False
    many: bool = False

    def refer(self, record: Mapping[str, Any]) -> Reference:
        """Read a record's reference."""
        if not self.many:
            return reference(self.match, [record.get(column) for column in self.columns])
        lists = {column: split_items(record.get(column)) for column in self.columns}
        each = (self.refer_at(lists, place) for place in range(self.length_of(lists)))
        return tuple(one for one in each if one is not None) or None

    def length_of(self, record: Mapping[str, Any]) -> int:
        """How many rows a record's source columns name: as many as the longest list has items."""
        values = [record.get(column) for column in self.columns]
        return max([len(value) for value in values if isinstance(value, list)], default=1)

    def refer_at(self, record: Mapping[str, Any], place: int) -> Wanted | Found | None:
        """Read the reference at one place of the source columns' lists."""
        values = [item_at(record.get(column), place) for column in self.columns]
        return reference(self.match, values)


def split_items(value: object) -> object:
    """Split a text that lists several items: a JSON list, or items between `;` or `,`.

    Without an address in it, a text with `;` is not split at commas: `Lee, Ann; Day, Bob`.
    """
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    separators = r"[;,\n]" if "@" in value or ";" not in value else ";"
    items = re.split(separators, value)
    return [strip_blanks(each) for each in items] if len(items) > 1 else value


def item_at(value: object, place: int) -> object:
    """Take one item of a list; a single value stands for every place."""
    if not isinstance(value, list):
        return value
    return value[place] if place < len(value) else None


class Resolver:
    """Resolves the lookups and company links of one stream.

    Args:
        lookups: The stream's lookups.
        links: How a person's links are looked up; None for anything but people.
        index: What is known of other objects' rows.
        rejected: The parents that were rejected in this run.
        omit_null: Leave a field out rather than emptying it.
    """

    def __init__(
        self,
        lookups: tuple[LookupPlan, ...],
        links: LookupPlan | None,
        index: LookupIndex,
        rejected: SeenParents,
        *,
        omit_null: bool,
    ) -> None:
        self._lookups = {plan.target: plan for plan in lookups}
        self._links = links
        self._index = index
        self._rejected = rejected
        self._omit_null = omit_null

    @property
    def into_self(self) -> list[LookupPlan]:
        """The lookups into the object that the stream loads."""
        return [plan for plan in self._lookups.values() if plan.into_self]

    def refer(self, record: Mapping[str, Any]) -> References:
        """Read the references of a source record."""
        return {target: plan.refer(record) for target, plan in self._lookups.items()}

    def resolve(
        self, group: Sequence[LoadRecord], result: BatchResult, *, final: bool
    ) -> list[LoadRecord]:
        """Fill the foreign keys of a group.

        Args:
            group: The records.
            result: Receives the rejects.
            final: No parent will come any more.

        Returns:
            The records that go on. Unless ``final``, a reference into the stream's own object
            that leads nowhere yet is kept in ``waiting``, and its field left out.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read them.
        """
        self._index.find(each for record in group for each in _wanted(record))
        self._index.find_near(
            each for record in group for each in self._rejecting(record, final=final)
        )
        return [record for record in group if self._fill(record, result, final=final)]

    def _rejecting(self, record: LoadRecord, *, final: bool) -> Iterator[Wanted]:
        """List the references that lead nowhere, and for which the record will be rejected."""
        plans = [
            (self._lookups[target], refers)
            for target, some in record.references.items()
            for refers in (some if isinstance(some, tuple) else (some,))
        ]
        if self._links is not None:
            plans += [(self._links, link.company) for link in record.links]
        for plan, refers in plans:
            rejects = plan.on_no_match == "reject" and (final or not plan.into_self)
            if rejects and isinstance(refers, Wanted) and not self._index.gsids(refers):
                yield refers

    def _fill(self, record: LoadRecord, result: BatchResult, *, final: bool) -> bool:
        for target, refers in record.references.items():
            plan = self._lookups[target]
            if refers is None:
                self._put(record, target, None)
                continue
            if isinstance(refers, tuple):
                if not self._fill_list(plan, record, refers, result):
                    return False
                continue
            found = self._found(plan, refers)
            may_come = plan.into_self and not final and found.code == NO_MATCH
            if may_come and isinstance(refers, Wanted):
                record.waiting = {**record.waiting, target: refers}
            elif found.gsid is not None or plan.on_no_match == "leave_empty":
                self._put(record, target, found.gsid)
            else:
                result.settle(record, Outcome.REJECTED, self.reason(target, refers, found))
                return False
        return self._links is None or self._fill_links(self._links, record, result)

    def _fill_list(
        self,
        plan: LookupPlan,
        record: LoadRecord,
        refers: tuple[Wanted | Found, ...],
        result: BatchResult,
    ) -> bool:
        """Fill a field that holds a list: a miss rejects the record, or leaves that one out."""
        gsids = []
        for each in refers:
            found = self._found(plan, each)
            if found.gsid is not None:
                gsids.append(found.gsid)
            elif plan.on_no_match == "reject":
                result.settle(record, Outcome.REJECTED, self.reason(plan.target, each, found))
                return False
        self._put(record, plan.target, list(dict.fromkeys(gsids)) or None)
        return True

    def _put(self, record: LoadRecord, target: str, value: str | list[str] | None) -> None:
        if value is not None or not self._omit_null:
            record.fields[target] = value

    def _fill_links(self, plan: LookupPlan, record: LoadRecord, result: BatchResult) -> bool:
        companies = []
        for link in record.links:
            found = self._found(plan, link.company)
            if found.gsid is not None:
                companies.append({COMPANY_ID: found.gsid, **link.attributes})
            elif plan.on_no_match == "reject":
                reason = self.reason("company_links", link.company, found)
                result.settle(record, Outcome.REJECTED, reason)
                return False
        if companies:
            record.fields[COMPANIES] = companies
        return True

    def _found(self, plan: LookupPlan, refers: Wanted | Found) -> Found:
        if isinstance(refers, Found):
            return refers
        gsids = self._index.gsids(refers)
        if len(gsids) == 1 or (gsids and plan.multi_match == "first"):
            return Found(gsid=gsids[0])
        name = plan.match.object_name
        if gsids:
            rows = ", ".join(gsids)
            return Found(code=SEVERAL, message=f"{len(gsids)} rows of {name} match: {rows}")
        return Found(code=NO_MATCH, message=f"no row of {name} has {refers}")

    def reason(self, target: str, refers: Wanted | Found, found: Found) -> Reason:
        """Say why a record without its parent is rejected.

        Args:
            target: The field, or ``company_links``.
            refers: What the record referred to.
            found: What that led to.
        """
        hint = found.hint or f"{LOAD_FIRST}, or set on_no_match to leave_empty"
        value = found.value
        if isinstance(refers, Wanted):
            value = refers.written[0] if len(refers.written) == 1 else list(refers.written)
            near = self._index.near(refers)
            if self._rejected.has(refers):
                hint = "its parent was rejected in this run: mend that one first, then replay"
            elif found.code == SEVERAL:
                hint = "choose match fields that are unique, or set multi_match to first"
            elif near is not None:
                hint = f"{near} differs in case, blanks or Unicode form only: make the two equal"
            elif refers.match.object_name.lower() == USER:
                hint = f"{ADD_USER}, or set on_no_match to leave_empty"
        return Reason(found.code or NO_MATCH, found.message, field=target, value=value, hint=hint)


def _wanted(record: LoadRecord) -> Iterator[Wanted]:
    for refers in record.references.values():
        for each in refers if isinstance(refers, tuple) else (refers,):
            if isinstance(each, Wanted):
                yield each
    for link in record.links:
        if isinstance(link.company, Wanted):
            yield link.company
