"""What the tenant would hold if a dry run were real: later groups and lookups must see it.

Kept in temporary files that only this process can see, because it covers whole objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_gainsight.loading.reading.current_rows import GSID, Matches, RowReader
from target_gainsight.loading.reading.fallback_rows import ClaimedRows
from target_gainsight.loading.reading.person_rows import merged_fields
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.references import TO_BE_CREATED, Key, LookupKey, LookupTargets
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.types.salesforce_ids import comparable_sfdc_id


@dataclass(frozen=True)
class _PlannedRow:
    """The row of a key as it would be by now.

    Attributes:
        fields: The fields that would have been written.
        exists: Whether there would be a row.
        is_new: Whether it would have been created after the tenant's own row was deleted.
    """

    fields: Mapping[str, Any]
    exists: bool = True
    is_new: bool = False


class PlannedRows:
    """The current rows of one object, with what the run would have written so far.

    Args:
        rows: Reads the tenant's rows.
        written: The rows that would have been written, by the lookup key.
        deleted: The GSIDs of the rows that would have been deleted.
        claimed: The rows found by fallback keys; None for a stream without them.
    """

    def __init__(
        self,
        rows: RowReader,
        written: SpilledValues,
        deleted: set[str],
        claimed: ClaimedRows | None = None,
    ) -> None:
        self._rows = rows
        self._written = written
        self._deleted = deleted
        self._claimed = claimed

    def record_write(self, record: LoadRecord) -> None:
        """Record what would be written; a row that is found by fallback keys is kept with it."""
        for entry in self._written.find([record.key]):
            before: _PlannedRow = entry.value
            held = {**before.fields, **(record.claimed or {})}
            fields = merged_fields(held, record.fields)
            is_new = before.is_new or not before.exists
            self._written.replace(entry, _PlannedRow(fields, is_new=is_new))
            return
        row = _PlannedRow({**(record.claimed or {}), **record.fields})
        self._written.add(record.key, row)

    def record_delete(self, record: LoadRecord) -> None:
        """Record that a row would be deleted."""
        self._deleted.add(str(record.gsid))
        if self._claimed is not None and record.gsid is not None:
            self._claimed.mark_deleted(record.gsid)
        deleted = _PlannedRow({}, exists=False)
        for entry in self._written.find([record.key]):
            self._written.replace(entry, deleted)
            return
        self._written.add(record.key, deleted)

    def read(
        self, records: Sequence[LoadRecord], extra: Sequence[str] = (), *, near: bool = False
    ) -> Matches:
        """Read the rows of some records, as they would be by now; see ``RowReader.read``."""
        matches = self._rows.read(records, extra, near=near)
        if self._deleted:
            matches.remove(self._deleted)
        empty = dict.fromkeys(name for record in records for name in record.fields)
        keys = dict.fromkeys(record.key for record in records)
        for _, key, planned in self._written.find(keys):
            if not planned.exists:
                matches.replace(key, [])
                continue
            rows = [] if planned.is_new else matches.exact(key)
            rows = rows or [{**empty, GSID: TO_BE_CREATED}]
            matches.replace(key, [merged_fields(rows[0], planned.fields), *rows[1:]])
        return matches


class PlannedParents:
    """The rows that would have been written so far and that lookups of this run may need."""

    def __init__(self, watched: LookupTargets) -> None:
        self._watched = watched
        self._written = SpilledValues()
        self._deleted: set[str] = set()

    def record_write(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Record what would be written, under each set of match fields."""
        for name, match_fields, values in self._watched.of(object_name, fields):
            key = _key(name, match_fields, values)
            found = self._written.find([key])
            for entry in found:
                self._written.replace(entry, value=True)
            if not found:
                self._written.add(key, value=True)

    def record_delete(self, object_name: str, gsid: str, fields: Mapping[str, object]) -> None:
        """Record that a row would be deleted; fields are its lookup keys."""
        self._deleted.add(gsid)
        for name, match_fields, values in self._watched.of(object_name, fields):
            for entry in self._written.find([_key(name, match_fields, values)]):
                self._written.replace(entry, value=False)

    def is_deleted(self, gsid: str) -> bool:
        """Return whether a row of the tenant would be gone by now."""
        return gsid in self._deleted

    def has(self, wanted: LookupKey) -> bool:
        """Return whether a row would be there by now."""
        match = wanted.match
        found = self._written.find([_key(match.object_name, match.names, wanted.written)])
        return any(entry.value for entry in found)


def _key(object_name: str, names: tuple[str, ...], values: Iterable[object]) -> Key:
    """Return what a parent is found by; both forms of a Salesforce id are one."""
    return (object_name, names, *(comparable_sfdc_id(str(value)) for value in values))
