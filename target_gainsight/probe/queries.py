"""Questions about queries: the rows that they return, the values in them, and filters."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from target_gainsight.api import Condition, Json, Record, all_of, any_of, is_in
from target_gainsight.api.http.json_codec import as_mapping, as_text
from target_gainsight.api.resources.records import rows_of
from target_gainsight.mapping.types.datetimes import comparable_date, comparable_datetime
from target_gainsight.probe.observations import (
    Observation,
    Topic,
    Verdict,
    holds,
    not_settled,
    require,
)
from target_gainsight.probe.tenant import BASIC_FIELDS, COMPANY, GSID, USER, ProbedTenant

_REWRITTEN = "writes records with such a field in every run"
_STOPS = "stops a stream before anything is written"
_NEAR = "compares keys exactly, and looks up near matches"
_HALVED = "halves a refused query, and keeps its size for the rest of the run"
_READ = "reads all forms"

DATES = Topic("date_read", "dates are epoch milliseconds", _READ, "epoch_ms", _REWRITTEN)
DATETIMES = Topic("datetime_read", "they are epoch milliseconds", _READ, "epoch_ms", _REWRITTEN)
EMPTY_TEXT = Topic("empty_text_read", "empty text is null", "takes blank for null", "null")

_TEXT_TYPES = ("STRING", "EMAIL", "URL", "RICHTEXTAREA", "SFDCID")
_KEY_POSITIONS = {GSID: "selected", "gsid": "lower", "GSID": "upper"}
_FORMS = {"iso": re.compile(r"\d{4}-\d\d-\d\d(T.*)?"), "spaced": re.compile(r"\d{4}-\d\d-\d\d .*")}
_SIZES = (4_999, 1_000, 100, 1)
"""Numbers of keys: that of a load at most and at first, and fewer."""
_CHARACTERS = 36
"""The length of a GSID, and more than most keys have."""
_NO_DATA = {200: "no_data", 400: "no_data_400"}


def _find_unreadable(tenant: ProbedTenant) -> Iterator[Observation]:
    read = tenant.companies
    unreadable = [each.name for each in tenant.company_fields if each.name not in read.select]
    is_narrow = read.select == BASIC_FIELDS and bool(unreadable)
    require(read.rows is not None and not is_narrow, "a query for all fields is refused")
    names = sorted({"custom fields" if "__" in name else name for name in unreadable})
    standard = [name for name in unreadable if "__" not in name]
    position = next(iter(standard), None) if unreadable else ""
    observed = f"of {len(tenant.company_fields)} fields, not: {', '.join(names) or 'none'}"
    consequence = f"writes without comparing: {', '.join(unreadable) or 'none'}"
    yield Observation("unreadable_field", position, observed, None, consequence)


def _find_form(tenant: ProbedTenant) -> Iterator[Observation]:
    read = tenant.companies if tenant.companies.rows else tenant.users
    rows = require(rows_of(read.data), "the tenant returns no row of company or gsuser")
    place = "list" if isinstance(read.data, list) else "records"
    yield Observation("query_answer", place, f"the form of `data` is: {place}")
    names = {name for row in rows for name in row}
    position = next((each for name, each in _KEY_POSITIONS.items() if name in names), None)
    verdict: Verdict | None = None if position else "not handled"
    yield Observation("row_keys", position, f"as selected, case: {position or 'other'}", verdict)
    missing = sum(len(row) < len(read.select) for row in rows)
    yield holds("row_fields", not missing, f"{missing} of {len(rows)} rows lack some")


def _read_values(tenant: ProbedTenant) -> Iterator[Observation]:
    values: dict[str, list[Json]] = {"DATETIME": tenant.users.values("CreatedDate")}
    for field in tenant.company_fields:
        kind = "text" if field.data_type in _TEXT_TYPES else field.data_type
        values.setdefault(kind, []).extend(tenant.companies.values(field.name))
    yield observe_dates(DATES, values.get("DATE", ()))
    yield observe_dates(DATETIMES, values["DATETIME"])
    empty = {"null": None, "blank": ""}
    found = [name for name, value in empty.items() if value in values.get("text", ())]
    require(found, "no company that was read has an empty text field")
    yield Observation("empty_text_read", found[0] if len(found) == 1 else None, " and ".join(found))


def observe_dates(topic: Topic, values: Iterable[Json]) -> Observation:
    """Settle the form of dates or datetimes that were read, without those that are empty."""
    filled = [each for each in values if each not in (None, "")]
    if not filled:
        return not_settled(topic.name, "no row that was read has one")
    comparable = comparable_date if topic is DATES else comparable_datetime
    compared = sum(comparable(each) is not None for each in filled)
    forms = sorted({_form(each) for each in filled})
    observed = f"{' and '.join(forms)}; {compared} of {len(filled)} values can be compared"
    if not compared:
        return holds(topic.name, False, observed)
    positions = ("epoch_ms", "iso") if topic is DATES else ("epoch_ms", "iso", "spaced")
    position = next((each for each in positions if forms == [each]), None)
    return Observation(topic.name, position, observed)


def _form(value: Json) -> str:
    if isinstance(value, int | float | Decimal):
        return "epoch_ms"
    return next((name for name, each in _FORMS.items() if each.fullmatch(str(value))), "other")


def _read_picklists(tenant: ProbedTenant) -> Iterator[Observation]:
    """Settle how a picklist is read, and whether a filter finds a row by an item's label."""
    for field in (each for each in tenant.company_fields if each.data_type == "PICKLIST"):
        for row in tenant.companies.rows or ():
            item = as_text(row.get(field.name)) or ""
            options = (field.options or field.load_options()) if item else ()
            labels = {each.gsid: each.label for each in options}
            if item in labels.values():
                yield holds("picklist_read", False, "the item's label")
                return
            if item in labels:
                yield holds("picklist_read", True, "the item's GSID")
                by_gsid = Condition(GSID, "EQ", (row[GSID],))
                where = all_of(by_gsid, Condition(field.name, "EQ", (labels[item],)))
                read = tenant.query(COMPANY, (GSID,), where)
                observed = f"a label finds {len(read.rows or ())} rows, {read.summary}"
                yield Observation("query_picklist_by_label", bool(read.rows), observed)
                return
    require(None, "no company that was read has one with known labels")


def _compare_case(tenant: ProbedTenant) -> Iterator[Observation]:
    """Look for one user by an email in the other case, and for another by the name."""
    sought: list[Record] = []
    where = []
    for field in ("Email", "Name"):
        others = (user for user in tenant.users.rows or () if user not in sought)
        user = next((each for each in others if _has_case(each.get(field))), None)
        sought.append(require(user, "it takes two users with a name and an email"))
        where.append(Condition(field, "EQ", (str(sought[-1][field]).swapcase(),)))
    read = tenant.query(USER, (GSID,), any_of(*where))
    require(read.rows is not None, read.summary)
    email, name = (user.get(GSID) in read.values(GSID) for user in sought)
    position = {(True, True): "all", (True, False): "email", (False, False): "none"}
    ignoring = [what for what, each in {"emails": email, "names": name}.items() if each]
    observed = f"{' and '.join(ignoring) or 'neither'} without case"
    yield Observation("query_ignores_case", position.get((email, name)), observed)


def _has_case(value: Json) -> bool:
    text = as_text(value) or ""
    return text != text.swapcase() and text.swapcase().swapcase() == text


def _filter_by_wrong_type(tenant: ProbedTenant) -> Iterator[Observation]:
    require(tenant.users.values("CreatedDate"), "no user that was read has a CreatedDate")
    where = Condition("CreatedDate", "EQ", ("no datetime",))
    read = tenant.query(USER, (GSID,), where, limit=1)
    position = False if read.rows is None else bool(read.rows) or None
    observed = f"{len(read.rows or ())} rows, {read.summary}"
    yield Observation("ignores_wrong_filter", position, observed)


def _find_sizes(tenant: ProbedTenant) -> Iterator[Observation]:
    """Look for names that no company has: as many as a load does, or fewer if that is refused."""
    refused = None
    for size in _SIZES:
        names = [f"tg-probe-{number:0{_CHARACTERS - 9}}" for number in range(size)]
        read = tenant.query(COMPANY, (GSID, "Name"), is_in("Name", names))
        if not read.is_refused:
            break
        refused = read
    if read.is_refused:
        yield holds("query_max_values", False, f"not even one is accepted ({read.summary})")
    require(read.rows is not None, read.summary)
    rows = len(read.rows or ())
    yield holds("filters_hold", not rows, f"{rows} rows are found that do not exist")
    if refused is None:
        yield Observation("query_max_values", 0, f"{size:,} are accepted")
        yield Observation("query_max_bytes", 0, f"{read.sent_bytes:,} bytes are accepted")
        return
    # One long name, in a body about as large as the one that was refused.
    name = "tg-probe".ljust(refused.sent_bytes - 200, "-")
    by_bytes = tenant.query(COMPANY, (GSID, "Name"), is_in("Name", [name]))
    observed = f"{size:,} in {read.sent_bytes:,} bytes are accepted, {refused.sent_bytes:,} are not"
    if by_bytes.is_refused:
        yield not_settled("query_max_values", "the size in bytes is refused first")
        yield Observation("query_max_bytes", read.sent_bytes, observed)
    else:
        yield Observation("query_max_values", size, observed)
        yield Observation("query_max_bytes", 0, "not limited below the number of values")


def _find_no_rows(tenant: ProbedTenant) -> Iterator[Observation]:
    reply = require(tenant.found_nothing, "no query found nothing")
    if reply.error is None:
        position: str | None = "records" if as_mapping(reply.data) else "list"
    else:
        no_data = _NO_DATA.get(reply.status or 0)
        position = "nothing_matches" if reply.code == "GSOBJ_1011" else no_data
    yield Observation("no_rows", position, f"{position or 'another form'}, {reply.summary}")


QUESTIONS = {
    _find_unreadable: (
        Topic("unreadable_field", "every described field can be queried", "compares it", ""),
    ),
    _find_form: (
        Topic("query_answer", "rows are a list in `data`", _READ, "list"),
        Topic("row_keys", "fields are named as selected", "ignores the case", "selected", _STOPS),
        Topic("row_fields", "a row has every selected field", "compares it", otherwise=_STOPS),
    ),
    _read_values: (DATES, DATETIMES, EMPTY_TEXT),
    _compare_case: (
        Topic("query_ignores_case", "emails alone are compared without case", _NEAR, "email"),
    ),
    _filter_by_wrong_type: (
        Topic("ignores_wrong_filter", "a value of the wrong type is refused", _STOPS, False),
    ),
    _read_picklists: (
        Topic("picklist_read", "a picklist is read as a GSID", "compares it", otherwise=_REWRITTEN),
        Topic("query_picklist_by_label", "a filter accepts labels", "filters by GSIDs", True),
    ),
}
SIZE_QUESTIONS = {
    _find_sizes: (
        Topic("query_max_values", "an IN takes 4,999 values", _HALVED, 0, _STOPS),
        Topic("query_max_bytes", "a query may have 200,000 bytes", _HALVED, 0),
        Topic("filters_hold", "a query returns only what its filter matches", otherwise=_STOPS),
    ),
    _find_no_rows: (
        Topic("no_rows", "no rows are an empty list in `data.records`", _READ, "records"),
    ),
}
