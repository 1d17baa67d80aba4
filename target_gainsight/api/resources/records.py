"""Queries of any object; records of Company, Relationship and low-volume custom objects; people.

Company and Custom Object APIs have no upsert: PUT never inserts. The People API has nothing else.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from string import ascii_uppercase
from typing import Literal, TypeAlias
from urllib.parse import quote

from target_gainsight.api import errors
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import (
    Json,
    Record,
    as_mapping,
    as_mappings,
    as_text,
    object_list,
)
from target_gainsight.api.http.responses import Send, field_failures

MAX_RECORDS = 50
"""Records of one write, in every API."""
MAX_KEYS = 3
MAX_PAGE = 5000
_DEFAULT_PAGE = 100
"""The rows of a page without a limit: a page of as many may be one whose limit was ignored."""
_NOTHING_MATCHES = "GSOBJ_1011"
_NO_DATA = re.compile(r"\s*no data( found\b|\W*$)", re.IGNORECASE)
_UNREADABLE_CODES = frozenset({"GSOBJ_1002", "P_5005", "P_5026", "P_5068"})
"""A selected field does not exist, or is described and cannot be queried."""
_FIRST_QUERY_TRIES = 3
"""Some system objects respond to every query with HTTP 500."""
_SERVER_ERROR = 500

Operator: TypeAlias = Literal[
    "EQ", "NE", "LT", "GT", "LTE", "GTE", "BTW", "IN", "NOT_IN", "CONTAINS", "DOES_NOT_CONTAINS",
    "STARTS_WITH", "ENDS_WITH", "IS_NULL", "IS_NOT_NULL", "INCLUDES", "EXCLUDES",
]  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One comparison of a field. `values` is empty for IS_NULL and IS_NOT_NULL."""

    field: str
    operator: Operator
    values: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Combination:
    """Several parts, joined by AND or OR."""

    joined_by: Literal["AND", "OR"]
    parts: tuple["Where", ...]


Where: TypeAlias = Condition | Combination


@dataclass(frozen=True)
class WriteResponse:
    """The response to a write that the tenant calls a success, which it may not be.

    `count` or the number of `records`, in the order sent, may be lower than that of what was sent,
    and `failures` may name fields.
    """

    count: int
    records: tuple[Record, ...]
    failures: tuple[errors.FieldFailure, ...]
    request_id: str | None
    server_time: datetime | None


@dataclass(frozen=True)
class RecordsApi:
    """Reads and writes records. Object and field names are API names, sent exactly as given."""

    _send: Send
    _readable: set[str] = field(default_factory=set)

    def insert(self, object_name: str, records: Sequence[Record]) -> WriteResponse:
        """Create up to 50 records, all or none; a repeat duplicates them (Company API, Insert)."""
        return self.write(object_name, check_batch(records))

    def update(
        self, object_name: str, records: Sequence[Record], *, keys: Sequence[str]
    ) -> WriteResponse:
        """Update up to 50 existing records by their keys, all or none (Company API, Update).

        The keys, one to three fields, are AND-ed. A key that finds nothing refuses the whole call.
        """
        if not 1 <= len(keys) <= MAX_KEYS:
            message = f"an update takes 1 to {MAX_KEYS} keys, not {len(keys)}"
            raise ValueError(message)
        return self.write(object_name, check_batch(records), keys)

    def query(
        self,
        object_name: str,
        *,
        select: Sequence[str],
        where: Where | None = None,
        limit: float = math.inf,
    ) -> Iterator[Record]:
        """Yield the matching rows by `Gsid`, reading each page when needed (Company API, Read).

        There is no select-all; `Csm__gr.Email` follows a lookup. Rows are spelt as the select is.
        """
        # Pages of an unordered query may overlap.
        body: dict[str, Json] = {"select": list(select), "orderBy": {"Gsid": "asc"}}
        if where is not None:
            body["where"] = to_wire(where)
        offset, before = 0, None
        while offset < limit:
            size = int(min(MAX_PAGE, limit - offset))
            rows = self._page(object_name, select, {**body, "limit": size, "offset": offset})
            if rows and rows == before:
                message = f"the tenant returns the same rows of {object_name} for another offset"
                raise errors.RefusedError(message)
            if not all(map(set(select).issubset, rows)):
                rows = [_spell_as_selected(row, select) for row in rows]
            yield from rows
            if len(rows) < size:
                if len(rows) != _DEFAULT_PAGE:
                    return
                before = rows
            offset += len(rows)

    def get(self, object_name: str, gsid: str) -> Record:
        """Return a record by its GSID, or raise `NotFoundError`."""
        try:
            data = self._send(Call("GET", objects_path(object_name, gsid), kind="get")).data
        except errors.RefusedError as error:
            if error.code != _NOTHING_MATCHES:
                raise
            data = None
        if rows := rows_of(data) or as_mappings([data]):
            return rows[0]
        message = f"{object_name} has no record {gsid}"
        raise errors.NotFoundError(message)

    def delete(self, object_name: str, gsid: str, *, repeatable: bool = True) -> None:
        """Delete a record (Company API, Delete); deleting it a second time is refused."""
        path = objects_path(object_name, gsid)
        self._send(Call("DELETE", path, kind="delete", repeatable=repeatable))

    def write(
        self, object_name: str, records: list[Record], keys: Sequence[str] = (), **options: Json
    ) -> WriteResponse:
        """Create records, or update them by keys; their number is the caller's concern."""
        call = Call(
            "PUT" if keys else "POST",
            objects_path(object_name),
            kind="update" if keys else "insert",
            params={"keys": ",".join(keys)} if keys else {},
            json={"records": records, **options},
            repeatable=bool(keys),
            expects=_is_write_data,
        )
        response = self._send(call)
        written = as_mapping(response.data)
        listed, count = as_mappings(written.get("records")), written.get("count")
        names_failures = bool(written.get("errors") or response.body.get("errorDesc"))
        return WriteResponse(
            count=count if isinstance(count, int) else len(listed),
            records=listed,
            failures=field_failures(response.body) if names_failures else (),
            request_id=response.request_id,
            server_time=response.server_time,
        )

    def _page(self, object_name: str, select: Sequence[str], body: Record) -> Sequence[Record]:
        """Read a page. A refusal because nothing matches is a page without rows."""
        name = object_name.lower()
        known = name in self._readable
        call = Call(
            "POST",
            objects_path("query", object_name),
            kind="query",
            json=body,
            expects=lambda data: rows_of(data) is not None,
            server_error_tries=math.inf if known else _FIRST_QUERY_TRIES,
        )
        try:
            rows = rows_of(self._send(call).data) or ()
        except errors.UnavailableError as error:
            if known or error.status != _SERVER_ERROR:
                raise
            message = (
                f"{object_name} has answered every query with a server error. Some system objects "
                "cannot be queried; use another object"
            )
            raise replace(error, message=message) from error
        except (errors.RefusedError, errors.NotFoundError) as error:
            self._readable.add(name)
            if error.code in _UNREADABLE_CODES:
                fields = _fields_in(error.description or "", select)
                unreadable = errors.UnreadableFieldError(error.message, fields=fields)
                raise unreadable.with_call_of(error) from error
            if error.code == _NOTHING_MATCHES or _NO_DATA.match(error.description or ""):
                return ()
            raise
        self._readable.add(name)
        return rows


@dataclass(frozen=True)
class PeopleApi:
    """Writes people, one per call."""

    _send: Send

    def upsert(self, person: Record) -> str | None:
        """Write the person with this `Email` and links in `companies`; return its GSID if named."""
        call = Call("PUT", "/v1/peoplemgmt/v1.0/people", kind="person", json=person)
        response = self._send(call)
        written = as_mapping(response.data)
        if written.get("errors"):
            message, failures = "Gainsight refuses the person", field_failures(response.body)
            raise errors.RefusedError(message, request_id=response.request_id, failures=failures)
        return as_text(written.get("Gsid")) or as_text(written.get("gsid"))


def is_in(field: str, values: Sequence[Json]) -> Condition:
    """Return the condition that a field has one of these values."""
    return Condition(field, "IN", tuple(values))


def all_of(*parts: Where) -> Where:
    """Return the filter that all parts hold."""
    return parts[0] if len(parts) == 1 else Combination("AND", parts)


def any_of(*parts: Where) -> Where:
    """Return the filter that at least one part holds."""
    return parts[0] if len(parts) == 1 else Combination("OR", parts)


def to_wire(where: Where) -> dict[str, Json]:
    """Return a filter as a list of aliased conditions and an expression over the aliases."""
    conditions: list[Json] = []
    expression = _expression(where, conditions).removeprefix("(").removesuffix(")")
    return {"conditions": conditions, "expression": expression}


def check_batch(records: Sequence[Record]) -> list[Record]:
    """Return the records of one write as a list; ValueError unless there are 1 to 50."""
    if not 1 <= len(records) <= MAX_RECORDS:
        message = f"a write takes 1 to {MAX_RECORDS} records, not {len(records)}"
        raise ValueError(message)
    return list(records)


def objects_path(*parts: str) -> str:
    """Return the path of records of objects; queries are below `query` (Company API, Read)."""
    return "/".join(["/v1/data/objects", *map(partial(quote, safe=""), parts)])


def rows_of(data: Json) -> tuple[Record, ...] | None:
    """Return the rows of a query, bare or under `records`; None for any other payload, or null."""
    rows = data.get("records") if isinstance(data, Mapping) else data
    return None if rows is None else object_list(rows)


def _fields_in(description: str, select: Sequence[str]) -> tuple[str, ...]:
    """Return the selected fields that a description names, in their own case or else in any.

    It may qualify them, as in `Column t1.X`, or name only the lookup that they follow.
    """
    words = [word.strip(".") for word in re.findall(r"[\w.]+", description)]
    exact = tuple(name for name in select if _is_named(name, words))
    lower = [word.lower() for word in words]
    return exact or tuple(name for name in select if _is_named(name.lower(), lower))


def _is_named(name: str, words: Sequence[str]) -> bool:
    return any(f".{word}".endswith(f".{name}") or name.startswith(f"{word}.") for word in words)


def _spell_as_selected(row: Record, select: Sequence[str]) -> Record:
    """Return a row with the keys of the select, whatever the case of the response."""
    by_lower_case = {name.lower(): value for name, value in row.items()}
    known = [name for name in select if name.lower() in by_lower_case]
    return {**{name: by_lower_case[name.lower()] for name in known}, **row}


def _is_write_data(data: Json) -> bool:
    written = as_mapping(data)
    return type(written.get("count")) is int or isinstance(written.get("records"), list)


def _expression(where: Where, conditions: list[Json]) -> str:
    """Append the conditions, and return the expression over their aliases: A, … Z, AA, … ZZ."""
    if isinstance(where, Combination):
        parts = [_expression(part, conditions) for part in where.parts]
        return f"({f' {where.joined_by} '.join(parts)})"
    repeats, letter = divmod(len(conditions), len(ascii_uppercase))
    alias = ascii_uppercase[letter] * (repeats + 1)
    value = list(where.values)
    conditions.append(
        {"name": where.field, "alias": alias, "value": value, "operator": where.operator}
    )
    return alias
