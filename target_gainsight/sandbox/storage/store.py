"""The tenant's SQLite file: one table per object, its models, the quota counts and the call log.

Knows stored forms only: what a value means is for values.py, what a query means for query.py.
"""

import json
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import RLock
from typing import Any

from target_gainsight.sandbox.config.switches import Switches
from target_gainsight.sandbox.storage.model import (
    NUMBER_TYPES,
    Field,
    ObjectModel,
    model_from_json,
    model_to_json,
)

Changes = tuple[tuple[str, ...], list[Any]]
"""The columns of a row, by field name, and their stored values in the same order."""

_OWNER_ONLY = 0o600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS "_objects" (name TEXT PRIMARY KEY, model TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS "_quota" (
  name TEXT PRIMARY KEY, opened INTEGER NOT NULL, calls INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS "_client" (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS "_calls" (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
  kind TEXT NOT NULL, records INTEGER NOT NULL, status INTEGER, code TEXT,
  milliseconds REAL NOT NULL, request TEXT, answer TEXT
);
CREATE TABLE IF NOT EXISTS "_bulk_files" (
  id TEXT PRIMARY KEY, job TEXT NOT NULL, content BLOB, taken_at REAL NOT NULL,
  asked INTEGER NOT NULL DEFAULT 0, succeeded INTEGER, failed INTEGER
);
"""


def quoted(name: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def folds_case(field: Field, switches: Switches) -> bool:
    """Return whether queries and keys compare this field without case."""
    if switches.query_ignores_case == "all":
        return field.data_type in {"STRING", "EMAIL"}
    return switches.query_ignores_case == "email" and field.data_type == "EMAIL"


class Store:
    """A tenant's file, safe to use from several threads.

    Args:
        path: the SQLite file; made when it is missing, unless `read_only`.
        read_only: open what is there and never change it.

    Raises:
        OSError: The file cannot be opened, or is no tenant's.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.lock = RLock()
        # Read and write, and then no writing: a connection that could not write would leave the
        # write-ahead log's files behind.
        location = f"{self.path.resolve().as_uri()}?mode=rw" if read_only else str(path)
        try:
            if not read_only:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
            self._database = sqlite3.connect(
                location,
                uri=read_only,
                check_same_thread=False,
                isolation_level=None,
                cached_statements=512,
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._database.execute("PRAGMA busy_timeout = 5000")
            self._check() if read_only else self._prepare()
        except sqlite3.Error as error:
            self._database.close()
            raise self._unusable(error) from error
        self._columns: dict[str, dict[str, str]] = {}
        self._indexes: set[str] = set()

    def _unusable(self, error: OSError | sqlite3.Error) -> OSError:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return OSError(f"{self.path} cannot be used as a tenant's file: {reason}")

    def _check(self) -> None:
        self._database.execute("PRAGMA query_only = ON")
        self._database.execute('SELECT name FROM "_objects" LIMIT 1')

    def _prepare(self) -> None:
        # A killed process loses nothing with synchronous off; only a power cut could.
        for pragma in ("journal_mode = WAL", "synchronous = OFF", "cache_size = -65536"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; nothing may be asked of the store afterwards."""
        with self.lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all of the block's writes, or none."""
        with self.lock:
            if self._database.in_transaction:
                yield
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                self._indexes.clear()
                self._columns.clear()
                raise
            self._database.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a statement."""
        with self.lock:
            return self._database.execute(sql, parameters).fetchall()

    def models(self) -> list[ObjectModel]:
        """Return the objects that the file has."""
        found = self.rows('SELECT model FROM "_objects" ORDER BY name')
        return [model_from_json(json.loads(text)) for (text,) in found]

    def define(self, model: ObjectModel) -> None:
        """Keep the model and give its table every column it needs; existing rows stay."""
        with self.transaction():
            present = self._table_columns(model)
            wanted = _columns(model, present)
            if not present:
                self._create_table(model, wanted)
            else:
                for column in set(wanted) - present:
                    kind = wanted[column]
                    self._database.execute(
                        f"ALTER TABLE {quoted(model.name)} ADD COLUMN {quoted(column)} {kind}"
                    )
            self._database.execute(
                'INSERT OR REPLACE INTO "_objects" VALUES (?, ?)',
                (model.name, json.dumps(model_to_json(model))),
            )
        self._columns.pop(model.name, None)

    def _create_table(self, model: ObjectModel, wanted: Mapping[str, str]) -> None:
        listed = ", ".join(
            f"{quoted(column)} {kind}{' PRIMARY KEY NOT NULL' if column == 'Gsid' else ''}"
            for column, kind in wanted.items()
        )
        self._database.execute(f"CREATE TABLE {quoted(model.name)} ({listed})")

    def _table_columns(self, model: ObjectModel) -> set[str]:
        return {row[1] for row in self.rows(f"PRAGMA table_info({quoted(model.name)})")}

    def column(self, model: ObjectModel, name: str) -> str:
        """Return the quoted column of a field; SQLite ignores case, field names do not."""
        columns = self._columns.get(model.name)
        if columns is None:
            present = self._table_columns(model)
            columns = {each: quoted(_free_column(each, present)) for each in model.fields}
            self._columns[model.name] = columns
        return columns[name]

    def ensure_index(self, model: ObjectModel, fields: Sequence[Field], switches: Switches) -> None:
        """Index the fields that keys and conditions go by, the first time they do."""
        terms = [
            f"{self.column(model, field.name)} COLLATE {collation(field, switches)}"
            for field in fields
        ]
        name = f"{model.name}:{','.join(terms)}"
        if name in self._indexes or [field.name for field in fields] == ["Gsid"]:
            return
        with self.transaction():
            self._database.execute(
                f"CREATE INDEX IF NOT EXISTS {quoted(name)} "
                f"ON {quoted(model.name)} ({', '.join(terms)})"
            )
        self._indexes.add(name)

    def insert(self, model: ObjectModel, rows: Sequence[Changes]) -> None:
        """Add rows; each has its Gsid."""
        table = quoted(model.name)
        with self.transaction():
            for names, alike in groupby(rows, key=lambda row: row[0]):
                columns = ", ".join(self.column(model, name) for name in names)
                marks = ", ".join("?" * len(names))
                self._database.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608
                    [values for _, values in alike],
                )

    def update(self, model: ObjectModel, rows: Sequence[tuple[str, Changes]]) -> None:
        """Change the named columns of the rows with these GSIDs, in order."""
        table = quoted(model.name)
        with self.transaction():
            for names, alike in groupby(rows, key=lambda row: row[1][0]):
                columns = ", ".join(f"{self.column(model, name)} = ?" for name in names)
                self._database.executemany(
                    f'UPDATE {table} SET {columns} WHERE "Gsid" = ?',  # noqa: S608
                    [[*changes[1], gsid] for gsid, changes in alike],
                )

    def delete(self, model: ObjectModel, gsid: str) -> bool:
        """Remove a row; whether it was there."""
        with self.transaction():
            done = self._database.execute(
                f'DELETE FROM {quoted(model.name)} WHERE "Gsid" = ?',  # noqa: S608
                (gsid,),
            )
        return done.rowcount > 0

    def holds(self, model: ObjectModel, field: Field, value: object) -> bool:
        """Return whether a field of any row has a value."""
        table, column = quoted(model.name), self.column(model, field.name)
        found = f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1"  # noqa: S608
        return bool(self.rows(found, (value,)))

    def match(
        self,
        model: ObjectModel,
        fields: Sequence[Field],
        wanted: Sequence[Sequence[object]],
        switches: Switches,
    ) -> dict[int, list[str]]:
        """Return the GSIDs of the rows that match each tuple of stored values, by its position.

        A tuple that matches nothing is left out; a null matches nothing.
        """
        self.ensure_index(model, fields, switches)
        conditions = " AND ".join(
            f"t.{self.column(model, field.name)} COLLATE {collation(field, switches)}"
            f" = json_extract(w.value, '$[{position}]')"
            for position, field in enumerate(fields)
        )
        found: dict[int, list[str]] = {}
        # CROSS JOIN keeps the wanted tuples outside, so that each is one step into the index.
        for position, gsid in self.rows(
            f'SELECT w.key, t."Gsid" FROM json_each(?) AS w '  # noqa: S608
            f"CROSS JOIN {quoted(model.name)} AS t ON {conditions} ORDER BY w.key, t.rowid",
            (json.dumps(wanted),),
        ):
            found.setdefault(position, []).append(gsid)
        return found

    def existing(self, model: ObjectModel, gsids: Collection[str]) -> set[str]:
        """Return those of the GSIDs that are rows of the object."""
        found = self.rows(
            f'SELECT "Gsid" FROM {quoted(model.name)} '  # noqa: S608
            'WHERE "Gsid" IN (SELECT value FROM json_each(?))',
            (json.dumps(list(gsids)),),
        )
        return {gsid for (gsid,) in found}

    def texts(
        self, model: ObjectModel, names: Sequence[str], gsids: Collection[str]
    ) -> dict[str, str]:
        """Return the first of these fields that is filled, by GSID."""
        columns = ", ".join(self.column(model, name) for name in names)
        found = self.rows(
            f'SELECT "Gsid", coalesce({columns}, "Gsid") FROM {quoted(model.name)} '  # noqa: S608
            'WHERE "Gsid" IN (SELECT value FROM json_each(?))',
            (json.dumps(list(gsids)),),
        )
        return dict(found)

    def count(self, model: ObjectModel) -> int:
        """Count the rows of an object."""
        number: int = self.rows(f"SELECT count(*) FROM {quoted(model.name)}")[0][0]  # noqa: S608
        return number

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Run one statement of its own."""
        with self.lock:
            self._database.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row of parameters."""
        with self.lock:
            self._database.executemany(sql, rows)


def collation(field: Field, switches: Switches) -> str:
    """Return the SQL collation of a field."""
    return "NOCASE" if folds_case(field, switches) else "BINARY"


def _columns(model: ObjectModel, present: Collection[str]) -> dict[str, str]:
    """Return the SQL type of every field by column."""
    wanted: dict[str, str] = {}
    for field in model.fields.values():
        column = _free_column(field.name, {*present, *wanted})
        wanted[column] = _affinity(field.data_type)
    return wanted


def _free_column(name: str, present: Collection[str]) -> str:
    if name in present or not any(name.lower() == each.lower() for each in present):
        return name
    return f"{name}~{zlib.crc32(name.encode()):08x}"


def _affinity(data_type: str) -> str:
    if data_type in NUMBER_TYPES:
        return "NUMERIC"
    return "INTEGER" if data_type in {"BOOLEAN", "DATETIME"} else "TEXT"
