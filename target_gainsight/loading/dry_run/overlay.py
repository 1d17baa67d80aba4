"""What the tenant would hold if the run were real: in a dry run, later groups must see it.

Kept in temporary files that only this process can see, because it covers whole objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.loading.reading.current_rows import GSID, CurrentRows
from target_gainsight.loading.reading.person_rows import merged_fields
from target_gainsight.loading.references import TO_BE_CREATED
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.types.strings import comparable_sfdc_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_gainsight.loading.reading.current_rows import Matches
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.references import Key, Wanted, WatchedFields


class PlannedRows(CurrentRows):
    """The current rows of one object, with what the run would have written by now.

    Args:
        rows: Reads what the tenant holds.
        written: The fields that would have been written so far, by the lookup key.
    """

    def __init__(self, rows: CurrentRows, written: SpilledValues) -> None:
        self._rows = rows
        self._written = written

    def note(self, record: LoadRecord) -> None:
        """Take note of a record that would be written.

        Args:
            record: The record.
        """
        for entry in self._written.find([record.key]):
            self._written.replace(entry, merged_fields(entry.value, record.fields))
            return
        self._written.add(record.key, record.fields)

    def own_fields(self, record: LoadRecord) -> Iterable[str]:
        """List the fields of a record that are fields of the object."""
        return self._rows.own_fields(record)

    def read(self, records: Sequence[LoadRecord], extra: Sequence[str] = ()) -> Matches:
        """Read the rows that some records may meet, as they would be by now.

        Args:
            records: The records of one group.
            extra: Further fields to read.

        Returns:
            The rows.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read even a single key.
        """
        return self._as_planned(self._rows.read(records, extra), records)

    def read_near(self, records: Sequence[LoadRecord]) -> Matches:
        """Read the rows with usual spellings of some records' keys, as they would be by now.

        Args:
            records: Records whose very keys were not found.

        Returns:
            The rows.

        Raises:
            GainsightError: The rows cannot be read.
            RunStoppedError: The tenant refuses to read even a single key.
        """
        return self._as_planned(self._rows.read_near(records), records)

    def _as_planned(self, matches: Matches, records: Sequence[LoadRecord]) -> Matches:
        empty = dict.fromkeys(name for record in records for name in self.own_fields(record))
        keys = dict.fromkeys(record.key for record in records)
        for _, key, written in self._written.find(keys):
            rows = matches.exact(key) or [{**empty, GSID: TO_BE_CREATED}]
            matches.replace(key, [merged_fields(rows[0], written), *rows[1:]])
        return matches


class PlannedParents:
    """The rows that would be written by now and that lookups of this run may ask for.

    Args:
        watched: What lookups of this run use.
    """

    def __init__(self, watched: WatchedFields) -> None:
        self._watched = watched
        self._written = SpilledValues()

    def note(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Take note of a record that would be written.

        Args:
            object_name: The object.
            fields: The record's fields.
        """
        for name, match_fields, values in self._watched.of(object_name, fields):
            key = _key(name, match_fields, values)
            if not self._written.find([key]):
                self._written.add(key, value=True)

    def has(self, wanted: Wanted) -> bool:
        """Whether the row that is wanted would be there by now."""
        match = wanted.match
        return bool(self._written.find([_key(match.object_name, match.names, wanted.written)]))


def _key(object_name: str, names: tuple[str, ...], values: Iterable[object]) -> Key:
    """Return what a parent is found by; both forms of a Salesforce id are one."""
    return (object_name, names, *(comparable_sfdc_id(str(value)) for value in values))
