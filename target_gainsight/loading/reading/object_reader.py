"""Queries of one object whose answers are checked: what lacks a column is never an empty object."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING, Any

from target_gainsight.api import MAX_PAGE, UnreadableFieldError
from target_gainsight.loading.outcomes import RunStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_gainsight.api import RecordsApi, Where

    Row = Mapping[str, Any]

logger = logging.getLogger(__name__)


class ObjectReader:
    """Reads rows of one object. May be used from several threads.

    Args:
        records: The records API.
        object_name: The object.
    """

    def __init__(self, records: RecordsApi, object_name: str) -> None:
        self._records = records
        self._object_name = object_name
        self._unreadable: frozenset[str] = frozenset()
        self._reads_needed_only = False

    def read(
        self,
        needed: Sequence[str],
        optional: Sequence[str],
        where: Where,
        matches: Callable[[Row], bool],
    ) -> list[Row]:
        """Read the rows that match.

        Args:
            needed: Fields that every row must carry.
            optional: Fields that are left out where no query can read them.
            where: The filter.
            matches: Whether a row may be one that was asked for.

        Returns:
            The rows; some may not be among those asked for.

        Raises:
            UnreadableFieldError: A needed field cannot be read.
            GainsightError: The rows cannot be read.
            RunStoppedError: The rows lack a needed field, or none of them was asked for.
        """
        while True:
            readable = self._readable(needed, optional)
            try:
                return self._checked_rows(needed, readable, where, matches)
            except UnreadableFieldError as error:
                if not self._leave_out(error, needed, readable):
                    raise

    def _readable(self, needed: Sequence[str], optional: Sequence[str]) -> list[str]:
        if self._reads_needed_only:
            return []
        return [name for name in optional if name not in needed and name not in self._unreadable]

    def _checked_rows(
        self,
        needed: Sequence[str],
        readable: Sequence[str],
        where: Where,
        matches: Callable[[Row], bool],
    ) -> list[Row]:
        rows = self._records.query(self._object_name, select=(*needed, *readable), where=where)
        first = list(islice(rows, MAX_PAGE))
        self._check_columns(first, needed)
        if first and not any(matches(row) for row in first):
            message = (
                f"asked for some rows of {self._object_name} by {', '.join(needed)}, the tenant "
                "returned others only, as if it ignored the filter. Nothing is written, because "
                "rows that exist could be taken for missing; try other lookup_keys"
            )
            raise RunStoppedError(message)
        rest = list(rows)
        self._check_columns(rest, needed)
        return first + rest

    def _check_columns(self, rows: Sequence[Row], needed: Sequence[str]) -> None:
        for row in rows:
            missing = [name for name in needed if name not in row and not _is_nested(row, name)]
            if missing:
                message = (
                    f"the tenant returns rows of {self._object_name} without "
                    f"{', '.join(missing)}. Nothing is written, because rows that exist could be "
                    "taken for missing"
                )
                raise RunStoppedError(message)

    def _leave_out(
        self, error: UnreadableFieldError, needed: Sequence[str], readable: Sequence[str]
    ) -> bool:
        """Leave the fields that an error names out of later queries; false if that is no help."""
        if not readable or not set(error.fields).isdisjoint(needed):
            return False
        new = set(error.fields) - self._unreadable
        self._unreadable |= new
        self._reads_needed_only = self._reads_needed_only or not error.fields
        if new or not error.fields:
            logger.warning(
                "%s: the tenant cannot read %s (%s); records that carry such a field are written "
                "without being compared",
                self._object_name,
                ", ".join(sorted(new)) or "one of its fields",
                error,
            )
        return True


def _is_nested(row: Row, name: str) -> bool:
    """Whether a row holds what a traversing name leads to as an object of its own."""
    outer, dot, _ = name.partition(".")
    return bool(dot) and isinstance(row.get(outer), dict)
