"""Questions about the rows that queries return: their form, and the form of values in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from target_gainsight.api import Json
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.types.datetimes import comparable_date, comparable_datetime
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading.facts import TEXT_TYPES, RowsRead, TenantFacts

COMPANIES = Topic("reads_company", "companies can be queried")
UNREADABLE = Topic("unreadable_field", "every described field can be queried", "")
ANSWER = Topic("query_answer", "rows are a list in `data`", "list")
ROW_KEYS = Topic("row_keys", "rows name their fields as the select does", "selected")
ROW_FIELDS = Topic("row_fields", "a row has every selected field")
DATES = Topic("date_read", "dates are epoch milliseconds", "epoch_ms")
DATETIMES = Topic("datetime_read", "datetimes are epoch milliseconds", "epoch_ms")
EMPTY_TEXT = Topic("empty_text_read", "empty text is null", "null")
ROWS = (COMPANIES, UNREADABLE, ANSWER, ROW_KEYS, ROW_FIELDS, DATES, DATETIMES, EMPTY_TEXT)

_FORMS = (
    (re.compile(r"\d{4}-\d\d-\d\d(T.*)?"), "iso"),
    (re.compile(r"\d{4}-\d\d-\d\d .*"), "spaced"),
)
_NO_VALUE = (None, "")


def find_rows(facts: TenantFacts) -> Iterator[Observation]:
    """Settle the form of rows."""
    companies = facts.company_rows
    yield _companies(companies)
    yield _unreadable(facts)
    read = companies if companies.rows else facts.user_rows
    if read.rows:
        is_list = isinstance(read.reply.data, list)
        observed = "a list in `data`" if is_list else "a list in `data.records`"
        yield ANSWER.at("list" if is_list else "records", observed, "both forms are read")
        yield from _keys(read)
    else:
        for topic in (ANSWER, ROW_KEYS, ROW_FIELDS):
            yield topic.not_settled("the tenant returns no row of company or gsuser")
    yield _dates(facts)
    yield _datetimes(facts)
    yield _empty_text(facts)


def _companies(read: RowsRead) -> Observation:
    if read.were_read:
        count = len(read.rows)
        observed = counted(count, "row") if count else "no rows; the tenant may be empty"
        return COMPANIES.settled(observed, "existing companies are found", "as assumed")
    if not read.reply.was_sent:
        return COMPANIES.not_settled(read.reply.summary)
    consequence = "streams into company, and lookups of companies, stop before anything is written"
    return COMPANIES.settled(f"refused with {read.reply.summary}", consequence, "not handled")


def _unreadable(facts: TenantFacts) -> Observation:
    read = facts.company_rows
    if not read.unreadable and not read.were_read:
        return UNREADABLE.not_settled("companies cannot be queried")
    if read.refused is not None and not read.unreadable:
        summary = read.refused.reply.summary
        return UNREADABLE.not_settled(f"a query for all fields is refused with {summary}")
    if not read.unreadable:
        return UNREADABLE.at("", f"all {len(read.select)} of company can", "values are compared")
    custom = {each.name for each in facts.company_fields if each.is_custom}
    standard = [name for name in read.unreadable if name not in custom]
    named = ", ".join([*standard, *(["custom fields"] if custom & {*read.unreadable} else [])])
    consequence = f"{', '.join(read.unreadable)}: written without being compared; no lookup_keys"
    if not standard:
        return UNREADABLE.settled(f"{named} cannot", consequence, "handled")
    return UNREADABLE.at(standard[0], f"{named} cannot", consequence)


def _keys(read: RowsRead) -> Iterator[Observation]:
    """Settle how rows spell the names of fields, and whether they have all of them."""
    names = {name for row in read.rows for name in row}
    spellings: dict[str, Callable[[str], str]] = {
        "selected": str,
        "lower": str.lower,
        "upper": str.upper,
    }
    position = next((key for key, spell in spellings.items() if spell("Gsid") in names), None)
    if position is None:
        consequence = "streams stop before anything is written"
        yield ROW_KEYS.settled("rows lack the Gsid that was selected", consequence, "not handled")
    else:
        observed = {"selected": "as selected"}.get(position, f"in {position} case")
        yield ROW_KEYS.at(position, observed, "the case is ignored")
    missing = sum(len(row) < len(set(read.select)) for row in read.rows)
    if missing:
        observed = f"{missing} of {len(read.rows)} rows lack some"
        consequence = "a stream stops without its keys, and writes other fields in every run"
        yield ROW_FIELDS.settled(observed, consequence, "not handled")
    else:
        yield ROW_FIELDS.settled("every row has all", "values are compared", "as assumed")


def _dates(facts: TenantFacts) -> Observation:
    values = _company_values(facts, {"DATE"})
    if not values:
        return DATES.not_settled("no company that was read has a date")
    return observe_dates(values)


def observe_dates(values: list[Json]) -> Observation:
    """Settle the form of dates that were read; there is at least one."""
    unread = sum(comparable_date(each) is None for each in values)
    return _form_of(DATES, values, unread, {"epoch_ms", "iso"})


def _datetimes(facts: TenantFacts) -> Observation:
    users = facts.user_rows.values("CreatedDate")
    values = [each for each in (*_company_values(facts, {"DATETIME"}), *users) if _has_value(each)]
    if not values:
        return DATETIMES.not_settled("no row that was read has a datetime")
    return observe_datetimes(values)


def observe_datetimes(values: list[Json]) -> Observation:
    """Settle the form of datetimes that were read; there is at least one."""
    unread = sum(comparable_datetime(each) is None for each in values)
    return _form_of(DATETIMES, values, unread, {"epoch_ms", "iso", "spaced"})


def _form_of(topic: Topic, values: list[Json], unread: int, positions: set[str]) -> Observation:
    forms = sorted({_form(each) for each in values})
    observed = " and ".join(_FORM_NAMES[each] for each in forms)
    if unread == len(values):
        consequence = "records with such a field count as changed, and are written in every run"
        return topic.settled(observed, consequence, "not handled")
    if unread:
        observed += f"; {unread} of {len(values)} values cannot be compared"
    if len(forms) > 1 or forms[0] not in positions:
        return topic.settled(observed, "all these forms are read", "handled")
    return topic.at(forms[0], observed, "all forms are read")


_FORM_NAMES: Mapping[str, str] = {
    "epoch_ms": "epoch milliseconds",
    "iso": "ISO 8601",
    "spaced": "ISO 8601 with a blank",
    "other": "another form",
}


def _form(value: Json) -> str:
    if isinstance(value, int | float | Decimal):
        return "epoch_ms"
    return next((form for pattern, form in _FORMS if pattern.fullmatch(str(value))), "other")


def _empty_text(facts: TenantFacts) -> Observation:
    names = [name for name, data_type in facts.company_types.items() if data_type in TEXT_TYPES]
    values = [value for name in names for value in facts.company_rows.values(name)]
    blanks, nulls = values.count(""), values.count(None)
    if not blanks and not nulls:
        return EMPTY_TEXT.not_settled("no company that was read has an empty text field")
    consequence = "null and blank count as the same"
    if blanks and nulls:
        return EMPTY_TEXT.settled("null and blank text both occur", consequence, "handled")
    return EMPTY_TEXT.at("blank" if blanks else "null", "blank" if blanks else "null", consequence)


def _company_values(facts: TenantFacts, types: set[str]) -> list[Json]:
    names = [name for name, data_type in facts.company_types.items() if data_type in types]
    values = (value for name in names for value in facts.company_rows.values(name))
    return [value for value in values if _has_value(value)]


def _has_value(value: Json) -> bool:
    return value not in _NO_VALUE
