"""Current rows of the tenant, read in bulk by lookup keys; every response is checked."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from typing_extensions import override

from target_gainsight.api import MAX_PAGE, RecordsApi, Where, all_of, errors, is_in
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, Key, KeyReader, KeyValues
from target_gainsight.loading.outcomes import Reason, RunStoppedError
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.errors import display, first_few
from target_gainsight.mapping.types.spellings import is_blank

logger = logging.getLogger(__name__)

GSID = "Gsid"
PERSON_ID = "Person_ID"

Row = Mapping[str, Any]

_REFUSALS = (
    errors.RefusedError,
    errors.NotFoundError,
    errors.AccessDeniedError,
    errors.UnsuitableObjectError,
)


class Matches:
    """Rows of one object, found by their keys.

    Attributes:
        readable: Whether the tenant returns rows of the object; if not, missing rows may exist.
        claim: Finds the row with the fallback keys of a record that no row matches, or the reason
            why none can be chosen; None where no row has fallback keys.
    """

    def __init__(self, rows: Iterable[Row], keys: KeyReader, *, readable: bool = True) -> None:
        self.readable = readable
        self.claim: Callable[[LoadRecord], Row | Reason | None] | None = None
        self._keys = keys
        self._exact: dict[Key, list[Row]] = defaultdict(list)
        self._near: dict[Key, list[Row]] = defaultdict(list)
        """The same rows by normalized key, from the first call of ``near`` on."""
        gsids: set[object] = set()
        for row in rows:
            if (gsid := row.get(GSID)) is None or gsid not in gsids:  # pages may overlap
                gsids.add(gsid)
                self._exact[keys.read_key(row)].append(row)

    def exact(self, key: Key) -> list[Row]:
        """List the rows that have this very key."""
        return self._exact.get(key, [])

    def replace(self, key: Key, rows: Sequence[Row]) -> None:
        """Replace the rows that have a key."""
        self._exact[key] = list(rows)

    def near(self, key: Key) -> list[Row]:
        """List the rows whose key differs at most in case, surrounding blanks or Unicode form."""
        if not self._near:
            for exact, rows in self._exact.items():
                self._near[self._keys.normalize(exact)] += rows
        return self._near.get(self._keys.normalize(key), []) if self._near else []


@dataclass(eq=False)
class ObjectReader:
    """Reads rows of one object and checks them. May be used from several threads."""

    records: RecordsApi
    object_name: str
    reads_needed_only: bool = field(default=False, init=False)
    _unreadable: frozenset[str] = field(default=frozenset(), init=False)

    def read(
        self,
        needed: Sequence[str],
        optional: Sequence[str],
        where: Where,
        is_asked_for: Callable[[Row], bool],
    ) -> list[Row]:
        """Read the rows that match a filter, some of which must be those asked for.

        Args:
            needed: Fields that every row must carry.
            optional: Fields that are left out where no query can read them.

        Raises:
            UnreadableFieldError: A needed field cannot be read.
            RunStoppedError: The rows lack a needed field, or none of them was asked for.
        """
        while True:
            left_out = self._unreadable.union(optional if self.reads_needed_only else needed)
            readable = [name for name in optional if name not in left_out]
            try:
                select = (*needed, *readable)
                rows = self.records.query(self.object_name, select=select, where=where)
                return self._check(rows, needed, is_asked_for)
            except errors.UnreadableFieldError as error:
                if not readable or not set(error.fields).isdisjoint(needed):
                    raise
                self.leave_out(error.fields, error)

    def leave_out(self, names: Collection[str], error: errors.GainsightError) -> None:
        """Leave some optional fields out of later queries; all of them if none is named."""
        new = [name for name in names if name not in self._unreadable]
        self._unreadable = self._unreadable.union(new)
        if new:
            logger.warning(
                "%s: the tenant cannot read %s (%s); queries leave that out, and records that "
                "carry it are written without being compared",
                self.object_name,
                ", ".join(sorted(new)),
                error,
            )
        elif not (names or self.reads_needed_only):
            logger.warning(
                "%s: the tenant refuses a query without naming the field (%s); queries read only "
                "key fields from now on, and records are written without being compared",
                self.object_name,
                error,
            )
        self.reads_needed_only = self.reads_needed_only or not names

    def _check(
        self, rows: Iterable[Row], needed: Sequence[str], is_asked_for: Callable[[Row], bool]
    ) -> list[Row]:
        """Return the rows; read no further page if none of the first was asked for."""
        checked: list[Row] = []
        is_filtered, problem = False, ""
        for row in rows:
            missing = [
                name
                for name in needed
                if not (row.get(name) if name == GSID else name in row)
                and not isinstance(row.get(name.partition(".")[0]), dict)
            ]
            if missing:
                problem = f"without {', '.join(missing)}"
                break
            checked.append(row)
            is_filtered = is_filtered or is_asked_for(row)
            if not is_filtered and len(checked) == MAX_PAGE:
                break
        if checked and not is_filtered:
            problem = f"that were not asked for by {', '.join(needed)}"
        if problem:
            message = (
                f"the tenant returns rows of {self.object_name} {problem}. The run stops, because "
                "an existing row could be taken for missing. Use other fields as lookup keys or in "
                "the lookup"
            )
            raise RunStoppedError(message)
        return checked


def gsid_of(row: Row) -> str | None:
    """Return the GSID of a row, if the query returned it."""
    gsid = row.get(GSID)
    return str(gsid) if gsid else None


@dataclass(kw_only=True, eq=False)
class CurrentRows:
    """Reads the rows that the tenant holds. May be used from several threads.

    Attributes:
        read_as: The fields that a query knows under another name.
        required: Further fields that every row must carry.
        rule_fields: Fields that every row must carry because a write rule depends on them.
        compared: Further fields that queries probably return; None if all are described. If the
            tenant refuses them, only which rows exist is read.
        may_stay_unread: If the tenant refuses every query, records are written unread: the
            response to the write shows which of them existed.
        deleted: The GSIDs of rows that would be deleted if a dry run were real.
    """

    reader: ObjectReader
    keys: KeyReader
    read_as: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = (GSID,)
    rule_fields: tuple[str, ...] = ()
    compared: frozenset[str] | None = None
    may_stay_unread: bool = False
    deleted: Collection[str] = ()
    readable: bool = field(default=True, init=False)
    _most_values: int | None = field(default=None, init=False)

    def read(
        self, records: Sequence[LoadRecord], *, near: bool = False, extra: Sequence[str] = ()
    ) -> Matches:
        """Read the rows that some records may match, with the fields about to be written.

        Args:
            near: Read the rows whose keys are usual spellings of the records' instead.
            extra: Further fields to read.
        """
        list_values = self.keys.near_values if near else self.keys.equal_values
        values = [each for record in records for each in list_values(record.fields)]
        names = dict.fromkeys(chain.from_iterable(record.fields for record in records))
        known = names if self.compared is None else [n for n in names if n in self.compared]
        select = dict.fromkeys((GSID, *extra, *(self.read_as.get(each, each) for each in known)))
        rows = self._read_parts(values, tuple(select))
        there = (self._as_written(row) for row in rows if row.get(GSID) not in self.deleted)
        return Matches(there, self.keys, readable=self.readable)

    def _read_parts(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        """Read rows in parts as large as the tenant allows: those of a refused part are halved."""
        rows: list[Row] = []
        while values and self.readable:
            part = values[: self._most_values]
            reads_needed_only = self.reader.reads_needed_only
            try:
                rows += self._read_part(part, select)
                values = values[len(part) :]
            except _REFUSALS as refusal:
                if self.compared is not None and not self._is_too_large(part, select, refusal):
                    if reads_needed_only:
                        self._leave_unread(refusal)
                    self.reader.leave_out((), refusal)
                    continue
                if isinstance(refusal, errors.StopRunError):
                    raise
                is_final = isinstance(refusal, (errors.UnreadableFieldError, errors.NotFoundError))
                if is_final or len(part) == 1:
                    raise RunStoppedError(self._explain(refusal)) from refusal
                self._most_values = (len(part) + 1) // 2
                logger.warning(
                    "%s: a query for %d keys was refused (%s); asking for %d at a time from now on",
                    self.reader.object_name,
                    len(part),
                    refusal,
                    self._most_values,
                )
        return rows

    def _is_too_large(
        self, values: Sequence[KeyValues], select: tuple[str, ...], refusal: errors.GainsightError
    ) -> bool:
        if len(values) == 1 or not isinstance(refusal, errors.RefusedError):
            return False
        try:
            self._read_part(values[:1], select)
        except errors.RefusedError:
            return False
        return True

    def _leave_unread(self, refusal: errors.GainsightError) -> None:
        if not self.may_stay_unread:
            raise RunStoppedError(self._explain(refusal)) from refusal
        if self.readable:  # otherwise another thread has said so meanwhile
            self.readable = False
            logger.warning(
                "%s: the tenant refuses to read which records exist (%s); every record is "
                "written, and the responses show which existed",
                self.reader.object_name,
                refusal,
            )

    def _explain(self, refusal: errors.GainsightError) -> str:
        named = refusal.fields if isinstance(refusal, errors.UnreadableFieldError) else ()
        fields = ", ".join(named or self.keys.names)
        return (
            f"the tenant cannot read {fields} of {self.reader.object_name}, which lookup_keys, "
            f"fallback_keys or field_rules need: {refusal}. Choose other keys, or remove the "
            "field's rule"
        )

    def _read_part(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        names, read_as = self.keys.names, self.read_as
        columns = zip(names, zip(*values, strict=True), strict=True)
        where = all_of(
            *(is_in(read_as.get(name, name), list(dict.fromkeys(each))) for name, each in columns)
        )
        keys = [self.keys.read_key(dict(zip(names, each, strict=True))) for each in values]
        is_asked_for = self.keys.matcher(keys)
        paths = (read_as.get(name, name) for name in (*names, *self.rule_fields))
        needed = (*self.required, *paths)
        return self.reader.read(
            needed, select, where, lambda row: is_asked_for(self._as_written(row))
        )

    def _as_written(self, row: Row) -> Row:
        """Return a row under the names by which its fields are written."""
        renamed = {}
        for name, path in self.read_as.items():
            outer, _, inner = path.partition(".")
            nested = row.get(outer)
            if path in row:
                renamed[name] = row[path]
            elif isinstance(nested, dict):
                renamed[name] = nested.get(inner)
        return {**row, **renamed} if renamed else row


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


@dataclass(kw_only=True, eq=False)
class FallbackRows(CurrentRows):
    """Reads the rows of one object; for records without any, the rows with their fallback keys.

    Attributes:
        fallback: Reads rows by the fallback keys.
        claimed: The lookup keys that this run gives to rows of the object, by GSID.
    """

    fallback: CurrentRows
    claimed: SpilledValues

    @override
    def read(
        self, records: Sequence[LoadRecord], *, near: bool = False, extra: Sequence[str] = ()
    ) -> Matches:
        matches = super().read(records, near=near, extra=extra)
        unmatched = [
            record
            for record in records
            if None not in record.key
            and not matches.exact(record.key)
            and self.fallback.keys.equal_values(record.fields)
        ]
        if unmatched and not near:
            matches.claim = partial(self._claim, self.fallback.read(unmatched))
        return matches

    def _claim(self, rows: Matches, record: LoadRecord) -> Row | Reason | None:
        """Return the row that a record is to update, or why none can be chosen; in the main thread.

        A row that this run gives the key of another record stays a candidate, so that the outcome
        does not depend on when the rows are read.
        """
        keys, fallback_keys = self.keys.names, self.fallback.keys
        own = (keys, record.key)
        found = rows.exact(fallback_keys.read_key(record.fields))
        by_gsid = {str(row.get(GSID)): row for row in found}
        claimed = self.claimed.find((gsid,) for gsid in by_gsid)
        taken = {gsid: claim[1] for (gsid,), claim in claimed if claim != own}
        free = [
            gsid
            for gsid, row in by_gsid.items()
            if gsid not in taken and all(is_blank(row.get(name)) for name in keys)
        ]
        if not taken and len(free) == 1:
            self.claimed.put((free[0],), own)
            return by_gsid[free[0]]
        if not taken and not free:
            return None
        rows_found = first_few((*taken, *free))
        message = f"several rows, or one already assigned, have its fallback keys: {rows_found}"
        for gsid, key in taken.items():
            message += f"; this run gives {gsid} the key {' | '.join(map(display, key))}"
        hint = "set the lookup keys of the right row in Gainsight"
        if taken:
            hint += ", or replay this record"
        return Reason(
            "ambiguous_key",
            message,
            field=fallback_keys.names[0],
            value=record.fields.get(fallback_keys.names[0]),
            hint=hint,
        )
