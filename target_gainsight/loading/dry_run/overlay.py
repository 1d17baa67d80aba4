"""What a dry run remembers: the rows as they would be by now, and the names behind GSIDs.

Later groups and lookups must see what would have been written. It is kept in temporary files that
only this process can see, because it covers whole objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from target_gainsight.api import Field
from target_gainsight.loading.keys import TO_BE_CREATED, Key, LookupKey, LookupTargets
from target_gainsight.loading.reading.api_rows import merged_fields
from target_gainsight.loading.reading.current_rows import GSID, Matches, RowReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.types.picklists import label_of
from target_gainsight.mapping.types.spellings import comparable_sfdc_id

MAX_NAMES = 200_000
PICKLISTS = ("PICKLIST", "MULTISELECTDROPDOWNLIST")


class _PlannedRow(NamedTuple):
    """The fields that would have been written to the row of a key.

    Attributes:
        exists: Whether there would be a row.
        is_new: Whether it would have been created after the tenant's own row was deleted.
    """

    fields: Mapping[str, Any]
    exists: bool = True
    is_new: bool = False


@dataclass
class PlannedRows:
    """The current rows of one object, with what the run would have written so far.

    Attributes:
        written: The rows that would have been written, by the lookup key.
        deleted: The GSIDs of the rows that would have been deleted.
    """

    rows: RowReader
    written: SpilledValues
    deleted: set[str]

    def record_write(self, record: LoadRecord) -> None:
        """Record what would be written; a row that is found by fallback keys is kept with it."""
        earlier = self.written.find([record.key])
        before: _PlannedRow = earlier[0].value if earlier else _PlannedRow({})
        fields = merged_fields({**before.fields, **(record.claimed or {})}, record.fields)
        row = _PlannedRow(fields, is_new=before.is_new or not before.exists)
        self.written.put(record.key, row)

    def record_delete(self, record: LoadRecord) -> None:
        """Record that a row would be deleted."""
        self.deleted.add(str(record.gsid))
        self.written.put(record.key, _PlannedRow({}, exists=False))

    def read(
        self, records: Sequence[LoadRecord], extra: Sequence[str] = (), *, near: bool = False
    ) -> Matches:
        """Read the rows of some records, as they would be by now; see ``RowReader.read``."""
        matches = self.rows.read(records, extra, near=near)
        if self.deleted:
            matches.remove(self.deleted)
        empty = dict.fromkeys(name for record in records for name in record.fields)
        keys = dict.fromkeys(record.key for record in records)
        for _, key, planned in self.written.find(keys):
            if not planned.exists:
                matches.replace(key, [])
                continue
            rows = [] if planned.is_new else matches.exact(key)
            rows = rows or [{**empty, GSID: TO_BE_CREATED}]
            matches.replace(key, [merged_fields(rows[0], planned.fields), *rows[1:]])
        return matches


@dataclass
class PlannedParents:
    """The rows that would have been written so far and that lookups of this run may need.

    Attributes:
        deleted: The GSIDs of the tenant's rows that would be gone by now.
    """

    watched: LookupTargets
    deleted: set[str] = field(default_factory=set, init=False)
    _exists: SpilledValues = field(default_factory=SpilledValues, init=False)

    def record_write(self, object_name: str, fields: Mapping[str, object]) -> None:
        """Record what would be written, under each set of match fields."""
        for name, match_fields, values in self.watched.of(object_name, fields):
            self._exists.put(_key(name, match_fields, values), value=True)

    def record_delete(self, object_name: str, gsid: str, fields: Mapping[str, object]) -> None:
        """Record that a row would be deleted; fields are its lookup keys."""
        self.deleted.add(gsid)
        for name, match_fields, values in self.watched.of(object_name, fields):
            self._exists.put(_key(name, match_fields, values), value=False)

    def has(self, wanted: LookupKey) -> bool:
        """Return whether a row would be there by now."""
        match = wanted.match
        found = self._exists.find([_key(match.object_name, match.names, wanted.written)])
        return any(entry.value for entry in found)


def _key(object_name: str, names: tuple[str, ...], values: Iterable[object]) -> Key:
    """Return what a parent is found by; both forms of a Salesforce id are one."""
    return (object_name, names, *(comparable_sfdc_id(str(value)) for value in values))


@dataclass
class RowNames:
    """The newest rows that lookups have found, by GSID; no call is made for a name."""

    _names: dict[str, str] = field(default_factory=dict, init=False)

    def add(self, gsid: str, values: Iterable[object]) -> None:
        """Keep the values by which a row was found."""
        self._names[gsid] = ", ".join(map(str, values))
        if len(self._names) > MAX_NAMES:
            del self._names[next(iter(self._names))]

    def shown(self, value: object, field: Field | None) -> object:
        """Return a value with labels and names instead of the GSIDs that are known.

        Args:
            value: As it is written, or as a query returns it.
            field: The field that it belongs to, if that is known.
        """
        if field is not None and field.data_type in PICKLISTS:
            return label_of(value, field.options or field.load_options())
        if isinstance(value, str):
            return self._names.get(value, value)
        if isinstance(value, list):
            return [self.shown(each, None) for each in value]
        if isinstance(value, dict):
            return {name: self.shown(each, None) for name, each in value.items()}
        return value
