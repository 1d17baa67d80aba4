"""Questions about filters: how they compare, what finding nothing looks like, and their size."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api import Condition, Record, all_of, any_of, is_in
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.probe.observations import NotSettledError, Observation, Topic
from target_gainsight.probe.reading.facts import (
    COMPANY,
    PICKLIST_TYPES,
    USER,
    RowsRead,
    TenantFacts,
)

CASE = Topic(
    "query_ignores_case",
    "emails are compared without case, other text with it",
    "keys are compared exactly, and near matches are looked up",
    "email",
)
WRONG_TYPE = Topic(
    "ignores_wrong_filter",
    "a filter value of the wrong type is refused",
    "a stream with such a key stops",
    False,
)
ITEMS = Topic("picklist_read", "a picklist is read as the GSID of its item", "items are compared")
BY_LABEL = Topic(
    "query_picklist_by_label",
    "a filter on a picklist accepts labels",
    "the target filters by GSIDs and text",
    True,
)
VALUES = Topic(
    "query_max_values",
    "an IN takes 4,999 values",
    "a refused query is halved, and its size is kept for the rest of the run",
    0,
)
BYTES = Topic("query_max_bytes", "a query may have 200,000 bytes", VALUES.consequence, 0)
NO_ROWS = Topic(
    "no_rows",
    "a query that finds nothing returns an empty list in `data.records`",
    "read as no rows, as are the other documented forms",
    "records",
)
FILTERED = Topic("filters_hold", "a query returns only what its filter matches", "rows are trusted")

_STOPS = "a stream stops if none of the rows that it reads was asked for"
_GROUP, _LARGEST = 1_000, 4_999
"""The keys that a load reads in one query: by default, and at most."""
_SMALLER = (100, 10, 1)
_CHARACTERS = 36
"""The length of a GSID, and more than most keys have."""
_NO_DATA = {200: "no_data", 400: "no_data_400"}


def _compare_case(facts: TenantFacts) -> Iterator[Observation]:
    """Look for one user by an email in the other case, and for another by the name."""
    users = [row for row in facts.user_rows.rows if _text(row, "Gsid")]
    by_email = next((row for row in users if _has_case(_text(row, "Email"))), None)
    by_name = next((r for r in users if r is not by_email and _has_case(_text(r, "Name"))), None)
    if by_email is None or by_name is None:
        message = "it takes two users with a name and an email"
        raise NotSettledError(message)
    email, name = _text(by_email, "Email").swapcase(), _text(by_name, "Name").swapcase()
    where = any_of(Condition("Email", "EQ", (email,)), Condition("Name", "EQ", (name,)))
    read = facts.query(USER, ("Gsid",), where)
    if not read.were_read:
        raise NotSettledError(read.reply.summary)
    found = set(read.values("Gsid"))
    finds_email, finds_name = (_text(row, "Gsid") in found for row in (by_email, by_name))
    if finds_email and finds_name:
        yield CASE.at("all", "emails and names without case")
    elif finds_email:
        yield CASE.at("email", "emails without case, names with it")
    elif finds_name:
        yield CASE.settled("handled", "names without case, emails with it")
    else:
        yield CASE.at("none", "emails and names with case")


def _has_case(text: str) -> bool:
    return text != text.swapcase() and text.swapcase().swapcase() == text


def _filter_by_wrong_type(facts: TenantFacts) -> Iterator[Observation]:
    """Filter users by a datetime that is none."""
    if not facts.user_rows.values("CreatedDate"):
        message = "the tenant returns no users with a CreatedDate"
        raise NotSettledError(message)
    where = Condition("CreatedDate", "EQ", ("no datetime",))
    read = facts.query(USER, ("Gsid",), where, limit=1)
    if read.rows:
        yield WRONG_TYPE.at(True, "it is ignored, and every row is returned", _STOPS)
    elif read.were_read:
        yield WRONG_TYPE.settled("handled", "it matches nothing", "no row is found")
    else:
        yield WRONG_TYPE.at(False, f"refused with {read.reply.summary}")


def _read_picklists(facts: TenantFacts) -> Iterator[Observation]:
    """Settle how picklists are read, and whether a filter finds a row by an item's label."""
    labels_known = False
    for field in (each for each in facts.company_fields if each.data_type in PICKLIST_TYPES):
        labels = facts.labels(field)
        labels_known = labels_known or bool(labels)
        for row in facts.company_rows.rows:
            first, _, _ = _text(row, field.name).partition(";")
            if first in labels:
                yield ITEMS.settled("as assumed", "the item's GSID")
                if field.data_type == "PICKLIST":
                    yield _filter_by_label(facts, row, field.name, labels[first])
                    return
            elif first and first in labels.values():
                consequence = "values count as changed, and are written in every run"
                yield ITEMS.settled("not handled", "the item's label", consequence)
                message = "picklists are not read as GSIDs"
                raise NotSettledError(message)
    raise NotSettledError(
        "no company that was read has one" if labels_known else "no labels are known"
    )


def _filter_by_label(facts: TenantFacts, row: Record, field: str, label: str) -> Observation:
    gsid = _text(row, "Gsid")
    where = all_of(Condition("Gsid", "EQ", (gsid,)), Condition(field, "EQ", (label,)))
    read = facts.query(COMPANY, ("Gsid",), where, limit=1)
    if gsid in read.values("Gsid"):
        return BY_LABEL.at(True, "a label finds the row")
    if read.were_read:
        return BY_LABEL.at(False, "a label finds nothing")
    return BY_LABEL.at(False, f"refused with {read.reply.summary}")


def _text(row: Record, field: str) -> str:
    lowered = {name.lower(): value for name, value in row.items()}
    value = lowered.get(field.lower())
    return value if isinstance(value, str) else ""


def _find_sizes(facts: TenantFacts) -> Iterator[Observation]:
    """Look for names that no company has: 1,000, then 4,999, or fewer if that is refused."""
    tries = {_GROUP: _look_up(facts, _GROUP)}
    if tries[_GROUP].were_read:
        tries[_LARGEST] = _look_up(facts, _LARGEST)
    refused = next((each for each in tries.values() if each.is_refused), None)
    by_bytes = None
    if refused is not None:  # one long name, in a body about as large as the one that was refused
        name = "tg-probe".ljust(refused.reply.sent_bytes - 200, "-")
        by_bytes = facts.query(COMPANY, ("Gsid", "Name"), is_in("Name", [name]))
    for size in _SMALLER if tries[_GROUP].is_refused else ():
        tries[size] = _look_up(facts, size)
        if tries[size].were_read:
            break
    accepted = max((size for size, each in tries.items() if each.were_read), default=0)
    if accepted == 0:
        yield from _judge_refusals(tries)
    elif by_bytes is None:
        yield from _judge_acceptance(accepted, tries)
    else:
        refused_size = min(size for size, each in tries.items() if each.is_refused)
        sent, too_large = tries[accepted].reply.sent_bytes, tries[refused_size].reply.sent_bytes
        if by_bytes.is_refused:
            yield VALUES.not_settled("the size in bytes is refused first")
            yield BYTES.at(sent, f"{sent:,} bytes are accepted, {too_large:,} are not")
        else:
            yield VALUES.at(accepted, f"{accepted:,} are accepted, {refused_size:,} are not")
            yield BYTES.at(0, "not limited below the number of values")


def _look_up(facts: TenantFacts, size: int) -> RowsRead:
    values = [f"tg-probe-{number:0{_CHARACTERS - 9}}" for number in range(size)]
    read = facts.query(COMPANY, ("Gsid", "Name"), is_in("Name", values))
    if facts.missing_names is None and read.were_read:
        facts.missing_names = read
    return read


def _judge_acceptance(accepted: int, tries: dict[int, RowsRead]) -> Iterator[Observation]:
    """Settle sizes of which none is refused; the larger one may be left open."""
    consequence = "a group grows up to 4,999 keys while nearly all rows are unchanged"
    observed = f"{accepted:,} are accepted"
    if accepted == _LARGEST:
        yield VALUES.at(0, observed, consequence)
    else:
        yield VALUES.not_settled(f"{observed}; {tries[_LARGEST].reply.summary}")
    yield BYTES.at(0, f"{tries[accepted].reply.sent_bytes:,} bytes are accepted", consequence)


def _judge_refusals(tries: dict[int, RowsRead]) -> Iterator[Observation]:
    """Settle sizes of which none is accepted."""
    least, read = min(tries.items())
    summary = read.reply.summary
    if least == _SMALLER[-1]:
        consequence = "existing records are not found; streams stop before anything is written"
        yield VALUES.settled("not handled", f"not even one is accepted ({summary})", consequence)
    else:
        yield VALUES.not_settled(summary)
    yield BYTES.not_settled(summary)


def _find_no_rows(facts: TenantFacts) -> Iterator[Observation]:
    """Settle how the tenant responds to a query that finds nothing."""
    if facts.found_nothing is None:
        message = "no query for what does not exist was answered"
        raise NotSettledError(message)
    reply = facts.found_nothing.reply
    if reply.error is None:
        is_list = not as_mapping(reply.data)
        place = "data" if is_list else "data.records"
        yield NO_ROWS.at("list" if is_list else "records", f"an empty list in `{place}`")
    elif reply.code == "GSOBJ_1011":
        yield NO_ROWS.at("nothing_matches", reply.summary)
    elif reply.status in _NO_DATA:
        yield NO_ROWS.at(_NO_DATA[reply.status], reply.summary)
    else:
        yield NO_ROWS.settled("handled", reply.summary)


def _check_filter(facts: TenantFacts) -> Iterator[Observation]:
    if facts.missing_names is None:
        yield FILTERED.not_settled("no query was accepted")
    elif facts.missing_names.rows:
        yield FILTERED.settled("not handled", "rows are returned that do not match", _STOPS)
    else:
        yield FILTERED.settled("as assumed", "nothing is found that does not exist")


FILTERS = {
    _compare_case: (CASE,),
    _filter_by_wrong_type: (WRONG_TYPE,),
    _read_picklists: (ITEMS, BY_LABEL),
}
SIZES = {_find_sizes: (VALUES, BYTES), _find_no_rows: (NO_ROWS,), _check_filter: (FILTERED,)}
