"""The records that probes create in an object: created, changed, read and deleted by their mark.

Every write of a probe to an object passes here, so that no other row can be touched: a create
carries the mark of the run, an update finds its row by a key with that mark or by the GSID of a row
that was read with it, and only rows that were read with a mark are deleted.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from urllib.parse import quote

from target_gainsight.api import (
    Call,
    Condition,
    GainsightError,
    Json,
    NotFoundError,
    Record,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
    is_in,
)
from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.probe.observations import NotSettledError
from target_gainsight.probe.session import ProbeSession, Reply

GSID = "Gsid"
_MARK = "tg-probe-"
MARK_LENGTH = len(_MARK) + 15
"""The characters that a key field must hold."""
_MARKED = re.compile(rf"{_MARK}(?P<token>[0-9a-f]{{8}})(?P<check>[0-9a-f]{{4}})-[0-9]{{1,2}}")


class MarkedRows:
    """The marked records of one object, each with a number from 0 to 99.

    Args:
        key: The field that holds the mark.

    Attributes:
        prefix: The beginning of the keys of this run. The run's id in it ends in a checksum, so
            that no typed key passes for it.
        may_appear: Whether a create has an unknown outcome and may be committed later.
        left: The GSIDs of created records that are not deleted, or may not be.
    """

    def __init__(self, session: ProbeSession, object_name: str, key: str) -> None:
        token = secrets.token_hex(4)
        self.session = session
        self.object_name = object_name
        self.key = key
        self.prefix = f"{_MARK}{token}{_checksum(token)}-"
        self.may_appear = False
        self.left: tuple[str, ...] = ()
        self._path = f"/v1/data/objects/{quote(object_name, safe='')}"
        self._responded: set[str] = set()
        self._read: set[str] = set()

    def insert(self, records: Sequence[tuple[int, Record]]) -> Reply:
        """Create records, each with the number of its key."""
        body = [{self.key: f"{self.prefix}{number}", **fields} for number, fields in records]
        reply = self._write("POST", body)
        self.may_appear = self.may_appear or isinstance(reply.error, UnknownOutcomeError)
        self._responded |= {str(row[GSID]) for row in listed_rows(reply) if row.get(GSID)}
        return reply

    def update(
        self,
        records: Sequence[tuple[int, Record]],
        *,
        keys: Sequence[str] = (),
        lookups: Json = None,
    ) -> Reply:
        """Update records by their mark, and by these further keys."""
        body = [{**fields, self.key: f"{self.prefix}{number}"} for number, fields in records]
        return self._write("PUT", body, (self.key, *keys), lookups)

    def update_by_gsid(self, number: int, fields: Record) -> Reply:
        """Read a record, and update it by its GSID."""
        row = self.read([number])[number][0]
        return self._write("PUT", [{**fields, GSID: row[GSID]}], (GSID,))

    def read(self, numbers: Sequence[int], fields: Sequence[str] = ()) -> dict[int, list[Record]]:
        """Read this run's rows by number; a row that was not asked for is left out.

        Fields that no query can read are missing in the rows.

        Raises:
            NotSettledError: The rows cannot be read.
            StopRunError: No further call can succeed.
        """
        self.session.check_signals()
        marks = {f"{self.prefix}{number}": number for number in numbers}
        select = tuple(dict.fromkeys((GSID, self.key, *fields)))
        where = is_in(self.key, list(marks))
        try:
            rows = self.session.query(self.object_name, select, where)
        except (RefusedError, NotFoundError, UnavailableError) as error:
            message = "the records of the probe cannot be read"
            raise NotSettledError(message) from error
        found: dict[int, list[Record]] = {number: [] for number in numbers}
        for row in rows:
            number = marks.get(str(row.get(self.key)))
            if number is not None and row.get(GSID):
                found[number].append(row)
                self._read.add(str(row[GSID]))
        return found

    def find(self) -> tuple[str, ...]:
        """Return the GSIDs of the rows that this and earlier probes have left.

        Raises:
            GainsightError: The rows cannot be read.
        """
        where = Condition(self.key, "STARTS_WITH", (_MARK,))
        rows = self.session.query(self.object_name, (GSID, self.key), where)
        marks = ((row, _MARKED.fullmatch(str(row.get(self.key)))) for row in rows)
        return tuple(
            str(row[GSID])
            for row, mark in marks
            if mark and mark["check"] == _checksum(mark["token"]) and row.get(GSID)
        )

    def delete_twice(self, number: int) -> Reply:
        """Delete a record, and again once it is gone; return the last response."""
        gsid = str(self.read([number])[number][0][GSID])
        reply = self._send_delete(gsid)
        if reply.error is None:
            self._read.discard(gsid)
            self._responded.discard(gsid)
            reply = self._send_delete(gsid)
        return reply

    def delete_all(self) -> None:
        """Delete the rows of this and earlier probes, read them again, and note what is `left`."""
        found = set(self._read)
        try:
            found |= set(self.find())
            self._delete(sorted(found))
            left = set(self.find()) if found else found
        except GainsightError:
            left = found
        self.left = tuple(sorted(left | (self._responded - found)))

    def _delete(self, gsids: Sequence[str]) -> None:
        """Delete rows, unless the tenant is unavailable: each would be retried as long again."""
        for gsid in gsids:
            try:
                self.session.client.records.delete(self.object_name, gsid)
            except (RefusedError, NotFoundError, UnknownOutcomeError):
                continue
            except UnavailableError:
                return

    def _send_delete(self, gsid: str) -> Reply:
        path = f"{self._path}/{quote(gsid, safe='')}"
        return self.session.send(Call("DELETE", path, kind="delete", repeatable=False))

    def _write(
        self, method: str, records: Sequence[Record], keys: Sequence[str] = (), lookups: Json = None
    ) -> Reply:
        is_insert = method == "POST"
        call = Call(
            method,
            self._path,
            kind="insert" if is_insert else "update",
            json={"records": list(records), **({"lookups": lookups} if lookups else {})},
            params={} if is_insert else {"keys": ",".join(keys)},
            repeatable=not is_insert,
        )
        return self.session.send(call)


def listed_rows(reply: Reply) -> tuple[Record, ...]:
    """Return the rows that the response to a write lists, in its order."""
    return as_mappings(as_mapping(reply.data).get("records"))


def _checksum(token: str) -> str:
    return hashlib.sha256(f"{_MARK}{token}".encode()).hexdigest()[:4]
