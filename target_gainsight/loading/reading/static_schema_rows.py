"""Current rows of objects that have an API of their own: Timeline activities and CTAs.

It is not documented which of their fields a query returns. If it refuses them, only keys are read;
if it refuses those, too, the response to the write shows which records existed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from target_gainsight.api import (
    AccessDeniedError,
    GainsightError,
    NotFoundError,
    RecordsApi,
    RefusedError,
    UnsuitableObjectError,
)
from target_gainsight.loading.keys import KeyReader, KeyValues
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Row
from target_gainsight.mapping.errors import FieldError
from target_gainsight.mapping.planning.static_schemas import CONTEXT_FIELDS
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.spellings import is_blank

logger = logging.getLogger(__name__)

_REFUSALS = (RefusedError, NotFoundError, AccessDeniedError, UnsuitableObjectError)


class DocumentedRows(CurrentRows):
    """Reads rows by the fields that the documentation names. May be used from several threads.

    Args:
        compared: The fields to read.
        needed: Whether a refused query stops the run, because a write without a read could create
            duplicates; rows then need a GSID, too. A write rule has the same effect.
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
        ruled: tuple[str, ...] = (),
    ) -> None:
        required = (GSID,) if needed else ()
        super().__init__(
            records, object_name, keys, read_as=read_as, required=required, ruled=ruled
        )
        self._compared = {GSID, *(read_as.get(name, name) for name in compared)}
        self._needed = needed or bool(ruled)
        self._reads_fields = True

    @override
    def _query(self, values: Sequence[KeyValues], select: tuple[str, ...]) -> list[Row]:
        compared = tuple(name for name in select if name in self._compared)
        while self.readable:
            reads_fields = self._reads_fields
            fields = compared if reads_fields else (GSID,)
            try:
                return super()._query(values, fields)
            except _REFUSALS as refusal:
                if self._is_too_large(values, fields, refusal):
                    raise
                if reads_fields is self._reads_fields and self.readable:
                    self._read_less(refusal)  # unless another thread has done so meanwhile
        return []

    def _is_too_large(
        self, values: Sequence[KeyValues], select: tuple[str, ...], refusal: GainsightError
    ) -> bool:
        """Return whether the query is refused for its size: then its halves are read."""
        if len(values) == 1 or not isinstance(refusal, RefusedError):
            return False
        try:
            super()._query(values[:1], select)
        except RefusedError:
            return False
        return True

    def _read_less(self, refusal: GainsightError) -> None:
        """Read only which rows exist from now on, or nothing any more."""
        if self._reads_fields:
            self._reads_fields = False
            logger.warning(
                "%s: the tenant refuses to read the fields that are written (%s); only which "
                "records exist is read, and existing ones are written without being compared",
                self._object_name,
                refusal,
            )
            return
        if self._needed:
            why = (
                "field_rules depend on the rows" if self._ruled else "the records may exist already"
            )
            message = (
                f"the tenant refuses to read {self._object_name} by "
                f"{', '.join(self._keys.names)}: {refusal}. Nothing is written, because {why}"
            )
            raise RunStoppedError(message) from refusal
        self.readable = False
        logger.warning(
            "%s: the tenant refuses to read which records exist (%s); every record is written, "
            "and the responses show which existed",
            self._object_name,
            refusal,
        )


@dataclass(frozen=True)
class DocumentedComparison:
    """Compares records with rows by the fields that can be read back."""

    mapper: RecordMapper
    compared: frozenset[str]

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields whose written value differs from the row's."""
        compared = {name: value for name, value in record.items() if name in self.compared}
        return self.mapper.changed_fields(compared, row)

    def missing_for_create(self, record: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Name the required fields that a new row would lack.

        The field that an activity's context needs is one of them where it is sent, but empty.
        """
        missing = self.mapper.missing_for_create(record)
        name = CONTEXT_FIELDS.get(str(record.get("ContextName")), "")
        is_empty = name in record and is_blank(record[name])
        if is_empty and is_blank(record.get("ContextId")):
            missing += (self.mapper.required_missing(name, record),)
        return missing
