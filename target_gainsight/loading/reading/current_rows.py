"""Current rows of the tenant, read in bulk by lookup keys; every response is checked."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol

from target_gainsight.api import (
    MAX_PAGE,
    RecordsApi,
    RefusedError,
    UnreadableFieldError,
    Where,
    all_of,
    is_in,
)
from target_gainsight.loading.keys import AskedKeys, Key, KeyReader, KeyValues
from target_gainsight.loading.outcomes import Reason, RunStoppedError
from target_gainsight.loading.records import LoadRecord

logger = logging.getLogger(__name__)

GSID = "Gsid"

Row = Mapping[str, Any]


class Matches:
    """Rows of one object, found by their keys.

    Attributes:
        readable: Whether the tenant returns rows of the object; if not, a row that is missing here
            may exist.
        claim: Returns the row with the fallback keys of a record that no row matches, the reason
            why none can be chosen, or None; is None itself where no row has fallback keys.
    """

    def __init__(self, rows: Iterable[Row], keys: KeyReader, *, readable: bool = True) -> None:
        self.readable = readable
        self.claim: Callable[[LoadRecord], Row | Reason | None] | None = None
        self._keys = keys
        self._exact: dict[Key, list[Row]] = defaultdict(list)
        for row in rows:
            self._exact[keys.read_key(row)].append(row)
        self._near: dict[Key, list[Row]] | None = None

    def exact(self, key: Key) -> list[Row]:
        """List the rows that have this very key."""
        return self._exact.get(key, [])

    def replace(self, key: Key, rows: Sequence[Row]) -> None:
        """Replace the rows that have a key."""
        self._exact[key] = list(rows)
        self._near = None

    def remove(self, gsids: AbstractSet[str]) -> None:
        """Remove rows."""
        for key, rows in self._exact.items():
            self._exact[key] = [row for row in rows if str(row.get(GSID)) not in gsids]
        self._near = None

    def near(self, key: Key) -> list[Row]:
        """List the rows whose key differs at most in case, surrounding blanks or Unicode form."""
        if self._near is None:
            self._near = defaultdict(list)
            for exact, rows in self._exact.items():
                self._near[self._keys.normalize(exact)] += rows
        return self._near.get(self._keys.normalize(key), [])


class RowReader(Protocol):
    """Reads the rows of one object that some records may match."""

    def read(
        self, records: Sequence[LoadRecord], extra: Sequence[str] = (), *, near: bool = False
    ) -> Matches:
        """Read rows with the fields about to be written.

        Args:
            records: The records of one group, or a part of it.
            extra: Further fields to read.
            near: Read the rows whose keys are usual spellings of the records' instead.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read even a single key, or its response lacks
                what was asked for.
        """


@dataclass(kw_only=True, eq=False)
class CurrentRows:
    """Reads the rows that the tenant holds. May be used from several threads.

    Attributes:
        read_as: The fields that a query knows under another name.
        required: What every row must carry beside the lookup keys.
        ruled: Fields that every row must carry because a write rule depends on them.
        readable: Whether the tenant returns rows of the object.
    """

    reader: ObjectReader
    keys: KeyReader
    read_as: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = (GSID,)
    ruled: tuple[str, ...] = ()
    readable: bool = field(default=True, init=False)
    _most_values: int | None = field(default=None, init=False)

    def read(
        self, records: Sequence[LoadRecord], extra: Sequence[str] = (), *, near: bool = False
    ) -> Matches:
        """Read rows with the fields about to be written; see ``RowReader.read``."""
        list_values = self.keys.near_values if near else self.keys.equal_values
        values = [each for record in records for each in list_values(record.fields)]
        names = dict.fromkeys(name for record in records for name in record.fields)
        select = dict.fromkeys((GSID, *extra, *(self.read_as.get(each, each) for each in names)))
        size = self._most_values or len(values) or 1
        rows: list[Row] = []
        for start in range(0, len(values), size):
            rows += self._read_part(values[start : start + size], tuple(select))
        return Matches(map(self._as_written, rows), self.keys, readable=self.readable)

    def _read_part(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        """Read one part; if it is refused, its halves, and remember their size."""
        try:
            return self._query(values, select)
        except UnreadableFieldError as error:
            raise RunStoppedError(self._explain_unreadable(error)) from error
        except RefusedError as refusal:
            if len(values) == 1:
                message = (
                    f"the tenant refuses to read {self.reader.object_name} by "
                    f"{', '.join(self.keys.names)}: {refusal}"
                )
                raise RunStoppedError(message) from refusal
            half = (len(values) + 1) // 2
            self._most_values = min(half, self._most_values or half)
            logger.warning(
                "%s: a query for %d keys was refused (%s); asking for %d at a time from now on",
                self.reader.object_name,
                len(values),
                refusal,
                half,
            )
            first = self._read_part(values[:half], select)
            return first + self._read_part(values[half:], select)

    def _explain_unreadable(self, error: UnreadableFieldError) -> str:
        ruled = {self.read_as.get(name, name) for name in self.ruled}.intersection(error.fields)
        names = ", ".join(sorted(ruled) or error.fields or self.keys.names)
        effect = "without which no record is found"
        advice = "Choose other lookup_keys"
        if ruled:
            effect, advice = "so that field_rules cannot be applied", "Remove its rule"
        names = f"{names} of {self.reader.object_name}"
        return f"the tenant cannot read {names}, {effect}: {error}. {advice}"

    def _query(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        """Query once for the rows with some keys."""
        names = self.keys.names
        columns = zip(names, zip(*values, strict=True), strict=True)
        where = all_of(
            *(
                is_in(self.read_as.get(name, name), list(dict.fromkeys(each)))
                for name, each in columns
            )
        )
        keys = (self.keys.read_key(dict(zip(names, each, strict=True))) for each in values)
        asked = AskedKeys(self.keys, keys)
        paths = (self.read_as.get(name, name) for name in (*names, *self.ruled))
        needed = (*self.required, *paths)
        return self.reader.read(
            needed, select, where, lambda row: asked.may_include(self._as_written(row))
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


@dataclass(eq=False)
class ObjectReader:
    """Reads rows of one object and checks them. May be used from several threads."""

    records: RecordsApi
    object_name: str
    _unreadable: frozenset[str] = field(default=frozenset(), init=False)
    _reads_needed_only: bool = field(default=False, init=False)

    def read(
        self,
        needed: Sequence[str],
        optional: Sequence[str],
        where: Where,
        is_asked_for: Callable[[Row], bool],
    ) -> list[Row]:
        """Read the rows that match a filter.

        Args:
            needed: Fields that every row must carry.
            optional: Fields that are left out where no query can read them.
            where: The filter.
            is_asked_for: Returns whether a row may match the filter; some of the result may not.

        Raises:
            UnreadableFieldError: A needed field cannot be read.
            GainsightError: The rows cannot be read.
            RunStoppedError: The rows lack a needed field, or none of them was asked for.
        """
        while True:
            left_out = self._unreadable.union(optional if self._reads_needed_only else needed)
            readable = [name for name in optional if name not in left_out]
            try:
                select = (*needed, *readable)
                rows = self.records.query(self.object_name, select=select, where=where)
                return self._check(rows, needed, is_asked_for)
            except UnreadableFieldError as error:
                if not readable or not set(error.fields).isdisjoint(needed):
                    raise
                self._leave_out(error)

    def _check(
        self, rows: Iterable[Row], needed: Sequence[str], is_asked_for: Callable[[Row], bool]
    ) -> list[Row]:
        """Return rows that all have the needed fields, flat or nested in an object.

        If no row of the first page was asked for, no further page is read.
        """
        checked: list[Row] = []
        is_filtered = False
        for row in rows:
            missing = [
                name
                for name in needed
                if name not in row and not isinstance(row.get(name.partition(".")[0]), dict)
            ]
            if missing:
                message = (
                    f"the tenant returns rows of {self.object_name} without "
                    f"{', '.join(missing)}. Nothing is written, because rows that exist could be "
                    "taken for missing"
                )
                raise RunStoppedError(message)
            checked.append(row)
            is_filtered = is_filtered or is_asked_for(row)
            if not is_filtered and len(checked) == MAX_PAGE:
                break
        if checked and not is_filtered:
            message = (
                f"asked for some rows of {self.object_name} by {', '.join(needed)}, the "
                "tenant returned others only, as if it ignored the filter. Nothing is "
                "written, because rows that exist could be taken for missing; try other "
                "lookup_keys"
            )
            raise RunStoppedError(message)
        return checked

    def _leave_out(self, error: UnreadableFieldError) -> None:
        """Leave the fields that an error names out of later queries; all if it names none."""
        new = set(error.fields) - self._unreadable
        self._unreadable |= new
        self._reads_needed_only = self._reads_needed_only or not error.fields
        if new or not error.fields:
            logger.warning(
                "%s: the tenant cannot read %s (%s); records that carry such a field are written "
                "without being compared",
                self.object_name,
                ", ".join(sorted(new)) or "one of its fields",
                error,
            )
