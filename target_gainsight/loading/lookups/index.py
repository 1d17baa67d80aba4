"""Rows of other objects, found in bulk by the values of their fields and kept for the run."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from target_gainsight.api import (
    MAX_PAGE,
    Condition,
    Json,
    RecordsApi,
    RefusedError,
    UnavailableError,
    UnreadableFieldError,
    Where,
    all_of,
    any_of,
    is_in,
)
from target_gainsight.loading.dry_run.overlay import PlannedParents, RowNames
from target_gainsight.loading.keys import (
    TO_BE_CREATED,
    AskedKeys,
    Key,
    LookupKey,
    LookupTargets,
    MatchFields,
)
from target_gainsight.loading.loading_streams import LoadingStreams
from target_gainsight.loading.outcomes import RunStoppedError, Settlement
from target_gainsight.loading.reading.current_rows import GSID, ObjectReader
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import (
    MIN_COMMON_LENGTH,
    common_part,
    short_spellings,
    usual_spellings,
)

logger = logging.getLogger(__name__)

MAX_KEPT = 200_000
MAX_VALUES = 1000
"""Values that one query asks for."""
MAX_NEAR_KEYS = 600
"""Missed references whose other spellings one query asks for."""
MIN_NEAR_KEYS = 25
"""If a query for as few is refused as well, near matches are not looked for."""
MAX_NEAR_ROWS = 10 * MAX_PAGE
"""Rows that one such query reads at most."""

K = TypeVar("K")
V = TypeVar("V")


class _Cache(OrderedDict[K, V]):
    """A bounded cache, which drops its oldest entry."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            self.popitem(last=False)


class LookupIndex:
    """The rows that lookups have found, shared by all streams of a run.

    Args:
        records: The records API.
        streams: Settles the streams of an object before it is looked up.
        names: In a dry run, keeps what rows were found by; rows that would have been written are
            found, too.
        max_kept: Bound of each cache.

    Attributes:
        targets: The objects and match fields of the run's lookups.
    """

    def __init__(
        self,
        records: RecordsApi,
        streams: LoadingStreams,
        targets: LookupTargets,
        names: RowNames | None = None,
        max_kept: int = MAX_KEPT,
    ) -> None:
        self._records = records
        self._streams = streams
        self.targets = targets
        self._names = names
        self._planned = None if names is None else PlannedParents(targets)
        self._rejected: _Cache[tuple[str, tuple[str, ...], Key], None] = _Cache(max_kept)
        self._found: _Cache[LookupKey, tuple[str, ...]] = _Cache(max_kept)
        self._missed: dict[str, _Cache[LookupKey, None]] = defaultdict(partial(_Cache, max_kept))
        self._expected_deletes: set[str] = set()
        self._deleted: set[str] = set()
        self._near: _Cache[tuple[MatchFields, Key], str | None] = _Cache(max_kept)
        self._max_values = MAX_VALUES
        self._max_near_keys = MAX_NEAR_KEYS

    def on_create(self, object_name: str) -> None:
        """Forget which rows of an object were not found: some have been created, or given keys."""
        self._missed.pop(object_name.lower(), None)

    def on_expected_delete(self, object_name: str) -> None:
        """Settle the streams of an object before its next lookup: a row is to be deleted."""
        self._expected_deletes.add(object_name.lower())

    def on_delete(self, object_name: str, deleted: Settlement) -> None:
        """Forget a row that was deleted, or would be if the run were real."""
        gsid = str(deleted.gsid)
        self._deleted.add(gsid)
        if self._planned is not None:
            self._planned.record_delete(object_name, gsid, deleted.record.fields)

    def on_plan(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Remember a record that would be written if the run were real."""
        if self._planned is not None:
            self._planned.record_write(object_name, fields)

    def on_reject(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Remember a rejected record, so that its children can be rejected with that reason."""
        for name, match_fields, values in self.targets.of(object_name, fields):
            self._rejected[name, match_fields, _fold(values)] = None

    def is_rejected(self, key: LookupKey) -> bool:
        """Return whether the record with some values was rejected in this run."""
        return (key.match.object_name, key.match.names, _fold(key.written)) in self._rejected

    def find(self, keys: Collection[LookupKey]) -> None:
        """Read the rows that some records refer to, with one query for each object.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read them.
        """
        for object_name in self._expected_deletes & {each.match.object_name for each in keys}:
            self._streams.settle_object(object_name)
            self._expected_deletes.discard(object_name)
        if self._deleted:
            found, deleted = self._found, self._deleted
            for key in [key for key, gsids in found.items() if not deleted.isdisjoint(gsids)]:
                del found[key]
            self._near.clear()  # some of these rows may be gone
            deleted.clear()
        unknown: dict[str, dict[LookupKey, None]] = defaultdict(dict)
        for each in keys:
            if each in self._found:
                self._found.move_to_end(each)
            else:
                unknown[each.match.object_name][each] = None
        for object_name, of_object in unknown.items():
            self._streams.settle_object(object_name)
            missing = [each for each in of_object if each not in self._missed[object_name]]
            for start in range(0, len(missing), self._max_values):
                self._read(object_name, missing[start : start + self._max_values])

    def gsids(self, key: LookupKey) -> tuple[str, ...]:
        """Return the rows found for a reference."""
        return self._found.get(key, ())

    def near(self, key: LookupKey) -> str | None:
        """Describe a row whose values are other spellings of a key's, if one was read."""
        return self._near.get((key.match, key.match.normalize(key.key)))

    def find_near(self, keys: Iterable[LookupKey]) -> None:
        """Read rows whose values are other spellings of those not found; only for messages.

        A slow or unavailable tenant costs these names, not the outcomes of the records.

        Raises:
            GainsightError: The run cannot go on.
        """
        by_object: dict[str, list[LookupKey]] = defaultdict(list)
        for each in keys:
            place = each.match, each.match.normalize(each.key)
            if place not in self._near:
                self._near[place] = None
                by_object[each.match.object_name].append(each)
        for object_name, missed in by_object.items():
            while missed and self._max_near_keys >= MIN_NEAR_KEYS:
                try:
                    self._read_near(object_name, missed[: self._max_near_keys])
                    del missed[: self._max_near_keys]
                except UnavailableError as error:
                    self._max_near_keys = 0
                    logger.warning(
                        "%s: rows that differ from missed lookups in spelling only are not named "
                        "from now on: %s",
                        object_name,
                        error,
                    )
                except RefusedError:
                    self._max_near_keys //= 2

    def _read_near(self, object_name: str, keys: Sequence[LookupKey]) -> None:
        """Read the rows with usual spellings, and those that contain the texts.

        The latter finds any case, if the tenant ignores it in CONTAINS, and any number of blanks.
        """
        by_match = _by_match(keys)
        spelled = (_where(*each, spelled=True) for each in by_match.items())
        contained = (each for each in map(_where_contained, keys) if each is not None)
        where = any_of(*spelled, *contained)
        rows = self._records.query(object_name, select=_select(by_match), where=where)
        for row in islice(rows, MAX_NEAR_ROWS):
            if not self._would_be_gone(row):
                for match in by_match:
                    self._keep_near(match, row)

    def _read(self, object_name: str, keys: Sequence[LookupKey]) -> None:
        """Read some references; if the query is refused, by halves."""
        by_match = _by_match(keys)
        select = _select(by_match)
        where = any_of(*(_where(*each, spelled=False) for each in by_match.items()))
        asked = [
            AskedKeys(match, (each.key for each in group)) for match, group in by_match.items()
        ]
        reader = ObjectReader(self._records, object_name)
        try:
            rows = reader.read(
                select, (), where, lambda row: any(each.may_include(row) for each in asked)
            )
        except UnreadableFieldError as error:
            message = (
                f"the tenant cannot read {', '.join(error.fields or select[1:])} of {object_name}, "
                f"by which a lookup finds its rows: {error}. Look it up by other fields"
            )
            raise RunStoppedError(message) from error
        except RefusedError as refusal:
            if len(keys) == 1:
                message = f"the tenant refuses to look up {object_name} by {keys[0]}: {refusal}"
                raise RunStoppedError(message) from refusal
            self._max_values = (len(keys) + 1) // 2
            self._read(object_name, keys[: self._max_values])
            self._read(object_name, keys[self._max_values :])
            return
        for match, group in by_match.items():
            self._keep(match, group, [row for row in rows if not self._would_be_gone(row)])

    def _keep(
        self, match: MatchFields, keys: Sequence[LookupKey], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Keep which of some rows were found by some keys, and which keys found none."""
        found: dict[Key, list[str]] = defaultdict(list)
        for row in rows:
            gsid = str(row.get(GSID))
            found[match.read_key(row)].append(gsid)
            if self._names is not None:
                self._names.add(gsid, [row.get(name) for name in match.names])
            self._keep_near(match, row)
        for each in keys:
            gsids = tuple(found.get(each.key, ()))
            if not gsids and self._planned is not None and self._planned.has(each):
                gsids = (TO_BE_CREATED,)
            if gsids:
                self._found[each] = gsids
            else:
                self._missed[match.object_name][each] = None

    def _would_be_gone(self, row: Mapping[str, Any]) -> bool:
        """Return whether a dry run has planned to delete a row."""
        return self._planned is not None and str(row.get(GSID)) in self._planned.deleted

    def _keep_near(self, match: MatchFields, row: Mapping[str, Any]) -> None:
        place = match, match.normalize(match.read_key(row))
        if self._near.get(place) is None:
            pairs = ", ".join(f"{name} = {display(row.get(name))}" for name in match.names)
            self._near[place] = f"{display(row.get(GSID))} ({pairs})"


def _fold(values: Iterable[object]) -> Key:
    return tuple(str(value).strip().casefold() for value in values)


def _select(by_match: Iterable[MatchFields]) -> tuple[str, ...]:
    return (GSID, *dict.fromkeys(name for match in by_match for name in match.names))


def _by_match(keys: Iterable[LookupKey]) -> dict[MatchFields, list[LookupKey]]:
    by_match: dict[MatchFields, list[LookupKey]] = defaultdict(list)
    for each in keys:
        by_match[each.match].append(each)
    return by_match


def _where_contained(key: LookupKey) -> Where | None:
    """Ask for rows whose texts contain those of a reference; None if all are too short for that."""
    conditions: list[Where] = []
    is_long = False
    columns = zip(key.match.names, key.match.converters, key.written, strict=True)
    for name, converter, value in columns:
        part = common_part(value) if converter.is_free_text and isinstance(value, str) else ""
        if len(part) >= MIN_COMMON_LENGTH:
            conditions.append(Condition(name, "CONTAINS", (part,)))
            is_long = True
        else:
            conditions.append(is_in(name, _spellings(converter, value)))
    return all_of(*conditions) if is_long else None


def _where(match: MatchFields, group: Sequence[LookupKey], *, spelled: bool) -> Where:
    """Ask for the values of some references; ``spelled`` for the usual spellings of texts, too."""
    conditions = []
    for position, (name, converter) in enumerate(zip(match.names, match.converters, strict=True)):
        forms = partial(_spellings, converter) if spelled else converter.forms
        values = dict.fromkeys(form for each in group for form in forms(each.written[position]))
        conditions.append(is_in(name, list(values)))
    return all_of(*conditions)


def _spellings(converter: Converter, value: Json) -> tuple[Json, ...]:
    """List the spellings of a text that a query can ask for."""
    if not converter.is_free_text or not isinstance(value, str):
        return (value,)
    return tuple(dict.fromkeys((*usual_spellings(value), *short_spellings(value))))
