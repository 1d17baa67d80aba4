"""The views of the page: each returns a template and its values."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from target_gainsight.sandbox.page.filters import (
    MOST_FILTERS,
    OPERATORS,
    Filter,
    FilterError,
    condition_of,
    filters_from,
    order_of,
)
from target_gainsight.sandbox.page.rate import charts, usages
from target_gainsight.sandbox.page.texts import escaped, format_time, indented, redacted
from target_gainsight.sandbox.page.view_context import NotFoundError, ViewContext
from target_gainsight.sandbox.storage.calls import BODY_CHARACTERS, KEPT_BODIES, Call, CallLog
from target_gainsight.sandbox.storage.filter_expression import Condition
from target_gainsight.sandbox.storage.model import ObjectModel
from target_gainsight.sandbox.storage.rows import names_of, naming_fields, select_rows
from target_gainsight.sandbox.storage.store import quoted

ROWS_PER_PAGE = 50
CALLS_PER_PAGE = 100
_LATEST_CALLS = 10
_CELL_CHARACTERS = 200
_SYSTEM_FIELDS = ("CreatedBy", "CreatedDate", "ModifiedBy", "ModifiedDate")
_PUBLISHED_KEY = "sandbox"
_WHOLE_NUMBER = re.compile(r"[0-9]{1,12}")

OUTCOMES = {
    "ok": ("answered with success", "code IS NULL AND status = 200"),
    "refused": ("refused or failed", "code IS NOT NULL OR status IS NULL OR status <> 200"),
    "throttled": ("above the limit", "code IN ('GU_2400', 'GS_APIG_2404')"),
}


@dataclass(frozen=True)
class Page:
    """A template and what it is filled with."""

    template: str
    values: Mapping[str, Any]
    status: int = HTTPStatus.OK


@dataclass(frozen=True)
class Cell:
    """One value: `text` as written in a table, `whole` as on a page of its own.

    Attributes:
        address: of the record that it points to, if any.
    """

    field: str
    text: str
    whole: str
    address: str | None = None


@dataclass(frozen=True)
class Row:
    """A record in a table, or on a page of its own.

    Attributes:
        name: what a person calls it; empty if it has no name.
    """

    gsid: str
    name: str
    address: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """The heading of a column.

    Attributes:
        address: of the rows sorted by it, or sorted the other way.
        sorting: `ascending`, `descending` or `none`.
    """

    field: str
    address: str
    sorting: str


@dataclass(frozen=True)
class ShownCall:
    """A call, its secrets taken out."""

    number: int
    address: str
    at: str
    call: Call
    path: str
    failed: bool
    request: str | None = field(default=None, repr=False)
    answer: str | None = field(default=None, repr=False)


def overview(view: ViewContext, query: QueryParams) -> Page:
    """Limits, rate, objects, latest calls."""
    del query
    counted = [(model, view.store.count(model)) for model in view.objects.values()]
    counted.sort(key=lambda each: each[0].name.lower())
    latest = CallLog(view.store).select(("1", []), newest_first=True, limit=_LATEST_CALLS)
    return Page(
        "overview.html",
        {
            "path": str(view.tenant.store.path),
            "usages": usages(view),
            "charts": charts(view),
            "filled": [each for each in counted if each[1]],
            "unused": [each for each in counted if not each[1]],
            "calls": _listed(view, latest),
        },
    )


def rows(view: ViewContext, query: QueryParams) -> Page:
    """The rows of an object, filtered, a page at a time."""
    model = view.object_named(query.get("object", ""))
    lines = [query.getlist(name) for name in ("field", "operator", "text")]
    filters = filters_from(*lines)
    every = query.get("every") == "1"
    values: dict[str, Any] = {
        "model": model,
        "filters": [*filters, Filter("", "contains", "")][:MOST_FILTERS],
        "operators": OPERATORS,
        "every": every,
        "kept": {name: query[name] for name in ("sort", "order", "live") if name in query},
        "cleared": _rows_address(model.name),
        "total": view.store.count(model),
    }
    try:
        condition = condition_of(view, model, filters)
        descending = query.get("order") == "descending"
        order = order_of(view, model, query.get("sort", ""), descending=descending)
    except FilterError as error:
        return Page("rows.html", {**values, "mistake": str(error)}, HTTPStatus.BAD_REQUEST)
    return Page("rows.html", {**values, **_page_of_rows(view, model, query, condition, order)})


def _page_of_rows(
    view: ViewContext,
    model: ObjectModel,
    query: QueryParams,
    condition: Condition,
    order: Condition | None,
) -> dict[str, Any]:
    where, given = condition
    counting = f"SELECT count(*) FROM {quoted(model.name)} AS t WHERE {where}"  # noqa: S608
    matching: int = view.store.rows(counting, given)[0][0]
    last = max(1, -(-matching // ROWS_PER_PAGE))
    page = max(1, min(_number(query.get("page")) or 1, last))
    found = select_rows(
        view.store,
        model,
        condition,
        newest_first=True,
        order=order,
        limit=ROWS_PER_PAGE,
        offset=(page - 1) * ROWS_PER_PAGE,
    )
    fields = _columns(model, found, every=query.get("every") == "1")
    return {
        "matching": matching,
        "page": page,
        "last": last,
        "first_row": (page - 1) * ROWS_PER_PAGE + 1,
        "columns": [_column(query, name) for name in (*fields, "Gsid")],
        "sorted_by": query.get("sort"),
        "descending": query.get("order") == "descending",
        "rows": _rows(view, model, found, fields),
        "newer": _other_page(query, page - 1) if page > 1 else None,
        "older": _other_page(query, page + 1) if page < last else None,
    }


def _column(query: QueryParams, name: str) -> Column:
    """Return the heading of a column: its link sorts up, then down, then no longer."""
    order = "descending" if query.get("order") == "descending" else "ascending"
    sorting = order if query.get("sort") == name else "none"
    following = {"none": "ascending", "ascending": "descending", "descending": None}[sorting]
    sort = name if following else None
    return Column(
        name, address_with("/rows", query, sort=sort, order=following, page=None), sorting
    )


def _columns(model: ObjectModel, found: Iterable[Mapping[str, Any]], *, every: bool) -> list[str]:
    """Return the fields to show, those that name a record first."""
    listed = list(found)
    naming = naming_fields(model)
    others = [name for name in model.fields if name != "Gsid" and name not in naming]
    names = [*naming, *others]
    if every:
        return names
    return [
        name
        for name in names
        if name not in _SYSTEM_FIELDS and any(row[name] is not None for row in listed)
    ]


def _rows(
    view: ViewContext, model: ObjectModel, found: list[dict[str, Any]], fields: list[str]
) -> list[Row]:
    names = {
        name: _target_names(view, model, name, [row[name] for row in found])
        for name in fields
        if model.fields[name].lookup_object
    }
    return [
        Row(
            row["Gsid"],
            _cell(model, "Gsid", _name(model, row), {}).text,
            _record_address(model.name, row["Gsid"]),
            tuple(_cell(model, name, row[name], names.get(name, {})) for name in fields),
        )
        for row in found
    ]


def _name(model: ObjectModel, row: Mapping[str, Any]) -> str:
    return next((str(row[name]) for name in naming_fields(model) if row[name]), "")


def _target_names(
    view: ViewContext, model: ObjectModel, name: str, values: Iterable[str | None]
) -> dict[str, str]:
    """By GSID, the name of the record that the lookup points to; only of those that exist."""
    target = view.objects.get((model.fields[name].lookup_object or "").lower())
    return names_of(view.store, target, [each for each in values if each])


def _cell(model: ObjectModel, name: str, value: object, names: Mapping[str, str]) -> Cell:
    target = model.fields[name].lookup_object
    address = None
    if target and isinstance(value, str) and value in names:
        address = _record_address(target, value)
        value = names[value]
    whole = escaped(_text(value))
    cut = len(whole) > _CELL_CHARACTERS
    return Cell(name, whole[: _CELL_CHARACTERS - 1] + "…" if cut else whole, whole, address)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def record(view: ViewContext, query: QueryParams) -> Page:
    """One record with all its fields."""
    model = view.object_named(query.get("object", ""))
    gsid = query.get("gsid", "")
    column = view.store.column(model, "Gsid")
    found = select_rows(view.store, model, (f"{column} = ?", [gsid]), limit=1)
    if not found:
        message = f"{model.name} has no record {gsid!r}."
        raise NotFoundError(message)
    (row,) = _rows(view, model, found, [name for name in model.fields if name != "Gsid"])
    return Page("record.html", {"model": model, "row": row, "back": _rows_address(model.name)})


def calls(view: ViewContext, query: QueryParams) -> Page:
    """The calls, filtered, the latest first."""
    before = _number(query.get("before"))
    found = CallLog(view.store).select(
        _calls_condition(query, before), newest_first=True, limit=CALLS_PER_PAGE + 1
    )
    numbers = list(found)
    more = numbers[CALLS_PER_PAGE - 1] if len(numbers) > CALLS_PER_PAGE else None
    shown = {number: found[number] for number in numbers[:CALLS_PER_PAGE]}
    return Page(
        "calls.html",
        {
            "calls": _listed(view, shown),
            "kinds": sorted(view.families),
            "outcomes": {name: words for name, (words, _) in OUTCOMES.items()},
            "kind": query.get("kind", ""),
            "outcome": query.get("outcome", ""),
            "text": escaped(query.get("text", "")),
            "latest": address_with("/calls", query, before=None) if before else None,
            "older": address_with("/calls", query, before=more) if more else None,
        },
    )


def _calls_condition(query: QueryParams, before: int | None) -> Condition:
    kind, text = query.get("kind", ""), query.get("text", "")
    parts = ["(? = '' OR kind = ?)", "(? = '' OR instr(lower(path), lower(?)) > 0)"]
    values: list[object] = [kind, kind, text, text]
    _, outcome = OUTCOMES.get(query.get("outcome", ""), ("", "1"))
    parts.append(f"({outcome})")
    if before is not None:
        parts.append("id < ?")
        values.append(before)
    return " AND ".join(parts), values


def call(view: ViewContext, query: QueryParams) -> Page:
    """One call with what was sent and what was answered."""
    number = _number(query.get("number"))
    found = CallLog(view.store).select(("id = ?", [number]), limit=1)
    if number is None or not found:
        message = "The log does not have this call, or not any more."
        raise NotFoundError(message)
    (shown,) = _listed(view, found)
    return Page(
        "call.html", {"shown": shown, "characters": BODY_CHARACTERS, "kept_bodies": KEPT_BODIES}
    )


def _listed(view: ViewContext, found: Mapping[int, Call]) -> list[ShownCall]:
    config = view.tenant.config
    secrets = {config.access_key, config.client_secret} - {_PUBLISHED_KEY}
    return [
        ShownCall(
            number,
            f"/call?{urlencode({'number': number})}",
            format_time(each.at),
            each,
            escaped(redacted(each.path, *secrets)),
            failed=each.code is not None or each.status != HTTPStatus.OK,
            request=_body(each.request, secrets),
            answer=_body(each.answer, secrets),
        )
        for number, each in found.items()
    ]


def _body(text: str | None, secrets: Iterable[str]) -> str | None:
    return None if text is None else escaped(indented(redacted(text, *secrets)))


def _number(text: str | None) -> int | None:
    return int(text) if text and _WHOLE_NUMBER.fullmatch(text) else None


def _rows_address(name: str) -> str:
    return f"/rows?{urlencode({'object': name})}"


def _record_address(name: str, gsid: str) -> str:
    return f"/record?{urlencode({'object': name, 'gsid': gsid})}"


def _other_page(query: QueryParams, page: int) -> str:
    return address_with("/rows", query, page=page)


def address_with(path: str, query: QueryParams, **changed: object) -> str:
    """Return the link to this path with some values of the query changed; None removes one."""
    kept = [(name, value) for name, value in query.multi_items() if name not in changed]
    added = [(name, str(value)) for name, value in changed.items() if value is not None]
    return f"{path}?{urlencode([*kept, *added])}"
