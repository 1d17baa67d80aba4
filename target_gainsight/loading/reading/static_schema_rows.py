"""Current rows of objects that have an API of their own: Timeline activities and CTAs.

Which of their fields a query answers is not sure. Where it refuses them, its keys are asked for
alone; where it refuses those, too, the write's own answer has to tell what is there.
"""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING, Any

from target_gainsight.api import (
    AccessDeniedError,
    GainsightError,
    NotFoundError,
    RefusedError,
    UnsuitableObjectError,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_gainsight.api import RecordsApi
    from target_gainsight.loading.reading.keys import KeyReader, KeyValues
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.mapping.errors import FieldError
    from target_gainsight.mapping.record_mapper import RecordMapper

logger = logging.getLogger(__name__)

_REFUSALS = (RefusedError, NotFoundError, AccessDeniedError, UnsuitableObjectError)


class _Reach(enum.Enum):
    """How much a query answers."""

    FIELDS = 1
    KEYS = 2
    NOTHING = 3


class DocumentedRows(CurrentRows):
    """Reads rows by the fields that the documentation names. May be used from several threads.

    Args:
        records: The records API.
        object_name: The object.
        keys: The lookup keys.
        compared: The fields to read.
        read_as: The fields that a query knows under another name.
        needed: Whether nothing can be written safely without a look; else a refused query is done
            without.
    """

    def __init__(
        self,
        records: RecordsApi,
        object_name: str,
        keys: KeyReader,
        *,
        compared: frozenset[str],
        read_as: Mapping[str, str],
        needed: bool,
    ) -> None:
        super().__init__(records, object_name, keys)
        self._compared = compared
        self._read_as = read_as
        self._needed = needed
        self._reach = _Reach.FIELDS

    @property
    def tells(self) -> bool:
        """Whether the tenant tells its rows."""
        return self._reach is not _Reach.NOTHING

    @property
    def needed(self) -> tuple[str, ...]:
        """The fields that every row must carry; activities are changed without their GSID."""
        gsid = (GSID,) if self._needed else ()
        return (*gsid, *map(self.read_name, self._keys.names))

    def read_name(self, name: str) -> str:
        """The name under which a query knows a field."""
        return self._read_as.get(name, name)

    def own_fields(self, record: LoadRecord) -> Iterable[str]:
        """List the fields of a record that a query may answer."""
        return (name for name in record.fields if name in self._compared)

    def complete(
        self,
        rows: list[Mapping[str, Any]],
        records: Sequence[LoadRecord],  # noqa: ARG002 - the rows are whole
    ) -> list[Mapping[str, Any]]:
        """Give the fields of rows the names under which they are written."""
        return [self.as_written(row) for row in rows]

    def as_written(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a row with the names under which its fields are written."""
        renamed = {name: _at(row, path) for name, path in self._read_as.items()}
        return {**row, **{name: each[0] for name, each in renamed.items() if each}}

    def _query(
        self, values: Sequence[KeyValues], select: tuple[str, ...]
    ) -> list[Mapping[str, Any]]:
        while (reach := self._reach) is not _Reach.NOTHING:
            asked = select if reach is _Reach.FIELDS else (GSID,)
            try:
                return super()._query(values, asked)
            except _REFUSALS as refusal:
                if self._is_too_much(values, asked, refusal):
                    raise
                if self._reach is reach:  # else another thread has found the same meanwhile
                    self._retreat(refusal)
        return []

    def _is_too_much(
        self, values: Sequence[KeyValues], select: tuple[str, ...], refusal: GainsightError
    ) -> bool:
        """Tell whether the query is refused for its size: then its halves are asked for."""
        if len(values) == 1 or not isinstance(refusal, RefusedError):
            return False
        try:
            super()._query(values[:1], select)
        except RefusedError:
            return False
        return True

    def _retreat(self, refusal: GainsightError) -> None:
        """Ask for less from now on."""
        if self._reach is _Reach.FIELDS:
            self._reach = _Reach.KEYS
            logger.warning(
                "%s: the tenant refuses to read the fields that are written (%s); it is asked "
                "which records it has, and those it has are written without being compared",
                self._object_name,
                refusal,
            )
            return
        if self._needed:
            names = ", ".join(self._keys.names)
            message = (
                f"the tenant refuses to read {self._object_name} by {names}: {refusal}. Without "
                "a look nothing is written, because it might be there"
            )
            raise RunStoppedError(message) from refusal
        self._reach = _Reach.NOTHING
        logger.warning(
            "%s: the tenant refuses to tell which records it has (%s); every record is written, "
            "and the answers tell which were there",
            self._object_name,
            refusal,
        )


class DocumentedComparison:
    """Compares records with rows by the fields that can be read back.

    Args:
        mapper: Compares values.
        compared: The fields that count.
    """

    def __init__(self, mapper: RecordMapper, compared: frozenset[str]) -> None:
        self._mapper = mapper
        self._compared = compared

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields whose written value a row does not hold already."""
        compared = {name: value for name, value in record.items() if name in self._compared}
        return self._mapper.changed_fields(compared, row)

    def missing_for_create(self, record: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Name the required fields that a new row would lack."""
        return self._mapper.missing_for_create(record)


def _at(row: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    """What a row holds at a traversing name, flat or nested; nothing when it is not in the row."""
    if path in row:
        return (row[path],)
    outer, _, inner = path.partition(".")
    nested = row.get(outer)
    return (nested.get(inner),) if isinstance(nested, dict) else ()
