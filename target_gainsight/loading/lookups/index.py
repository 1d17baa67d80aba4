"""Rows of other objects, found in bulk by the values of their fields and kept for the run."""

import logging
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from target_gainsight.api import (
    MAX_PAGE,
    Condition,
    NotFoundError,
    RecordsApi,
    RefusedError,
    UnavailableError,
    UnreadableFieldError,
    Where,
    all_of,
    any_of,
    is_in,
)
from target_gainsight.loading.keys import TO_BE_CREATED, Key, LookupKey, MatchFields
from target_gainsight.loading.loading_streams import LoadingStreams
from target_gainsight.loading.outcomes import Outcome, RunStoppedError, Settlement
from target_gainsight.loading.reading.current_rows import GSID, ObjectReader
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.types.spellings import (
    MIN_COMMON_LENGTH,
    common_part,
    comparable_sfdc_id,
    normalize_spelling,
    usual_spellings,
)

logger = logging.getLogger(__name__)

MAX_KEPT = 200_000
MAX_KEYS, MAX_NEAR_KEYS = 1000, 600
"""References that one query asks for, and those for whose other spellings it asks."""
MAX_NEAR_ROWS = 10 * MAX_PAGE
"""Rows that a query for other spellings reads at most."""

WRITTEN = (Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED)

K = TypeVar("K")
V = TypeVar("V")
Comparable = Callable[[str], str | None]
"""Makes texts equal that lead to the same record."""


class Cache(OrderedDict[K, V]):
    """A bounded cache, which drops its least recently added or moved entry."""

    def __init__(self, limit: int = MAX_KEPT) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            self.popitem(last=False)


@dataclass(eq=False)
class LookupIndex:
    """The rows that lookups have found, shared by all streams of a run.

    Attributes:
        targets: The objects, in lower case, and match fields that lookups of the run use.
        names: In a dry run, collects the values by which rows were found, by GSID; planned rows
            are then found, too.
        found: GSIDs by reference, with the object's create counter when they were read.
        near: By reference, a row in another spelling; empty if there is none.
    """

    records: RecordsApi
    streams: LoadingStreams
    targets: Collection[tuple[str, tuple[str, ...]]]
    names: Cache[str, str] | None = None
    found: Cache[LookupKey, tuple[tuple[str, ...], int]] = field(default_factory=Cache)
    near: Cache[LookupKey, str] = field(default_factory=Cache)
    _creates: Counter[str] = field(default_factory=Counter)
    _rejected: Cache[Key, None] = field(default_factory=Cache)
    _planned: SpilledValues = field(default_factory=SpilledValues)
    _deleted: set[str] = field(default_factory=set)
    _max_keys: dict[bool, int] = field(
        default_factory=lambda: {False: MAX_KEYS, True: MAX_NEAR_KEYS}
    )

    def on_create(self, object_name: str) -> None:
        """Let lookups that found nothing be read again: rows were created or given keys."""
        self._creates[object_name.lower()] += 1

    def on_settled(self, object_name: str, settlements: Iterable[Settlement]) -> None:
        """Note which rows there are by now, or would be if the run were real."""
        for record, outcome, _, gsid, _ in settlements:
            if outcome is Outcome.REJECTED and not record.deletes:
                self.on_reject(object_name, record.fields)
            if outcome is Outcome.CREATED or record.claimed is not None:
                self.on_create(object_name)
            if outcome is Outcome.DELETED:
                self._on_delete(str(gsid))
            if self.names is not None and outcome in WRITTEN:
                for match_key in self._match_keys(object_name, record.fields, comparable_sfdc_id):
                    self._planned.put(match_key, outcome is not Outcome.DELETED)

    def _on_delete(self, gsid: str) -> None:
        """Leave a row out; look again for those that would be new, if it would be one of them."""
        if gsid != TO_BE_CREATED:
            self._deleted.add(gsid)
            return
        for key in [key for key, (gsids, _) in self.found.items() if TO_BE_CREATED in gsids]:
            del self.found[key]

    def on_reject(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Remember a rejected record, so that its children can be rejected with that reason."""
        for match_key in self._match_keys(object_name, fields, normalize_spelling):
            self._rejected[match_key] = None

    def _match_keys(
        self, object_name: str, fields: Mapping[str, object], comparable: Comparable
    ) -> Iterator[Key]:
        """Yield the keys by which lookups may refer to a record."""
        for target, names in self.targets:
            values = [fields.get(name) for name in names]
            if target == object_name.lower() and None not in values:
                yield _match_key(target, names, values, comparable)

    def is_rejected(self, key: LookupKey) -> bool:
        """Return whether the record that a reference names was rejected in this run."""
        names = key.match.object_name, key.match.names
        return _match_key(*names, key.written, normalize_spelling) in self._rejected

    def find(self, keys: Iterable[LookupKey]) -> None:
        """Read the rows that some records refer to, with one query for each object.

        Before a lookup reads an object, everything buffered for it is written. Rows that are known
        need that only of streams that may delete them.
        """
        for object_name, wanted in _group(keys, lambda key: key.match.object_name).items():
            is_known = all(map(self.gsids, wanted))
            self.streams.settle_object(object_name, only_deletes=is_known)
            missing = []
            for key in wanted:
                _, creates = self.found.get(key, ((), -1))
                if self.gsids(key) or creates == self._creates[object_name]:
                    self.found.move_to_end(key)
                else:
                    missing.append(key)
            try:
                self._read_parts(object_name, missing)
            except (RefusedError, NotFoundError) as refusal:
                advice = "Look it up by other fields."
                message = f"the tenant refuses to look up {object_name} by {missing[0]}: {refusal}"
                raise RunStoppedError(message, suggestion=advice) from refusal

    def gsids(self, key: LookupKey) -> tuple[str, ...]:
        """Return the rows found for a reference."""
        gsids, _ = self.found.get(key, ((), -1))
        if self._deleted.isdisjoint(gsids):
            return gsids
        return tuple(gsid for gsid in gsids if gsid not in self._deleted)

    def find_near(self, keys: Iterable[LookupKey]) -> None:
        """Read rows whose values are other spellings of those not found; only for messages.

        A slow or unavailable tenant costs these names, not the outcomes of the records.
        """
        missed = [key for key in keys if key not in self.near]
        for object_name, of_object in _group(missed, lambda key: key.match.object_name).items():
            self.near.update(dict.fromkeys(of_object, ""))
            try:
                if self._max_keys[True]:
                    self._read_parts(object_name, of_object, near=True)
            except (UnavailableError, RefusedError, NotFoundError) as error:
                self._max_keys[True] = 0
                text = "%s: rows with similar values are no longer suggested for failed lookups: %s"
                logger.warning(text, object_name, error)

    def _read_parts(self, object_name: str, keys: list[LookupKey], *, near: bool = False) -> None:
        """Read references, or their other spellings, in parts as large as the tenant allows."""
        while keys:
            part = keys[: self._max_keys[near]]
            try:
                (self._read_near if near else self._read)(object_name, part)
                del keys[: len(part)]
            except RefusedError as refusal:
                if len(part) == 1 or isinstance(refusal, UnreadableFieldError):
                    raise
                self._max_keys[near] = (len(part) + 1) // 2

    def _read(self, object_name: str, keys: Sequence[LookupKey]) -> None:
        by_match = _group(keys, lambda key: key.match)
        where = any_of(*(_where(*each) for each in by_match.items()))
        asked = [match.matcher([each.key for each in group]) for match, group in by_match.items()]
        rows = ObjectReader(self.records, object_name).read(
            _select(by_match), (), where, lambda row: any(is_asked(row) for is_asked in asked)
        )
        for match, group in by_match.items():
            by_key: dict[Key, list[str]] = defaultdict(list)
            for row in rows:
                gsid = str(row.get(GSID))
                by_key[match.read_key(row)].append(gsid)
                if self.names is not None:
                    self.names[gsid] = ", ".join(str(row.get(name)) for name in match.names)
            creates = self._creates[object_name]
            for key in group:
                self.found[key] = tuple(dict.fromkeys(by_key[key.key])), creates
                match_key = _match_key(object_name, match.names, key.written, comparable_sfdc_id)
                if not self.gsids(key) and (match_key, True) in self._planned.find([match_key]):
                    self.found[key] = (TO_BE_CREATED,), creates

    def _read_near(self, object_name: str, keys: Sequence[LookupKey]) -> None:
        select = _select(_group(keys, lambda key: key.match))
        where = any_of(*map(_where_near, keys))
        rows = self.records.query(object_name, select=select, where=where, limit=MAX_NEAR_ROWS)
        missed = _group(keys, lambda key: (key.match, key.match.normalize(key.key)))
        matches = {match for match, _ in missed}
        for row in rows:
            for match in matches if row.get(GSID) not in self._deleted else ():
                for key in missed.get((match, match.normalize(match.read_key(row))), ()):
                    pairs = ", ".join(f"{name} = {display(row.get(name))}" for name in match.names)
                    self.near[key] = f"{display(row.get(GSID))} ({pairs})"


def _match_key(
    object_name: str, names: tuple[str, ...], values: Iterable[object], comparable: Comparable
) -> Key:
    """Return the key under which lookups find a record; both Salesforce ids of it are equal."""
    return (object_name, names, *(comparable(str(value)) for value in values))


def _select(by_match: Iterable[MatchFields]) -> tuple[str, ...]:
    return (GSID, *dict.fromkeys(name for match in by_match for name in match.names))


def _group(keys: Iterable[LookupKey], by: Callable[[LookupKey], K]) -> dict[K, list[LookupKey]]:
    groups: dict[K, list[LookupKey]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        groups[by(key)].append(key)
    return groups


def _where(match: MatchFields, keys: Sequence[LookupKey]) -> Where:
    conditions = []
    for position, (name, converter) in enumerate(zip(match.names, match.converters, strict=True)):
        forms = (form for key in keys for form in converter.forms(key.written[position]))
        conditions.append(is_in(name, list(dict.fromkeys(forms))))
    return all_of(*conditions)


def _where_near(key: LookupKey) -> Where:
    """Ask for the usual spellings of a reference's texts, and for texts that contain them.

    The latter finds any case, if the tenant ignores it in CONTAINS, and any number of blanks.
    """
    conditions = []
    columns = zip(key.match.names, key.match.converters, key.written, strict=True)
    for name, converter, value in columns:
        is_text = converter.is_free_text and isinstance(value, str)
        spellings: list[Where] = [is_in(name, usual_spellings(value) if is_text else (value,))]
        part = common_part(value) if is_text else ""
        if len(part) >= MIN_COMMON_LENGTH:
            spellings.append(Condition(name, "CONTAINS", (part,)))
        conditions.append(any_of(*spellings))
    return all_of(*conditions)
