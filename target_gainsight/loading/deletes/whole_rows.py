"""Read rows with every field that can be read, before they are deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from target_gainsight.api import (
    GainsightError,
    NotFoundError,
    RecordsApi,
    RefusedError,
    UnreadableFieldError,
    is_in,
)
from target_gainsight.loading.reading.current_rows import GSID, Row

WholeRows = dict[str, "Row | RefusedError"]
"""GSID to its row, or to why it cannot be read; a row that does not exist is left out."""


class WholeRowReader:
    """Reads whole rows of one object. May be used from several threads.

    Args:
        records: The records API.
        object_name: The object.
        fields: The fields of the object; none where its metadata is unknown.
    """

    def __init__(self, records: RecordsApi, object_name: str, fields: Sequence[str]) -> None:
        self._records = records
        self._object_name = object_name
        self._fields = tuple(name for name in fields if name != GSID)

    def read_or_error(self, gsids: Sequence[str]) -> WholeRows | GainsightError:
        """Read some rows in a worker thread; return an error as a value."""
        try:
            return self._query(gsids) if self._fields else self._get_each(gsids)
        except GainsightError as error:
            return error

    def _query(self, gsids: Sequence[str]) -> WholeRows:
        """Read rows with one query, without the fields that no query can read."""
        fields, where = self._fields, is_in(GSID, list(gsids))
        try:
            rows = self._records.query(
                self._object_name, select=(GSID, *fields), where=where, limit=len(gsids)
            )
            by_gsid: Mapping[str, Row] = {str(row.get(GSID)): row for row in rows}
        except UnreadableFieldError as error:
            self._fields = tuple(name for name in fields if name not in error.fields)
            known = len(self._fields) < len(fields)
            return self._query(gsids) if known and self._fields else self._get_each(gsids)
        except RefusedError:
            return self._get_each(gsids)
        if not by_gsid.keys() <= set(gsids):  # the filter was ignored
            return self._get_each(gsids)
        return dict(by_gsid)

    def _get_each(self, gsids: Sequence[str]) -> WholeRows:
        """Read row by row: such a call selects no fields, so that none can be refused."""
        rows: WholeRows = {}
        for gsid in gsids:
            try:
                rows[gsid] = self._records.get(self._object_name, gsid)
            except NotFoundError:
                continue
            except RefusedError as error:
                rows[gsid] = error
        return rows
