"""Records of Company, Relationship and low-volume custom objects, and queries of any object.

Company and Custom Object APIs. There is no upsert: PUT never inserts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from target_gainsight.api.errors import (
    FieldFailure,
    GainsightError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnreadableFieldError,
)
from target_gainsight.api.http.json_codec import (
    Json,
    Record,
    as_mapping,
    as_mappings,
    is_list_of_mappings,
)
from target_gainsight.api.http.responses import Response, field_failures
from target_gainsight.api.resources.query_filter import Where, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from target_gainsight.api.http.client import HttpClient

MAX_RECORDS = 50
MAX_KEYS = 3
MAX_PAGE = 5000
_NOTHING_MATCHES = "GSOBJ_1011"
_NO_DATA = re.compile(r"\s*no data( found\b|\W*$)", re.IGNORECASE)
_UNREADABLE_CODES = frozenset({"P_5005", "P_5026", "P_5068"})
_FIRST_ANSWER_TRIES = 3
"""Some system objects response every query with HTTP 500."""
_SERVER_ERROR = 500


@dataclass(frozen=True)
class WriteResponse:
    """The response to a write that the tenant calls a success.

    It may not be one: `count` or the number of `records` may be lower than sent, and `failures`
    may name fields. `records` have their `Gsid` and the order in which they were sent.
    """

    count: int
    records: tuple[Record, ...]
    failures: tuple[tuple[FieldFailure, ...], ...]
    request_id: str | None
    server_time: datetime | None


class RecordsApi:
    """Reads and writes records. Object and field names are API names, sent exactly as given."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._answered: set[str] = set()

    def insert(
        self,
        object_name: str,
        records: Sequence[Record],
        *,
        lookups: Mapping[str, Json] | None = None,
    ) -> WriteResponse:
        """Create records, all or none; repeating it duplicates them (Company API, Insert).

        Raises:
            RefusedError: Nothing was written.
            UnknownOutcomeError: They may have been written; look them up.
            ValueError: No record, or more than 50.
        """
        body = _write_body(records, lookups)
        response = self._client.call(
            "POST",
            _path(object_name),
            kind="insert",
            json=body,
            repeatable=False,
            expects=_is_write_data,
        )
        return _write_response(response)

    def update(
        self,
        object_name: str,
        records: Sequence[Record],
        *,
        keys: Sequence[str],
        lookups: Mapping[str, Json] | None = None,
    ) -> WriteResponse:
        """Update existing records by their keys, all or none (Company API, Update).

        Args:
            object_name: The object.
            records: Up to 50, each with all keys; fields that are left out stay as they are.
            keys: One to three fields, AND-ed. A key that finds nothing refuses the whole call.
            lookups: Foreign keys that Gainsight resolves.

        Raises:
            RefusedError: Nothing was written.
            ValueError: No record or more than 50, no key or more than 3.
        """
        if not 1 <= len(keys) <= MAX_KEYS:
            message = f"an update takes 1 to {MAX_KEYS} keys, not {len(keys)}"
            raise ValueError(message)
        response = self._client.call(
            "PUT",
            _path(object_name),
            kind="update",
            params={"keys": ",".join(keys)},
            json=_write_body(records, lookups),
            expects=_is_write_data,
        )
        return _write_response(response)

    def query(
        self,
        object_name: str,
        *,
        select: Sequence[str],
        where: Where | None = None,
        order_by: Mapping[str, str] | None = None,
        limit: int | None = None,
        page_size: int = MAX_PAGE,
    ) -> Iterator[Record]:
        """Yield the matching rows, reading each page when it is needed (Company API, Read).

        Args:
            object_name: The object.
            select: The fields; there is no select-all. `Csm__gr.Email` follows a lookup.
            where: The filter; all rows by default.
            order_by: Field to `asc` or `desc`. Without it rows come by `Gsid`, because pages of
                an unordered query may overlap.
            limit: The maximum number of rows.
            page_size: Rows per call, up to 5,000. A page that is not full is the last.

        Returns:
            The rows, their keys spelt as `select` spells them.

        Raises:
            UnreadableFieldError: A selected field cannot be read.
            UnavailableError: Retries are exhausted. Three are enough if the object has never
                responded with anything but HTTP 500.
            ValueError: Nothing is selected, or a page size or limit is out of bounds.
        """
        if not select:
            message = "a query must select at least one field"
            raise ValueError(message)
        if not 1 <= page_size <= MAX_PAGE:
            message = f"a page has 1 to {MAX_PAGE} rows, not {page_size}"
            raise ValueError(message)
        if limit is not None and limit < 1:
            message = f"a limit is at least 1, not {limit}"
            raise ValueError(message)
        body: dict[str, Json] = {
            "select": list(select),
            "orderBy": dict(order_by or {"Gsid": "asc"}),
        }
        if where is not None:
            body["where"] = to_wire(where)
        return self._rows(object_name, body, limit, page_size)

    def page(
        self,
        object_name: str,
        *,
        select: Sequence[str],
        where: Where | None = None,
        offset: int = 0,
        limit: int = MAX_PAGE,
    ) -> tuple[Record, ...]:
        """Return one page of the matching rows, by `Gsid`, with one call.

        Args:
            object_name: The object.
            select: The fields.
            where: The filter; all rows by default.
            offset: The number of rows to skip.
            limit: The maximum number of rows, up to 5,000.
        """
        body: dict[str, Json] = {"select": list(select), "orderBy": {"Gsid": "asc"}}
        if where is not None:
            body["where"] = to_wire(where)
        return self._page(object_name, select, {**body, "limit": limit, "offset": offset})

    def get(self, object_name: str, gsid: str) -> Record:
        """Return a record by its GSID.

        Raises:
            NotFoundError: There is none.
        """
        response = self._client.call("GET", _path(object_name, gsid), kind="get")
        rows = _rows_of(response.data) or as_mappings([response.data])
        if not rows:
            message = f"{object_name} has no record {gsid}"
            raise NotFoundError(message, request_id=response.request_id)
        return rows[0]

    def delete(self, object_name: str, gsid: str) -> None:
        """Delete a record (Company API, Delete).

        Raises:
            NotFoundError: There is none.
        """
        self._client.call("DELETE", _path(object_name, gsid), kind="delete")

    def _rows(
        self, object_name: str, body: Mapping[str, Json], limit: int | None, page_size: int
    ) -> Iterator[Record]:
        select = cast("list[str]", body["select"])
        offset = 0
        while limit is None or offset < limit:
            wanted = page_size if limit is None else min(page_size, limit - offset)
            rows = self._page(object_name, select, {**body, "limit": wanted, "offset": offset})
            yield from rows
            if len(rows) < wanted:
                return
            offset += len(rows)

    def _page(
        self, object_name: str, select: Sequence[str], body: Mapping[str, Json]
    ) -> tuple[Record, ...]:
        known = object_name.lower() in self._answered
        try:
            response = self._client.call(
                "POST",
                _path(object_name, query=True),
                kind="query",
                json=body,
                expects=_is_query_data,
                server_error_tries=None if known else _FIRST_ANSWER_TRIES,
            )
        except (RefusedError, NotFoundError) as error:
            self._answered.add(object_name.lower())
            if _finds_nothing(error):
                return ()
            if error.code in _UNREADABLE_CODES:
                raise _unreadable(error, select) from error
            raise
        except UnavailableError as error:
            if known or error.status != _SERVER_ERROR:
                raise
            raise _never_answers(object_name, error) from error
        self._answered.add(object_name.lower())
        return _spelt_as(select, _rows_of(response.data))


def _finds_nothing(error: GainsightError) -> bool:
    """Whether a refused query found no rows (Company API, Read; Error Codes)."""
    return error.code == _NOTHING_MATCHES or bool(_NO_DATA.match(error.description or ""))


def _unreadable(error: GainsightError, select: Sequence[str]) -> UnreadableFieldError:
    """The error with the selected fields that its description names, as in `Column t1.X`."""
    words = [word.strip(".").lower() for word in re.findall(r"[\w.]+", error.description or "")]
    named = [name for name in select if any(_names(word, name.lower()) for word in words)]
    return UnreadableFieldError(error.message, fields=tuple(named), **error.context)


def _names(word: str, field: str) -> bool:
    """Whether a word is a field, with or without its table, or the lookup that it traverses."""
    return word == field or word.endswith(f".{field}") or field.startswith(f"{word}.")


def _never_answers(object_name: str, error: UnavailableError) -> UnavailableError:
    message = (
        f"{object_name} responds to every query with a server error and never did otherwise. "
        "Some system objects cannot be read; look up another object"
    )
    return UnavailableError(message, attempts=error.attempts, waited=error.waited, **error.context)


def _spelt_as(select: Sequence[str], rows: tuple[Record, ...]) -> tuple[Record, ...]:
    """Rows with their keys as the select spells them, whatever the case of the response."""
    if all(name in row for row in rows for name in select):
        return rows
    return tuple(_respelt(select, row) for row in rows)


def _respelt(select: Sequence[str], row: Record) -> Record:
    by_lower_case = {name.lower(): name for name in row}
    missing = [name for name in select if name not in row and name.lower() in by_lower_case]
    return {**row, **{name: row[by_lower_case[name.lower()]] for name in missing}}


def _path(object_name: str, gsid: str | None = None, *, query: bool = False) -> str:
    parts = ["/v1/data/objects", "query" if query else "", quote(object_name, safe="")]
    if gsid is not None:
        parts.append(quote(gsid, safe=""))
    return "/".join(part for part in parts if part)


def _write_body(records: Sequence[Record], lookups: Mapping[str, Json] | None) -> dict[str, Json]:
    if not 1 <= len(records) <= MAX_RECORDS:
        message = f"a write takes 1 to {MAX_RECORDS} records, not {len(records)}"
        raise ValueError(message)
    body: dict[str, Json] = {"records": list(records)}
    if lookups:
        body["lookups"] = lookups
    return body


def _is_write_data(data: Json) -> bool:
    """Return whether data states how many records were written, or which."""
    written = as_mapping(data)
    return _is_count(written.get("count")) or isinstance(written.get("records"), list)


def _is_query_data(data: Json) -> bool:
    """Return whether data lists rows; an unreadable response must not pass for no rows."""
    if isinstance(data, dict):
        return "records" in data and is_list_of_mappings(data["records"])
    return is_list_of_mappings(data)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _rows_of(data: Json) -> tuple[Record, ...]:
    """The rows of a read, which come bare or under `records`."""
    return as_mappings(data) or as_mappings(as_mapping(data).get("records"))


def _write_response(response: Response) -> WriteResponse:
    written = as_mapping(response.data)
    records = as_mappings(written.get("records"))
    count = written.get("count")
    return WriteResponse(
        count=count if isinstance(count, int) else len(records),
        records=records,
        failures=field_failures(response.body),
        request_id=response.request_id,
        server_time=response.server_time,
    )
