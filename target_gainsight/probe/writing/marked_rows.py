"""The records that probes create in an object: created, changed, read and deleted by their mark.

Every write of a probe to an object passes here, so that no other row can be touched: a create
carries the mark of the run, an update finds its row by a key with that mark or by the GSID of a row
that was read with it, and only rows that were read with a mark are deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from target_gainsight.api import (
    Condition,
    GainsightError,
    Json,
    NotFoundError,
    Record,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
    UnreadableFieldError,
    is_in,
)
from target_gainsight.probe.session import ProbeSession, Reply
from target_gainsight.probe.writing.interruption import Interruption
from target_gainsight.probe.writing.marks import PREFIX, RunMark, is_mark

GSID = "Gsid"
_PATH = "/v1/data/objects"
_MOST_ROWS = 1000
_DELETE_ROUNDS = 3


class UnreadableRowsError(LookupError):
    """The rows of the probe cannot be read; the questions that need them stay open."""


class MarkedRows:
    """The marked records of one object.

    Args:
        session: Makes the calls.
        object_name: The object.
        key: The field that holds the mark.
        mark: The mark of this run.
        interruption: Ends the run between two calls.

    Attributes:
        may_appear: Whether a create has an unknown outcome and may be committed later.
    """

    def __init__(
        self,
        session: ProbeSession,
        object_name: str,
        key: str,
        *,
        mark: RunMark,
        interruption: Interruption,
    ) -> None:
        self.session = session
        self.object_name = object_name
        self.key = key
        self.may_appear = False
        self._mark = mark
        self._interruption = interruption
        self._path = f"{_PATH}/{quote(object_name, safe='')}"
        self._responded: set[str] = set()
        self._read: dict[str, int] = {}

    @property
    def prefix(self) -> str:
        """The beginning of the keys of this run."""
        return self._mark.prefix

    def insert(self, records: Iterable[tuple[int, Record]]) -> Reply:
        """Create records, each with the number of its key."""
        body = [{self.key: self._mark.key(number), **fields} for number, fields in records]
        reply = self._write("POST", body, params=None, repeatable=False)
        self.may_appear = self.may_appear or isinstance(reply.error, UnknownOutcomeError)
        self._responded |= {gsid for row in listed_rows(reply) if (gsid := _gsid(row))}
        return reply

    def update(
        self,
        records: Sequence[tuple[int, Record]],
        *,
        keys: Sequence[str] = (),
        lookups: Json = None,
    ) -> Reply:
        """Update records by their mark, and by these further keys."""
        body = [{**fields, self.key: self._mark.key(number)} for number, fields in records]
        params = {"keys": ",".join((self.key, *keys))}
        return self._write("PUT", body, params=params, lookups=lookups)

    def update_by_gsid(self, gsid: str, fields: Record) -> Reply:
        """Update a row of this run by its GSID.

        Raises:
            ValueError: No row of this run was read with this GSID.
        """
        self._require_read(gsid)
        return self._write("PUT", [{**fields, GSID: gsid}], params={"keys": GSID})

    def read(self, numbers: Sequence[int], fields: Sequence[str] = ()) -> dict[int, list[Record]]:
        """Read this run's rows by number; a row that was not asked for is left out.

        Fields that no query can read are missing in the rows.

        Raises:
            UnreadableRowsError: The rows cannot be read.
            StopRunError: No further call can succeed.
        """
        self._interruption.check()
        marks = {self._mark.key(number): number for number in numbers}
        select = dict.fromkeys((GSID, self.key, *fields))
        rows = self._readable_rows(select, is_in(self.key, list(marks)))
        found: dict[int, list[Record]] = {number: [] for number in numbers}
        for row in rows:
            number, gsid = marks.get(str(row[self.key])), _gsid(row)
            if number is not None and gsid:
                found[number].append(row)
                self._read[gsid] = number
        return found

    def find(self) -> tuple[str, ...]:
        """Return the GSIDs of the rows that this and earlier probes have left.

        Raises:
            GainsightError: The rows cannot be read.
        """
        rows = self._query((GSID, self.key), Condition(self.key, "STARTS_WITH", (PREFIX,)))
        found = ((_gsid(row), row[self.key]) for row in rows)
        return tuple(gsid for gsid, key in found if gsid and is_mark(key))

    def delete_twice(self, gsid: str) -> Reply:
        """Delete a row of this run, and again once it is gone; return the last response.

        Raises:
            ValueError: No row of this run was read with this GSID.
        """
        self._require_read(gsid)
        reply = self._send_delete(gsid)
        if reply.error is None:
            del self._read[gsid]
            self._responded.discard(gsid)
            reply = self._send_delete(gsid)
        return reply

    def delete_all(self) -> tuple[str, ...]:
        """Delete the rows of this and earlier probes.

        They are read again after they were deleted; one that is still there is deleted again.

        Returns:
            The GSIDs of rows that are left, or may be.
        """
        found = set(self._read)
        try:
            left = {*found, *self.find()}
            found |= left
            for _ in range(_DELETE_ROUNDS):
                if not left:
                    break
                self._delete(sorted(left))
                left = set(self.find())
        except GainsightError:
            return tuple(sorted(found | self._responded))
        return tuple(sorted(left | (self._responded - found)))

    def _delete(self, gsids: Sequence[str]) -> None:
        """Delete rows, unless the tenant is unavailable: each would be retried as long again."""
        for gsid in gsids:
            try:
                self.session.client.records.delete(self.object_name, gsid)
            except (RefusedError, NotFoundError, UnknownOutcomeError):
                continue
            except UnavailableError:
                return

    def _require_read(self, gsid: str) -> None:
        if gsid not in self._read:
            message = f"{gsid} was not read as a row of this run"
            raise ValueError(message)

    def _send_delete(self, gsid: str) -> Reply:
        self._interruption.check()
        path = f"{self._path}/{quote(gsid, safe='')}"
        return self.session.send("DELETE", path, kind="delete", repeatable=False)

    def _write(
        self,
        method: str,
        records: Sequence[Record],
        *,
        params: Mapping[str, str] | None,
        lookups: Json = None,
        repeatable: bool = True,
    ) -> Reply:
        self._interruption.check()
        return self.session.send(
            method,
            self._path,
            kind="insert" if method == "POST" else "update",
            json={"records": list(records), **({"lookups": lookups} if lookups else {})},
            params=params,
            repeatable=repeatable,
        )

    def _readable_rows(self, select: Iterable[str], where: Condition) -> list[Record]:
        """Read rows, without the fields that no query can read."""
        try:
            try:
                return self._query(select, where)
            except UnreadableFieldError as error:
                readable = [name for name in select if name not in error.fields]
                return self._query(readable, where)
        except (RefusedError, NotFoundError, UnavailableError) as error:
            message = f"the rows of {self.object_name} cannot be read"
            raise UnreadableRowsError(message) from error

    def _query(self, select: Iterable[str], where: Condition) -> list[Record]:
        query = self.session.client.records.query
        rows = query(
            self.object_name,
            select=tuple(select),
            where=where,
            limit=_MOST_ROWS,
            page_size=_MOST_ROWS,
        )
        return [row for row in rows if self.key in row]


def listed_rows(reply: Reply) -> list[Record]:
    """Return the rows that the response to a write lists, in its order."""
    records = reply.data.get("records") if isinstance(reply.data, dict) else None
    return [each for each in records if isinstance(each, dict)] if isinstance(records, list) else []


def _gsid(row: Record) -> str | None:
    gsid = row.get(GSID)
    return gsid if isinstance(gsid, str) and gsid else None
