"""Where permits are counted: in this process, in a file shared by processes, or in Redis."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.groups import DAY_SECONDS, RateLimitGroup, RateLimits

if TYPE_CHECKING:
    from target_gainsight.api.rate_limits.redis_store import RedisStore

_BUSY_SECONDS = 10.0
"""Operations of other processes take a millisecond each."""
_APPLICATION_ID = 0x67735143
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE IF NOT EXISTS permits (
    tenant TEXT, call_group TEXT, permit TEXT, ends REAL, PRIMARY KEY (tenant, call_group, permit)
);
CREATE TABLE IF NOT EXISTS days (
    tenant TEXT, call_group TEXT, day INTEGER, calls INTEGER, PRIMARY KEY (tenant, call_group, day)
);
"""
_DROP_ENDED = "DELETE FROM permits WHERE tenant = ? AND call_group = ? AND (ends <= ? OR ends > ?)"
_COUNT = "SELECT count(*) FROM permits WHERE tenant = ? AND call_group = ?"
_NTH_END = (
    "SELECT ends FROM permits WHERE tenant = ? AND call_group = ? ORDER BY ends LIMIT 1 OFFSET ?"
)
_PUT = "INSERT OR REPLACE INTO permits VALUES (?, ?, ?, ?)"
_CALLS = "SELECT calls FROM days WHERE tenant = ? AND call_group = ? AND day = ?"
_PUT_CALLS = "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?)"


class SqliteStore:
    """Counts permits in a file on a local disk, created for its owner only; in memory without.

    It serves any number of threads. Each operation is one transaction under SQLite's own write
    lock, which ends with its process.
    """

    def __init__(self, path: Path | None, tenant: str) -> None:
        self._path = path
        self._tenant = tenant
        self._lock = threading.Lock()
        try:
            if path:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path.absolute() if path else ":memory:",
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            weakref.finalize(self, self._connection.close)  # Python warns of one that is left open
            self._create_tables()
        except (OSError, ValueError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def take(
        self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float
    ) -> float | None:
        """Count a permit if the limits allow it.

        It lasts one window from now, so that the permit of a process that died comes free. Permits
        that end later than any clock allows are dropped.

        Returns:
            0 if it is counted, else the seconds until the next one is released, or None if the
            day's quota is used up.
        """
        key, today = (self._tenant, group), int(now // DAY_SECONDS)
        window = limits.window_seconds
        with self._transaction() as run:
            row = run(_CALLS, (*key, today)).fetchone()
            calls_today = row[0] if row else 0
            if limits.allowed_per_day is not None and calls_today >= limits.allowed_per_day:
                return None
            run(_DROP_ENDED, (*key, now, now + 2 * window))
            excess = run(_COUNT, key).fetchone()[0] - limits.allowed_per_window
            if excess >= 0:
                return float(run(_NTH_END, (*key, excess)).fetchone()[0]) - now
            run(_PUT, (*key, permit, now + window))
            run(_PUT_CALLS, (*key, today, calls_today + 1))
            return 0.0

    def release(self, group: RateLimitGroup, permit: str, limits: RateLimits, now: float) -> None:
        """Let a permit end one window from now, even if it has ended already."""
        with self._transaction() as run:
            run(_PUT, (self._tenant, group, permit, now + limits.window_seconds))

    def close(self) -> None:
        """Close the store. May be called twice."""
        with self._lock:
            self._connection.close()

    def _create_tables(self) -> None:
        run = self._connection.execute
        (application_id,) = run("PRAGMA application_id").fetchone()
        is_empty = run("SELECT 1 FROM sqlite_master").fetchone() is None
        if application_id != _APPLICATION_ID and (application_id or not is_empty):
            message = "it is a database of something else"
            raise sqlite3.DatabaseError(message)
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._unusable(error) from error
            finally:
                with suppress(sqlite3.Error):
                    self._connection.rollback()

    def _unusable(self, error: Exception) -> QuotaStoreError:
        message = (
            f"the quota store {self._path} cannot be used: {error}. Set quota_store to a dedicated "
            "file in a writable local directory"
        )
        return QuotaStoreError(message)


PermitStore: TypeAlias = "SqliteStore | RedisStore"
"""Every method of a store raises `QuotaStoreError` if it cannot be used."""


def open_store(location: Path | str | None, *, tenant: str, clock: Clock) -> PermitStore:
    """Open the store in a SQLite file, at a `redis://` or `rediss://` URL, or for this process.

    All processes that share it call the tenant by the same name. `take` and `release` are given the
    time of the `clock`.
    """
    if not isinstance(location, str):
        return SqliteStore(location, tenant)
    if find_spec("redis") is None:
        message = (
            "a quota_store in Redis needs the redis package, which is not installed: "
            "pip install 'target-gainsight[redis]'"
        )
        raise QuotaStoreError(message)
    from target_gainsight.api.rate_limits.redis_store import (  # noqa: PLC0415 - optional extra
        RedisStore,
    )

    return RedisStore(location, tenant, clock)
