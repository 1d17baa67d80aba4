"""What the tenant would hold if a dry run were real: later groups and lookups must see it.

Kept in temporary files that only this process can see, because it covers whole objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.loading.reading.current_rows import GSID, CurrentRows
from target_gainsight.loading.reading.person_rows import merged_fields
from target_gainsight.loading.references import TO_BE_CREATED
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.types.salesforce_ids import comparable_sfdc_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_gainsight.loading.reading.current_rows import Matches
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.references import Key, LookupKey, LookupTargets


class PlannedRows(CurrentRows):
    """The current rows of one object, with what the run would have written so far.

    Args:
        rows: Reads the tenant's rows.
        written: The fields that would have been written, by the lookup key.
    """

    def __init__(self, rows: CurrentRows, written: SpilledValues) -> None:
        self._rows = rows
        self._written = written

    def record_write(self, record: LoadRecord) -> None:
        """Record what would be written; a row that is found by fallback keys is kept with it."""
        for entry in self._written.find([record.key]):
            self._written.replace(entry, merged_fields(entry.value, record.fields))
            return
        self._written.add(record.key, {**(record.claimed or {}), **record.fields})

    def object_fields(self, record: LoadRecord) -> Iterable[str]:
        """List the fields of a record that are fields of the object."""
        return self._rows.object_fields(record)

    def read(
        self, records: Sequence[LoadRecord], extra: Sequence[str] = (), *, near: bool = False
    ) -> Matches:
        """Read the rows of some records, as they would be by now; raises as CurrentRows does."""
        matches = self._rows.read(records, extra, near=near)
        empty = dict.fromkeys(name for record in records for name in self.object_fields(record))
        keys = dict.fromkeys(record.key for record in records)
        for _, key, written in self._written.find(keys):
            rows = matches.exact(key) or [{**empty, GSID: TO_BE_CREATED}]
            matches.replace(key, [merged_fields(rows[0], written), *rows[1:]])
        return matches


class PlannedParents:
    """The rows that would have been written so far and that lookups of this run may need."""

    def __init__(self, watched: LookupTargets) -> None:
        self._watched = watched
        self._written = SpilledValues()

    def record_write(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Record what would be written, under each set of match fields."""
        for name, match_fields, values in self._watched.of(object_name, fields):
            key = _key(name, match_fields, values)
            if not self._written.find([key]):
                self._written.add(key, value=True)

    def has(self, wanted: LookupKey) -> bool:
        """Return whether a row would be there by now."""
        match = wanted.match
        return bool(self._written.find([_key(match.object_name, match.names, wanted.written)]))


def _key(object_name: str, names: tuple[str, ...], values: Iterable[object]) -> Key:
    """Return what a parent is found by; both forms of a Salesforce id are one."""
    return (object_name, names, *(comparable_sfdc_id(str(value)) for value in values))
