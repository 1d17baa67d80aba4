"""Questions about the rows that queries return: their form, and the form of values in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from target_gainsight.api import Json
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.types.datetimes import comparable_date, comparable_datetime
from target_gainsight.probe.observations import NotSettledError, Observation, Topic
from target_gainsight.probe.reading.facts import TEXT_TYPES, TenantFacts

_COMPARED = "values are compared"

COMPANIES = Topic("reads_company", "companies can be queried", "existing companies are found")
UNREADABLE = Topic("unreadable_field", "every described field can be queried", _COMPARED, "")
ANSWER = Topic("query_answer", "rows are a list in `data`", "both forms are read", "list")
ROW_KEYS = Topic(
    "row_keys", "rows name their fields as the select does", "the case is ignored", "selected"
)
ROW_FIELDS = Topic("row_fields", "a row has every selected field", _COMPARED)
DATES = Topic("date_read", "dates are epoch milliseconds", "all forms are read", "epoch_ms")
DATETIMES = Topic(
    "datetime_read", "datetimes are epoch milliseconds", "all forms are read", "epoch_ms"
)
EMPTY_TEXT = Topic(
    "empty_text_read", "empty text is null", "null and blank count as the same", "null"
)

_FORMS = (
    ("iso", "ISO 8601", re.compile(r"\d{4}-\d\d-\d\d(T.*)?")),
    ("spaced", "ISO 8601 with a blank", re.compile(r"\d{4}-\d\d-\d\d .*")),
)


def _read_companies(facts: TenantFacts) -> Iterator[Observation]:
    read = facts.company_rows
    if read.were_read:
        count = len(read.rows)
        observed = counted(count, "row") if count else "no rows; the tenant may be empty"
        yield COMPANIES.settled("as assumed", observed)
    else:
        consequence = (
            "streams into company, and lookups of companies, stop before anything is written"
        )
        yield COMPANIES.settled("not handled", f"refused with {read.reply.summary}", consequence)


def _find_unreadable(facts: TenantFacts) -> Iterator[Observation]:
    read = facts.company_rows
    standard = [name for name in read.unreadable if "__" not in name]
    is_custom = len(standard) < len(read.unreadable)
    observed = f"{', '.join([*standard, *(['custom fields'] if is_custom else [])])} cannot"
    consequence = f"{', '.join(read.unreadable)}: written without being compared; no lookup_keys"
    if standard:
        yield UNREADABLE.at(standard[0], observed, consequence)
    elif is_custom:
        yield UNREADABLE.settled("handled", observed, consequence)
    elif not read.were_read:
        yield UNREADABLE.not_settled("companies cannot be queried")
    elif read.refused is not None:
        summary = read.refused.reply.summary
        yield UNREADABLE.not_settled(f"a query for all fields is refused with {summary}")
    else:
        yield UNREADABLE.at("", f"all {len(read.select)} of company can")


def _find_form(facts: TenantFacts) -> Iterator[Observation]:
    """Settle where rows are, how they spell the names of fields, and whether they have all."""
    read = facts.company_rows if facts.company_rows.rows else facts.user_rows
    if not read.rows:
        message = "the tenant returns no row of company or gsuser"
        raise NotSettledError(message)
    if isinstance(read.reply.data, list):
        yield ANSWER.at("list", "a list in `data`")
    else:
        yield ANSWER.at("records", "a list in `data.records`")
    names = {name for row in read.rows for name in row}
    if "Gsid" in names:
        yield ROW_KEYS.at("selected", "as selected")
    elif "gsid" in names:
        yield ROW_KEYS.at("lower", "in lower case")
    elif "GSID" in names:
        yield ROW_KEYS.at("upper", "in upper case")
    else:
        consequence = "streams stop before anything is written"
        yield ROW_KEYS.settled("not handled", "rows lack the Gsid that was selected", consequence)
    missing = sum(len(row) < len(set(read.select)) for row in read.rows)
    if missing:
        observed = f"{missing} of {len(read.rows)} rows lack some"
        consequence = "a stream stops without its keys, and writes other fields in every run"
        yield ROW_FIELDS.settled("not handled", observed, consequence)
    else:
        yield ROW_FIELDS.settled("as assumed", "every row has all")


def _find_dates(facts: TenantFacts) -> Iterator[Observation]:
    created = facts.user_rows.values("CreatedDate")
    yield observe_dates(DATES, facts.company_values("DATE"))
    yield observe_dates(DATETIMES, [*facts.company_values("DATETIME"), *created])


def observe_dates(topic: Topic, values: Iterable[Json]) -> Observation:
    """Settle the form of dates or datetimes that were read, without those that are empty."""
    filled = [each for each in values if each not in (None, "")]
    if not filled:
        what = (
            "company that was read has a date"
            if topic is DATES
            else "row that was read has a datetime"
        )
        return topic.not_settled(f"no {what}")
    comparable = comparable_date if topic is DATES else comparable_datetime
    unread = sum(comparable(each) is None for each in filled)
    forms = sorted({_form(each) for each in filled})
    observed = " and ".join(description for _, description in forms)
    if unread == len(filled):
        consequence = "records with such a field count as changed, and are written in every run"
        return topic.settled("not handled", observed, consequence)
    if unread:
        observed += f"; {unread} of {len(filled)} values cannot be compared"
    name = forms[0][0]
    if len(forms) > 1 or name == "other" or (topic is DATES and name == "spaced"):
        return topic.settled("handled", observed, "all these forms are read")
    return topic.at(name, observed)


def _form(value: Json) -> tuple[str, str]:
    """Return the name of a value's form and its description."""
    if isinstance(value, int | float | Decimal):
        return "epoch_ms", "epoch milliseconds"
    for name, description, pattern in _FORMS:
        if pattern.fullmatch(str(value)):
            return name, description
    return "other", "another form"


def _find_empty_text(facts: TenantFacts) -> Iterator[Observation]:
    values = facts.company_values(*TEXT_TYPES)
    blanks, nulls = values.count(""), values.count(None)
    if blanks and nulls:
        yield EMPTY_TEXT.settled("handled", "null and blank text both occur")
    elif blanks or nulls:
        position = "blank" if blanks else "null"
        yield EMPTY_TEXT.at(position, position)
    else:
        yield EMPTY_TEXT.not_settled("no company that was read has an empty text field")


QUESTIONS = {
    _read_companies: (COMPANIES,),
    _find_unreadable: (UNREADABLE,),
    _find_form: (ANSWER, ROW_KEYS, ROW_FIELDS),
    _find_dates: (DATES, DATETIMES),
    _find_empty_text: (EMPTY_TEXT,),
}
