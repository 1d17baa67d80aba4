"""Places in the allowed rate, logged in a SQLite file that the processes of one machine share.

Knows nothing of settings. pyrate-limiter's bucket looks first and writes afterwards, which is safe
only under a lock that all processes know: here that is SQLite's own, so a process that dies gives
it back, and every operation is one transaction.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyrate_limiter import FixedWindow, Rate, SQLiteBucket
from pyrate_limiter.buckets.sqlite_bucket import Queries

from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.buckets import Buckets, MakeBuckets, RollingBucket

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from target_gainsight.api.clock import Clock
    from target_gainsight.api.rate_limits.groups import Family

BUSY_SECONDS = 10.0
"""How long one process waits for the others; an operation takes well under a millisecond."""

_APPLICATION_ID = 0x67735143
_MOVE = "UPDATE '{table}' SET item_timestamp = ? WHERE name = ?"
_FORGET = "DELETE FROM '{table}' WHERE item_timestamp < ?"
_FORGET_LATER = "DELETE FROM '{table}' WHERE item_timestamp > ?"


def file_buckets(path: Path, family: Family, *, tenant: str, clock: Clock) -> MakeBuckets:
    """Say how to log places in a file.

    Args:
        path: The SQLite file; made, for its owner only, when missing. On a disk of this machine.
        family: Whose places; each family has logs of its own.
        tenant: Whose limits are shared. Tenants in one file do not share a count.
        clock: Tells the time.

    Returns:
        What a `Pacer` makes its logs with. It raises `QuotaStoreError` when the file cannot be
        used, and so do the logs.
    """

    def make(rolling: Rate, day: Rate | None) -> Buckets:
        connection = _open(path)
        try:
            transaction = _Transaction(connection, path)
            now = int(clock.now() * 1000)
            tables = {
                name: f"{family} {name} {quote(tenant, safe=':')}" for name in ("rolling", "day")
            }
            with transaction:
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                _make_table(connection, tables["rolling"], now + rolling.interval)
                if day is not None:
                    _make_table(connection, tables["day"], now + day.interval)
                connection.commit()
        except BaseException:
            connection.close()
            raise
        return Buckets(
            FileBucket([rolling], connection, tables["rolling"], transaction),
            None
            if day is None
            else FileBucket([day], connection, tables["day"], transaction, FixedWindow()),
        )

    return make


class FileBucket(SQLiteBucket, RollingBucket):
    """A log of places in a table of a SQLite file."""

    def restamp(self, name: str, timestamp: int) -> None:
        """Move a place to another time; one that has expired is entered again."""
        with self.lock:
            moved = self.conn.execute(_MOVE.format(table=self.table), (timestamp, name)).rowcount
            if not moved:
                put = Queries.PUT_ITEM.format(table=self.table)
                self.conn.execute(put, (name, timestamp))
            self.conn.commit()

    def leak(self, current_timestamp: int | None = None) -> int:
        """Forget the places that have expired, in one statement."""
        bound = self._algorithm.leak_bound(self.rates, current_timestamp or 0)
        with self.lock:
            forgotten = self.conn.execute(_FORGET.format(table=self.table), (bound,)).rowcount
            self.conn.commit()
        return forgotten

    def close(self) -> None:
        """Close the file, for the other log in it too."""
        self.conn.close()


class _Transaction:
    """SQLite's write lock, as the lock of a bucket: what was not committed under it is undone.

    Threads are kept apart by the pacer's lock.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def __enter__(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(sqlite3.Error):
            self._connection.rollback()
        if isinstance(error, sqlite3.Error):
            raise _unusable(self._path, error) from error


class _ForeignFileError(sqlite3.Error):
    """The file belongs to something else."""


def _open(path: Path) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            path.absolute(), timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except (OSError, ValueError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _refuse_foreign(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from error
    return connection


def _refuse_foreign(connection: sqlite3.Connection) -> None:
    """Never write into a database of something else: it is neither new nor marked as ours."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    is_empty = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
    if mark != _APPLICATION_ID and (mark or not is_empty):
        message = "it is a database of something else"
        raise _ForeignFileError(message)


def _make_table(connection: sqlite3.Connection, table: str, latest: int) -> None:
    """Make a log, without places that only a wrong clock can have entered."""
    connection.execute(Queries.CREATE_BUCKET_TABLE.format(table=table))
    index = Queries.CREATE_INDEX_ON_TIMESTAMP
    connection.execute(index.format(index_name=f"{table} by time", table_name=table))
    connection.execute(_FORGET_LATER.format(table=table), (latest,))


def _unusable(path: Path, error: Exception) -> QuotaStoreError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if "locked" in reason:
        reason = f"another process has kept it locked for {BUSY_SECONDS:.0f} s"
    message = (
        f"the calls cannot be counted in the quota store {path}: {reason}. Set quota_store to a "
        "file of its own, in a folder of this machine that may be written to"
    )
    return QuotaStoreError(message)
