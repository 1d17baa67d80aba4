"""Questions about the filters of queries."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api import Condition, Record, all_of, any_of
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading.facts import (
    COMPANY,
    PICKLIST_TYPES,
    USER,
    RowsRead,
    TenantFacts,
)
from target_gainsight.probe.session import Reply

CASE = Topic("query_ignores_case", "emails are compared without case, other text with it", "email")
WRONG_TYPE = Topic("ignores_wrong_filter", "a filter value of the wrong type is refused", False)
ITEMS = Topic("picklist_read", "a picklist is read as the GSID of its item")
BY_LABEL = Topic("query_picklist_by_label", "a filter on a picklist accepts labels", True)
FILTERS = (CASE, WRONG_TYPE, ITEMS, BY_LABEL)
NO_ROWS = Topic(
    "no_rows", "a query that finds nothing returns an empty list in `data.records`", "records"
)

_NOT_A_DATETIME = "no datetime"


def find_filters(facts: TenantFacts) -> Iterator[Observation]:
    """Settle how filters compare."""
    yield _case(facts)
    yield _wrong_type(facts)
    yield from _picklists(facts)


def _case(facts: TenantFacts) -> Observation:
    """Look for one user by an email in the other case, and for another by the name."""
    users = [row for row in facts.user_rows.rows if _text(row, "Gsid")]
    by_email = next((row for row in users if _has_case(_text(row, "Email"))), None)
    by_name = next((r for r in users if r is not by_email and _has_case(_text(r, "Name"))), None)
    if by_email is None or by_name is None:
        return CASE.not_settled("it takes two users with a name and an email")
    email, name = _text(by_email, "Email").swapcase(), _text(by_name, "Name").swapcase()
    where = any_of(Condition("Email", "EQ", (email,)), Condition("Name", "EQ", (name,)))
    read = facts.query(USER, ("Gsid",), where)
    if not read.were_read:
        return CASE.not_settled(read.reply.summary)
    found = set(read.values("Gsid"))
    ignored = (_text(by_email, "Gsid") in found, _text(by_name, "Gsid") in found)
    consequence = "keys are compared exactly, and near matches are looked up"
    if ignored == (False, True):
        return CASE.settled("names without case, emails with it", consequence, "handled")
    position, observed = {
        (True, False): ("email", "emails without case, names with it"),
        (True, True): ("all", "emails and names without case"),
        (False, False): ("none", "emails and names with case"),
    }[ignored]
    return CASE.at(position, observed, consequence)


def _wrong_type(facts: TenantFacts) -> Observation:
    """Filter users by a datetime that is none."""
    if not facts.user_rows.values("CreatedDate"):
        return WRONG_TYPE.not_settled("the tenant returns no users with a CreatedDate")
    where = Condition("CreatedDate", "EQ", (_NOT_A_DATETIME,))
    read = facts.query(USER, ("Gsid",), where, limit=1)
    if not read.reply.was_sent:
        return WRONG_TYPE.not_settled(read.reply.summary)
    if read.rows:
        consequence = "a stream stops if none of the rows that it reads was asked for"
        return WRONG_TYPE.at(True, "it is ignored, and every row is returned", consequence)
    if read.were_read:
        return WRONG_TYPE.settled("it matches nothing", "no row is found", "handled")
    return WRONG_TYPE.at(
        False, f"refused with {read.reply.summary}", "a stream with such a key stops"
    )


def _picklists(facts: TenantFacts) -> Iterator[Observation]:
    """Settle how picklists are read, and whether a filter finds a row by an item's label."""
    labels_known = False
    for field in (each for each in facts.company_fields if each.data_type in PICKLIST_TYPES):
        labels = facts.labels(field)
        labels_known = labels_known or bool(labels)
        for row in facts.company_rows.rows:
            value = _text(row, field.name)
            first, _, _ = value.partition(";")
            if first in labels:
                yield ITEMS.settled("the item's GSID", "items are compared", "as assumed")
                if field.data_type == "PICKLIST":
                    yield _by_label(facts, row, field.name, labels[first])
                    return
            elif first and first in labels.values():
                consequence = "values count as changed, and are written in every run"
                yield ITEMS.settled("the item's label", consequence, "not handled")
                yield BY_LABEL.not_settled("picklists are not read as GSIDs")
                return
    reason = "no company that was read has one" if labels_known else "no labels are known"
    yield ITEMS.not_settled(reason)
    yield BY_LABEL.not_settled(reason)


def _by_label(facts: TenantFacts, row: Record, field: str, label: str) -> Observation:
    gsid = _text(row, "Gsid")
    where = all_of(Condition("Gsid", "EQ", (gsid,)), Condition(field, "EQ", (label,)))
    read = facts.query(COMPANY, ("Gsid",), where, limit=1)
    if not read.reply.was_sent:
        return BY_LABEL.not_settled(read.reply.summary)
    if gsid in read.values("Gsid"):
        return BY_LABEL.at(True, "a label finds the row", "the target filters by GSIDs and text")
    observed = "a label finds nothing" if read.were_read else f"refused with {read.reply.summary}"
    return BY_LABEL.at(False, observed, "the target filters by GSIDs and text")


def form_of_no_rows(read: RowsRead | None) -> Observation:
    """Return how the tenant responds to a query that finds nothing."""
    if read is None:
        return NO_ROWS.not_settled("no query for what does not exist was answered")
    reply = read.reply
    consequence = "read as no rows, as are the other documented forms"
    position = _no_rows_position(reply)
    place = "data.records" if as_mapping(reply.data) else "data"
    observed = reply.summary if reply.error else f"an empty list in `{place}`"
    if position is None:
        return NO_ROWS.settled(observed, consequence, "handled")
    return NO_ROWS.at(position, observed, consequence)


def _no_rows_position(reply: Reply) -> str | None:
    if reply.error is None:
        return "records" if as_mapping(reply.data) else "list"
    if reply.code == "GSOBJ_1011":
        return "nothing_matches"
    return {200: "no_data", 400: "no_data_400"}.get(reply.status or 0)


def _has_case(text: str) -> bool:
    return text != text.swapcase() and text.swapcase().swapcase() == text


def _text(row: Record, field: str) -> str:
    lowered = {name.lower(): value for name, value in row.items()}
    value = lowered.get(field.lower())
    return value if isinstance(value, str) else ""
