"""Questions about updates and deletes: keys, matches and limits, lookups, refusals."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from target_gainsight.api import MAX_KEYS, MAX_RECORDS, Json, Record
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.probe.observations import NotSettledError, Observation, Topic
from target_gainsight.probe.session import Reply
from target_gainsight.probe.writing.marked_rows import GSID
from target_gainsight.probe.writing.trial import (
    ABSENT,
    CREATED,
    FIRST,
    SECOND,
    TOO_MANY,
    TWIN,
    UNTOUCHED,
    Trial,
)

_READS_FIRST = (
    "rows are read first and updated by GSID, so only a row deleted meanwhile is affected"
)
_NO_SUCH_CALL = "the target sends no such call"
_NARROWED = "a refused batch is narrowed by the listed fields, otherwise by halving"
_LOOKS_UP_ITSELF = "the target resolves lookups by reading, and sends GSIDs"

ROW_ORDER = Topic("row_order", "the response lists the records in the order in which they are sent")
BY_GSID = Topic(
    "keys_gsid_refused", "an update finds rows by keys=Gsid", "rows are updated by GSID", False
)
NO_MATCH = Topic(
    "put_without_match",
    "a key that matches nothing refuses the whole update",
    _READS_FIRST,
    "error",
)
NO_MATCH_CODE = Topic(
    "put_without_match_code", "that refusal has the code GSOBJ_1011", usual="GSOBJ_1011"
)
MULTI_MATCH = Topic(
    "put_multi_match",
    "a key that matches several rows updates all of them",
    _READS_FIRST,
    "update_all",
)
MISSING_KEY = Topic(
    "put_missing_key", "a record without one of the keys refuses the update", _NO_SUCH_CALL, "error"
)
MISSING_KEY_CODE = Topic(
    "put_missing_key_code", "that refusal has the code GSOBJ_1007", usual="GSOBJ_1007"
)
TOO_MANY_KEYS = Topic(
    "too_many_keys_code", "4 keys are refused with GSOBJ_1008", usual="GSOBJ_1008"
)
TOO_MANY_RECORDS = Topic(
    "too_many_records_code", "51 records are refused with GSOBJ_1008", usual="GSOBJ_1008"
)
ERROR_LISTING = Topic(
    "error_listing", "a refusal lists every bad field, grouped by record", _NARROWED, "nested"
)
ERROR_TAIL = Topic(
    "error_tail",
    "the description of a refusal ends in (Field = value)",
    "the target reads both forms",
    "spaced",
)
MUST_EXIST = Topic(
    "lookup_must_exist", "a link to a row that does not exist is refused", _LOOKS_UP_ITSELF, True
)
LOOKUP_CODE = Topic(
    "lookup_error_code",
    "a lookup in the body of a write that fails is GSOBJ_1008",
    _LOOKS_UP_ITSELF,
    "GSOBJ_1008",
)
DELETE_MISSING = Topic(
    "delete_missing",
    "the delete of a row that does not exist is HTTP 400 GSOBJ_1011",
    "rows are read before they are deleted, and looked up where the response is open",
    "nothing_matches",
)

_NO_CHANGE = "the object has neither a nullable text nor a number that could show the effect"
_TAIL = re.compile(r"\(\s*\w[\w.]*(?P<blank>\s*)=")
_DELETE_POSITIONS = {
    (400, "GSOBJ_1011"): "nothing_matches",
    (404, "GSOBJ_1011"): "not_found",
    (500, "GSOBJ_1003"): "delete_failed",
}
_COLUMN = "tg_probe_match"


def _compare_order(trial: Trial) -> Iterator[Observation]:
    """Compare the order of a response with that of the records that were sent."""
    rows = trial.rows.read(CREATED)
    sent = [str(rows[number][0][GSID]) for number in CREATED if rows[number]]
    listed = [str(row.get(GSID)) for row in trial.created]
    if not listed or sorted(listed) != sorted(sent):
        yield ROW_ORDER.not_settled("the response does not list the records by GSID")
    elif listed == sent:
        yield ROW_ORDER.settled("as assumed", "in the order sent")
    else:
        consequence = "it takes a row for another one; please report this profile"
        yield ROW_ORDER.settled("not handled", "in another order", consequence)


def _update_by_gsid(trial: Trial) -> Iterator[Observation]:
    reply = trial.rows.update_by_gsid(FIRST, trial.change(1))
    if reply.accepts():
        yield BY_GSID.at(False, "accepted")
    else:
        consequence = "rows are updated by the lookup keys"
        yield BY_GSID.at(True, f"refused: {reply.summary}", consequence)


def _update_without_match(trial: Trial) -> Iterator[Observation]:
    """Update two rows, and between them a key that was looked up and is not there."""
    change = trial.change(2)
    if trial.rows.read([ABSENT])[ABSENT] or not change:
        raise NotSettledError(_NO_CHANGE)
    reply = trial.rows.update([(FIRST, change), (ABSENT, change), (SECOND, change)])
    rows = trial.rows.read([FIRST, SECOND, ABSENT], tuple(change))
    changed = [_count_changed(rows[number], change) > 0 for number in (FIRST, SECOND)]
    if rows[ABSENT]:
        yield NO_MATCH.settled("handled", "the update created a row")
    elif reply.is_refused and not any(changed):
        observed = f"refused, the other records are not written: {reply.summary}"
        yield NO_MATCH.at("error", observed)
    elif reply.is_refused and all(changed):
        observed = f"refused, the other records are written: {reply.summary}"
        yield NO_MATCH.at("error_others_written", observed)
    elif reply.is_accepted and all(changed):
        yield NO_MATCH.at("ignore", "accepted, the other records are written")
    elif reply.error and not reply.is_refused:
        yield NO_MATCH.not_settled(reply.summary)
    else:
        observed = f"{sum(changed)} of the 2 other records are written: {reply.summary}"
        yield NO_MATCH.settled("handled", observed)
    yield _code_of(NO_MATCH_CODE, reply)


def _update_twins(trial: Trial) -> Iterator[Observation]:
    """Give a second row the key of another one, and update by that key."""
    change = trial.change(3)
    created = trial.rows.insert([(TWIN, trial.required)])
    if not created.is_accepted:
        message = f"a second record with the same key is refused: {created.summary}"
        raise NotSettledError(message)
    reply = trial.rows.update([(TWIN, change)])
    rows = trial.rows.read([TWIN], tuple(change))[TWIN]
    changed = _count_changed(rows, change)
    if reply.is_refused:
        yield MULTI_MATCH.at("error", f"refused: {reply.summary}")
    elif not change or len(rows) != 2 or not reply.is_accepted:  # noqa: PLR2004 - twins
        yield MULTI_MATCH.not_settled(_NO_CHANGE if reply.is_accepted else reply.summary)
    elif changed == 0:
        yield MULTI_MATCH.settled("handled", "accepted, and no row is updated")
    else:
        position = "update_all" if changed == len(rows) else "update_first"
        yield MULTI_MATCH.at(position, f"{changed} of 2 rows are updated")


def _count_changed(rows: list[Record], change: Record) -> int:
    return sum(bool(change) and change.items() <= row.items() for row in rows)


def _send_too_many_keys(trial: Trial) -> Iterator[Observation]:
    """Send four keys, the first of which has the mark; they are repeated if too few exist."""
    values = trial.further_keys
    trial.rows.update([(FIRST, values)])
    names = [*values, *[trial.rows.key] * MAX_KEYS][:MAX_KEYS]
    reply = trial.rows.update([(FIRST, values)], keys=names)
    yield _code_of(TOO_MANY_KEYS, reply, accepted="4 keys are accepted")


def _leave_out_key(trial: Trial) -> Iterator[Observation]:
    """Update by the mark and a second key that the record lacks."""
    name = next(iter(trial.further_keys), GSID)
    change = {each: value for each, value in trial.change(4).items() if each != name}
    reply = trial.rows.update([(FIRST, change)], keys=[name])
    if reply.accepts():
        yield MISSING_KEY.at("ignore", "accepted")
    else:
        yield MISSING_KEY.at("error", f"refused: {reply.summary}")
    yield _code_of(MISSING_KEY_CODE, reply)


def _send_too_many_records(trial: Trial) -> Iterator[Observation]:
    reply = trial.rows.insert([(number, trial.required) for number in TOO_MANY])
    if not reply.is_refused:
        trial.rows.read(TOO_MANY)
    yield _code_of(TOO_MANY_RECORDS, reply, accepted=f"{MAX_RECORDS + 1} records are accepted")


def _code_of(topic: Topic, reply: Reply, accepted: str = "") -> Observation:
    if accepted and reply.is_accepted:
        return topic.settled("handled", accepted, _NO_SUCH_CALL)
    if not reply.is_refused:
        return topic.not_settled(reply.summary if reply.error else "the call is not refused")
    if not reply.code:
        observed = f"the refusal has no code: {reply.summary}"
        return topic.settled("handled", observed, _NO_SUCH_CALL)
    return topic.at(reply.code, reply.summary)


def _send_bad_records(trial: Trial) -> Iterator[Observation]:
    """Send a record with two bad fields and one with one."""
    roles = ("number", "date", "datetime", "boolean", "picklist")
    typed = (trial.fields[role] for role in roles)
    bad = [(each.name, "not valid for probe") for each in typed if each]
    text = trial.fields["nullable text"]
    if text and text.length:
        bad.append((text.name, "x" * (text.length + 1)))
    reply = trial.rows.update([(FIRST, dict(bad[:2])), (SECOND, dict(bad[:1]))])
    if not reply.is_refused:
        accepted = "the tenant accepts values of the wrong type"
        raise NotSettledError(reply.summary if reply.error else accepted)
    yield _judge_listing(reply, fields=len(bad[:2]) + len(bad[:1]))
    tail = _TAIL.search((reply.error and reply.error.description) or "")
    if tail is None:
        yield ERROR_TAIL.settled("handled", "the description names no field", _NARROWED)
    elif tail["blank"]:
        yield ERROR_TAIL.at("spaced", "(Field = value)")
    else:
        yield ERROR_TAIL.at("tight", "(Field= value)")


def _judge_listing(reply: Reply, *, fields: int) -> Observation:
    """Settle which of the bad fields of two records a refusal lists."""
    errors = as_mapping(reply.data).get("errors")
    if not isinstance(errors, list) or not errors:
        return ERROR_LISTING.at("missing", f"no errors are listed: {reply.summary}")
    if all(isinstance(each, dict) for each in errors) and len(errors) == fields:
        return ERROR_LISTING.at("flat", "every bad field is listed, not grouped")
    groups = [len(each) for each in errors if isinstance(each, list)]
    if len(groups) == 2 and sum(groups) == fields:  # noqa: PLR2004 - the records
        return ERROR_LISTING.at("nested", "every bad field is listed by record")
    if groups == [1]:
        return ERROR_LISTING.at("first_only", "only the first bad field is listed")
    observed = f"{len(errors)} entries for 2 bad records with {fields} bad fields"
    return ERROR_LISTING.settled("handled", observed)


def _link_to_nothing(trial: Trial) -> Iterator[Observation]:
    """Write a GSID of the right object that no row has."""
    gsid = trial.linked_gsid
    if gsid is None:
        message = "the object has no lookup whose object has rows that can be read"
        raise NotSettledError(message)
    reply = trial.write("lookup", gsid[:4] + secrets.token_hex(16).upper())
    if reply.accepts():
        yield MUST_EXIST.at(False, "accepted", "GSIDs from a column are sent unchecked")
    else:
        yield MUST_EXIST.at(True, f"refused: {reply.summary}")


def _look_up_nothing(trial: Trial) -> Iterator[Observation]:
    """Let the tenant look up a text that no row has."""
    if trial.match_field is None:
        message = "the object has no lookup to an object with a text field"
        raise NotSettledError(message)
    field = trial.field("lookup")
    lookup: Json = {
        "fields": {_COLUMN: trial.match_field},
        "lookupField": GSID,
        "objectName": field.lookup_objects[0],
        "multiMatchOption": "FIRSTMATCH",
        "onNoMatch": "ERROR",
    }
    record: Record = {_COLUMN: f"tg-probe-{secrets.token_hex(16)}"}
    reply = trial.rows.update([(FIRST, record)], lookups={field.name: lookup})
    if reply.accepts():
        yield LOOKUP_CODE.settled("handled", "accepted without a match")
    elif reply.code:
        yield LOOKUP_CODE.at(reply.code, reply.summary)
    else:
        yield LOOKUP_CODE.not_settled(reply.summary)


def _delete_twice(trial: Trial) -> Iterator[Observation]:
    reply = trial.rows.delete_twice(UNTOUCHED)
    position = _DELETE_POSITIONS.get((reply.status or 0, reply.code or ""))
    if position:
        yield DELETE_MISSING.at(position, reply.summary)
    elif reply.status:
        yield DELETE_MISSING.settled("handled", reply.summary)
    else:
        yield DELETE_MISSING.not_settled(reply.summary)


QUESTIONS = {
    _compare_order: (ROW_ORDER,),
    _update_by_gsid: (BY_GSID,),
    _update_without_match: (NO_MATCH, NO_MATCH_CODE),
    _update_twins: (MULTI_MATCH,),
    _send_too_many_keys: (TOO_MANY_KEYS,),
    _leave_out_key: (MISSING_KEY, MISSING_KEY_CODE),
    _send_too_many_records: (TOO_MANY_RECORDS,),
    _send_bad_records: (ERROR_LISTING, ERROR_TAIL),
}
LAST_QUESTIONS = {
    _link_to_nothing: (MUST_EXIST,),
    _look_up_nothing: (LOOKUP_CODE,),
    _delete_twice: (DELETE_MISSING,),
}
"""The last one costs a row."""
