"""Foreign keys resolved in bulk: the rows of another object found by the values of its fields.

One query for the distinct new values of a group and object; what was found is kept for the run.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from target_gainsight.api import RefusedError, UnreadableFieldError, all_of, any_of, is_in
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.reading.keys import AskedKeys, normalize_key
from target_gainsight.loading.reading.object_reader import ObjectReader
from target_gainsight.loading.references import TO_BE_CREATED, MatchFields, Wanted, WatchedFields
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.types.spellings import usual_spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_gainsight.api import RecordsApi, Where
    from target_gainsight.loading.dry_run.overlay import PlannedParents
    from target_gainsight.loading.references import Key

MOST_REMEMBERED = 200_000
MOST_VALUES_IN_A_QUERY = 1000
MOST_SPELT_IN_A_QUERY = 250


class LookupIndex:
    """What is known of other objects' rows, shared by all streams of a run.

    Args:
        records: The records API.
        settle_object: Settles everything buffered or in flight for an object, so that rows which
            are about to be written are found.
        planned: In a dry run, the rows that would have been written so far.
    """

    def __init__(
        self,
        records: RecordsApi,
        settle_object: Callable[[str], None],
        planned: PlannedParents | None = None,
    ) -> None:
        self._records = records
        self._settle_object = settle_object
        self._planned = planned
        self._known: OrderedDict[Wanted, tuple[str, ...]] = OrderedDict()
        self._missed: dict[str, dict[Wanted, None]] = defaultdict(dict)
        self._near: dict[tuple[MatchFields, Key], str] = {}
        self._near_read: OrderedDict[Wanted, None] = OrderedDict()
        self._most_values = MOST_VALUES_IN_A_QUERY
        self._readers: dict[str, ObjectReader] = {}

    def find(self, wanted: Iterable[Wanted]) -> None:
        """Learn the rows that some records refer to, in one query per object.

        Args:
            wanted: What they refer to.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read them.
        """
        by_object: dict[str, dict[Wanted, None]] = defaultdict(dict)
        for each in wanted:
            if each in self._known:
                self._known.move_to_end(each)
            else:
                by_object[each.match.object_name][each] = None
        for object_name, unknown in by_object.items():
            self._settle_object(object_name)
            missing = [each for each in unknown if each not in self._missed[object_name]]
            for start in range(0, len(missing), self._most_values):
                self._read(object_name, missing[start : start + self._most_values])

    def gsids(self, wanted: Wanted) -> tuple[str, ...]:
        """List the rows found for a reference; empty when there are none."""
        return self._known.get(wanted, ())

    def near(self, wanted: Wanted) -> str | None:
        """Describe a row whose values are other spellings of those wanted, if one was seen."""
        normalized = normalize_key(wanted.key, wanted.match.converters)
        return self._near.get((wanted.match, normalized))

    def find_near(self, wanted: Iterable[Wanted]) -> None:
        """Look for rows whose values are usual spellings of what was not found.

        Args:
            wanted: What was not found, and will be reported.

        Raises:
            GainsightError: The rows cannot be read.
        """
        by_object: dict[str, list[Wanted]] = defaultdict(list)
        for each in dict.fromkeys(wanted):
            if self.near(each) is None and each not in self._near_read:
                self._near_read[each] = None
                by_object[each.match.object_name].append(each)
        while len(self._near_read) > MOST_REMEMBERED:
            self._near_read.popitem(last=False)
        for object_name, missed in by_object.items():
            for start in range(0, len(missed), MOST_SPELT_IN_A_QUERY):
                part = missed[start : start + MOST_SPELT_IN_A_QUERY]
                with suppress(RefusedError, UnreadableFieldError):  # it would only be advice
                    self._read_near(object_name, _by_match(part))

    def object_written(self, object_name: str) -> None:
        """Forget what was missed: rows of this object have come since.

        Args:
            object_name: The object.
        """
        self._missed.pop(object_name.lower(), None)

    def _read(self, object_name: str, wanted: Sequence[Wanted]) -> None:
        """Read some references; if the query is refused, by halves."""
        by_match = _by_match(wanted)
        where = any_of(*(_where(match, group) for match, group in by_match.items()))
        try:
            rows = self._query(object_name, by_match, where)
        except UnreadableFieldError as error:
            names = dict.fromkeys(name for match in by_match for name in match.names)
            message = (
                f"the tenant cannot read {', '.join(error.fields or names)} of {object_name}, by "
                f"which a lookup finds its rows: {error}. Look it up by other fields"
            )
            raise RunStoppedError(message) from error
        except RefusedError as refusal:
            if len(wanted) == 1:
                message = f"the tenant refuses to look up {object_name} by {wanted[0]}: {refusal}"
                raise RunStoppedError(message) from refusal
            self._most_values = (len(wanted) + 1) // 2
            self._read(object_name, wanted[: self._most_values])
            self._read(object_name, wanted[self._most_values :])
            return
        self._learn(object_name, by_match, rows)

    def _read_near(
        self, object_name: str, by_match: Mapping[MatchFields, Sequence[Wanted]]
    ) -> None:
        where = any_of(*(_where_near(match, group) for match, group in by_match.items()))
        for row in self._query(object_name, by_match, where):
            for match in by_match:
                self._note_near(match, row)

    def _query(
        self,
        object_name: str,
        by_match: Mapping[MatchFields, Sequence[Wanted]],
        where: Where,
    ) -> list[Mapping[str, Any]]:
        names = dict.fromkeys(name for match in by_match for name in match.names)
        keys = [
            (match, AskedKeys(normalize_key(each.key, match.converters) for each in group))
            for match, group in by_match.items()
        ]
        reader = self._readers.get(object_name)
        if reader is None:
            reader = self._readers[object_name] = ObjectReader(self._records, object_name)
        rows = reader.read(
            (GSID, *names),
            (),
            where,
            lambda row: any(
                asked.may_include(normalize_key(match.key_of_row(row), match.converters))
                for match, asked in keys
            ),
        )
        return list(rows)

    def _note_near(self, match: MatchFields, row: Mapping[str, Any]) -> None:
        pairs = ", ".join(f"{name} = {display(row.get(name))}" for name in match.names)
        normalized = normalize_key(match.key_of_row(row), match.converters)
        self._near.setdefault((match, normalized), f"{display(row.get(GSID))} ({pairs})")

    def _learn(
        self,
        object_name: str,
        by_match: Mapping[MatchFields, Sequence[Wanted]],
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        for match, group in by_match.items():
            found: dict[Key, list[str]] = defaultdict(list)
            for row in rows:
                key = match.key_of_row(row)
                found[key].append(str(row.get(GSID)))
                self._note_near(match, row)
            for each in group:
                if each.key in found:
                    self._remember(each, tuple(found[each.key]))
                elif self._planned is not None and self._planned.has(each):
                    self._remember(each, (TO_BE_CREATED,))
                else:
                    self._miss(object_name, each)

    def _miss(self, object_name: str, wanted: Wanted) -> None:
        missed = self._missed[object_name]
        missed[wanted] = None
        if len(missed) > MOST_REMEMBERED:
            del missed[next(iter(missed))]

    def _remember(self, wanted: Wanted, gsids: tuple[str, ...]) -> None:
        self._known[wanted] = gsids
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        if len(self._near) > MOST_REMEMBERED:
            self._near.clear()


class SeenParents:
    """Remembers which parents were rejected in this run, so that their children can say so.

    Args:
        watched: What lookups of this run use.
    """

    def __init__(self, watched: WatchedFields) -> None:
        self._watched = watched
        self._seen: OrderedDict[tuple[str, tuple[str, ...], Key], None] = OrderedDict()

    def note(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Take note of a record.

        Args:
            object_name: The object it was for.
            fields: Its fields, as far as they are known.
        """
        for name, match_fields, values in self._watched.of(object_name, fields):
            self._seen[name, match_fields, _blurred(values)] = None
            if len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)

    def has(self, wanted: Wanted) -> bool:
        """Whether the row that is wanted came by."""
        match = wanted.match
        return (match.object_name, match.names, _blurred(wanted.written)) in self._seen


def _blurred(values: Iterable[object]) -> Key:
    return tuple(str(value).strip().casefold() for value in values)


def _by_match(wanted: Iterable[Wanted]) -> dict[MatchFields, list[Wanted]]:
    by_match: dict[MatchFields, list[Wanted]] = defaultdict(list)
    for each in wanted:
        by_match[each.match].append(each)
    return by_match


def _where_near(match: MatchFields, group: Sequence[Wanted]) -> Where:
    conditions = []
    for place, (name, converter) in enumerate(zip(match.names, match.converters, strict=True)):
        values: dict[Any, None] = {}
        for each in group:
            written = each.written[place]
            spelt = converter.is_free_text and isinstance(written, str)
            values.update(dict.fromkeys(usual_spellings(written) if spelt else (written,)))
        conditions.append(is_in(name, list(values)))
    return all_of(*conditions)


def _where(match: MatchFields, group: Sequence[Wanted]) -> Where:
    conditions = [
        is_in(
            name,
            list(dict.fromkeys(v for each in group for v in converter.forms(each.written[place]))),
        )
        for place, (name, converter) in enumerate(zip(match.names, match.converters, strict=True))
    ]
    return all_of(*conditions)
