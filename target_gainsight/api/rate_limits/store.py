"""Where permits are counted: in this process, in a file shared by processes, or in Redis."""

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from typing_extensions import override

from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import QuotaStoreError
from target_gainsight.api.rate_limits.groups import (
    Change,
    PermitStore,
    RateLimitGroup,
    change_stored,
)

_BUSY_SECONDS = 10.0
"""Operations of other processes take a millisecond each."""
_APPLICATION_ID = 0x67735143
_SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE IF NOT EXISTS usage (tenant TEXT, call_group TEXT, usage BLOB,
    PRIMARY KEY (tenant, call_group));
COMMIT;
"""
_READ = "SELECT usage FROM usage WHERE tenant = ? AND call_group = ?"
_WRITE = "INSERT OR REPLACE INTO usage VALUES (?, ?, ?)"


class SqliteStore(PermitStore):
    """Counts permits in a local file, each update under SQLite's own write lock."""

    def __init__(self, path: Path, tenant: str) -> None:
        super().__init__()
        self._path = path
        self._tenant = tenant
        with self._quota_store_errors():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path.absolute(),
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            weakref.finalize(self, self._connection.close)  # Python warns of one that is left open
            run = self._connection.execute
            (application_id,) = run("PRAGMA application_id").fetchone()
            is_empty = run("SELECT 1 FROM sqlite_master").fetchone() is None
            if application_id != _APPLICATION_ID and (application_id or not is_empty):
                message = "it is the database of another application"
                raise sqlite3.DatabaseError(message)
            run("PRAGMA journal_mode = WAL")
            run("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)

    @override
    def update(self, group: RateLimitGroup, change: Change) -> float | None:
        run, key = self._connection.execute, (self._tenant, group)
        with self._quota_store_errors(), self._connection:
            run("BEGIN IMMEDIATE")
            row = run(_READ, key).fetchone()
            result, usage = change_stored(change, row and row[0])
            run(_WRITE, (*key, usage))
        return result

    @override
    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _quota_store_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, sqlite3.Error) as error:
            message = (
                f"the quota store {self._path} cannot be used: {error}. Set quota_store to a "
                "dedicated file in a writable local directory"
            )
            raise QuotaStoreError(message) from error


def open_store(location: Path | str | None, *, tenant: str, clock: Clock) -> PermitStore:
    """Open the store in a SQLite file, at a Redis URL, or for this process."""
    if location is None:
        return PermitStore()
    if isinstance(location, Path):
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
