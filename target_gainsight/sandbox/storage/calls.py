"""The tenant's call log, kept in its file and limited in size."""

from dataclasses import dataclass

from target_gainsight.sandbox.storage.filter_expression import Condition
from target_gainsight.sandbox.storage.store import Store

KEPT_BODIES = 2_000
BODY_CHARACTERS = 2_000


@dataclass(frozen=True)
class Call:
    """A call as the tenant saw it.

    Attributes:
        at: when it came, in seconds since the epoch by the tenant's clock.
        path: path with its query.
        kind: what it was for: insert, update, query, read, delete, person, timeline, cta, describe,
            list, token, unknown.
        records: records sent, or rows read.
        status: HTTP status; None when the connection was reset instead.
        code: error code of the answer.
        milliseconds: time taken, injected pauses included.
        request, answer: the bodies, cut short; None for calls long ago, and for granted tokens.
    """

    at: float
    method: str
    path: str
    kind: str
    records: int
    status: int | None
    code: str | None
    milliseconds: float
    request: str | None = None
    answer: str | None = None


class CallLog:
    """The log in a tenant's file, trimmed to its bounds every ``trim_every`` calls."""

    def __init__(
        self,
        store: Store,
        *,
        kept_calls: int = 100_000,
        kept_bodies: int = KEPT_BODIES,
        trim_every: int = 1_000,
    ) -> None:
        self._store = store
        self._kept_calls = kept_calls
        self._kept_bodies = kept_bodies
        self._trim_every = trim_every
        self._since_trim = 0

    def add(self, call: Call) -> None:
        """Keep a call; forget now and then what is over the bounds."""
        self._store.execute(
            'INSERT INTO "_calls" (at, method, path, kind, records, status, code, milliseconds,'
            " request, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                call.at,
                call.method,
                call.path,
                call.kind,
                call.records,
                call.status,
                call.code,
                call.milliseconds,
                call.request,
                call.answer,
            ),
        )
        self._since_trim += 1
        if self._since_trim >= self._trim_every:
            self._trim()

    def _trim(self) -> None:
        self._since_trim = 0
        newest = self._store.rows('SELECT max(id) FROM "_calls"')[0][0]
        with self._store.transaction():
            self._store.execute('DELETE FROM "_calls" WHERE id <= ?', (newest - self._kept_calls,))
            self._store.execute(
                'UPDATE "_calls" SET request = NULL, answer = NULL WHERE id BETWEEN ? AND ?',
                (newest - self._kept_bodies - 2 * self._trim_every, newest - self._kept_bodies),
            )

    def find(self, method: str | None = None, path_contains: str | None = None) -> list[Call]:
        """Return calls, oldest first, of this method and with this text in the path."""
        condition = "(? IS NULL OR method = ?) AND (? IS NULL OR instr(lower(path), lower(?)) > 0)"
        values: list[object] = [method, method, path_contains, path_contains]
        return list(self.select((condition, values)).values())

    def select(
        self, condition: Condition, *, newest_first: bool = False, limit: int = -1
    ) -> dict[int, Call]:
        """Return the calls that match an SQL condition, by their number in the log.

        Args:
            condition: over the log's columns, and the values of its marks.
            newest_first: the other order than the one they were answered in.
            limit: calls at most; -1 is no limit.
        """
        where, values = condition
        order = "DESC" if newest_first else "ASC"
        found = self._store.rows(
            "SELECT id, at, method, path, kind, records, status, code, milliseconds, request,"  # noqa: S608
            f' answer FROM "_calls" WHERE {where} ORDER BY id {order} LIMIT {limit:d}',
            values,
        )
        return {number: Call(*row) for number, *row in found}

    def clear(self) -> None:
        """Forget every call."""
        self._store.execute('DELETE FROM "_calls"')
