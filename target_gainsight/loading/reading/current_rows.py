"""What the tenant holds now, read in bulk by lookup keys."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from target_gainsight.api import GainsightError, RefusedError, UnreadableFieldError, all_of, is_in
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.keys import AskedKeys
from target_gainsight.loading.reading.object_reader import ObjectReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_gainsight.api import RecordsApi
    from target_gainsight.loading.reading.keys import KeyReader, KeyValues
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.references import Key

logger = logging.getLogger(__name__)

GSID = "Gsid"


class Matches:
    """Rows of the tenant, found by their keys.

    Args:
        rows: The rows.
        keys: Reads their keys.
        told: Whether the tenant has told its rows at all; else what is not here may be there.
    """

    def __init__(
        self, rows: Iterable[Mapping[str, Any]], keys: KeyReader, *, told: bool = True
    ) -> None:
        self.told = told
        self._keys = keys
        self._exact: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            self._exact[keys.of_row(row)].append(row)
        self._near: dict[Key, list[Mapping[str, Any]]] | None = None

    def exact(self, key: Key) -> list[Mapping[str, Any]]:
        """List the rows that have this very key."""
        return self._exact.get(key, [])

    def replace(self, key: Key, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take other rows for those that have a key.

        Args:
            key: The key.
            rows: The rows.
        """
        self._exact[key] = list(rows)
        self._near = None

    def near(self, key: Key) -> list[Mapping[str, Any]]:
        """List the rows whose key differs at most in case, surrounding blanks or Unicode form."""
        if self._near is None:
            self._near = defaultdict(list)
            for exact, rows in self._exact.items():
                self._near[self._keys.normalize(exact)] += rows
        return self._near.get(self._keys.normalize(key), [])


class CurrentRows:
    """Reads the rows of one object.

    Args:
        records: The records API.
        object_name: The object.
        keys: The lookup keys.
    """

    def __init__(self, records: RecordsApi, object_name: str, keys: KeyReader) -> None:
        self._object_name = object_name
        self._keys = keys
        self._reader = ObjectReader(records, object_name)
        self._most_values: int | None = None

    def read(self, records: Sequence[LoadRecord], extra: Sequence[str] = ()) -> Matches:
        """Read the rows that some records may meet, with the fields about to be written.

        Args:
            records: The records of one group, or a part of it.
            extra: Further fields to read.

        Returns:
            The rows.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read even a single key, or its response lacks
                what was asked for.
        """
        values = [each for record in records for each in self._keys.equal_values(record.fields)]
        return self._read(values, records, extra)

    def read_near(self, records: Sequence[LoadRecord]) -> Matches:
        """Read the rows whose keys are usual spellings of the keys of some records.

        Args:
            records: Records whose very keys were not found.

        Returns:
            The rows.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read even a single key, or its response lacks
                what was asked for.
        """
        values = [each for record in records for each in self._keys.near_values(record.fields)]
        return self._read(values, records)

    def _read(
        self,
        values: Sequence[KeyValues],
        records: Sequence[LoadRecord],
        extra: Sequence[str] = (),
    ) -> Matches:
        fields = dict.fromkeys([GSID, *extra])
        for record in records:
            fields.update(dict.fromkeys(map(self.read_name, self.own_fields(record))))
        rows: list[Mapping[str, Any]] = []
        for part in self._parts(values):
            rows += self._read_part(part, tuple(fields))
        return Matches(self.complete(rows, records), self._keys, told=self.tells)

    @property
    def tells(self) -> bool:
        """Whether the tenant tells its rows."""
        return True

    def read_name(self, name: str) -> str:
        """The name under which a query knows a field."""
        return name

    @property
    def needed(self) -> tuple[str, ...]:
        """The fields that every row must carry, as a query knows them."""
        return (GSID, *map(self.read_name, self._keys.names))

    def own_fields(self, record: LoadRecord) -> Iterable[str]:
        """List the fields of a record that are fields of the object."""
        return record.fields

    def complete(
        self,
        rows: list[Mapping[str, Any]],
        records: Sequence[LoadRecord],  # noqa: ARG002 - for objects that have more to read
    ) -> list[Mapping[str, Any]]:
        """Add to the rows what belongs to them but lies elsewhere.

        Args:
            rows: The rows of the object.
            records: The records of the group.

        Returns:
            The whole rows.
        """
        return rows

    def _parts(self, values: Sequence[KeyValues]) -> Iterable[Sequence[KeyValues]]:
        size = self._most_values or len(values) or 1
        return [values[start : start + size] for start in range(0, len(values), size)]

    def _read_part(
        self, values: Sequence[KeyValues], select: tuple[str, ...]
    ) -> list[Mapping[str, Any]]:
        """Read one part; if it is refused, its halves, and remember their size."""
        try:
            return self._query(values, select)
        except UnreadableFieldError as error:
            names = ", ".join(error.fields or self._keys.names)
            message = (
                f"the tenant cannot read {names} of {self._object_name}, without which no record "
                f"is found: {error}. Choose other lookup_keys"
            )
            raise RunStoppedError(message) from error
        except RefusedError as refusal:
            if len(values) == 1:
                message = (
                    f"the tenant refuses to read {self._object_name} by "
                    f"{', '.join(self._keys.names)}: {refusal}"
                )
                raise RunStoppedError(message) from refusal
            half = (len(values) + 1) // 2
            self._most_values = min(half, self._most_values or half)
            logger.warning(
                "%s: a query for %d keys was refused (%s); asking for %d at a time from now on",
                self._object_name,
                len(values),
                refusal,
                half,
            )
            first = self._read_part(values[:half], select)
            return first + self._read_part(values[half:], select)

    def _query(
        self, values: Sequence[KeyValues], select: tuple[str, ...]
    ) -> list[Mapping[str, Any]]:
        """Ask once for the rows with some keys."""
        names = self._keys.names
        columns = zip(names, zip(*values, strict=True), strict=True)
        where = all_of(
            *(is_in(self.read_name(name), list(dict.fromkeys(each))) for name, each in columns)
        )
        keys = (self._keys.of_record(dict(zip(names, each, strict=True))) for each in values)
        asked = AskedKeys(map(self._keys.normalize, keys))
        return self._reader.read(
            self.needed,
            select,
            where,
            lambda row: asked.may_include(self._normalized_key_of(row)),
        )

    def _normalized_key_of(self, row: Mapping[str, Any]) -> Key:
        return self._keys.normalize(self._keys.of_row(self.as_written(row)))

    def as_written(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a row with the names under which its fields are written."""
        return row


ReadResult = Matches | GainsightError | RunStoppedError
"""The rows, or why they cannot be read."""


def read_or_error(
    read: Callable[[Sequence[LoadRecord]], Matches], records: Sequence[LoadRecord]
) -> ReadResult:
    """Read the rows of some records in a worker thread; return an error as a value."""
    try:
        return read(records)
    except (GainsightError, RunStoppedError) as error:
        return error
