"""Questions about updates: their keys, matches and limits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from target_gainsight.api import MAX_KEYS, MAX_RECORDS, Json, Record
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.session import Reply
from target_gainsight.probe.survey import Question
from target_gainsight.probe.writing.marked_rows import GSID, listed_rows
from target_gainsight.probe.writing.trial import (
    ABSENT,
    CREATED,
    FIRST,
    SECOND,
    TOO_MANY,
    TWIN,
    Trial,
    has_change,
    is_accepted,
    is_refused,
)

ROW_ORDER = Topic("row_order", "the response lists the records in the order in which they are sent")
BY_GSID = Topic("keys_gsid_refused", "an update finds rows by keys=Gsid", usual=False)
NO_MATCH = Topic(
    "put_without_match", "a key that matches nothing refuses the whole update", usual="error"
)
NO_MATCH_CODE = Topic(
    "put_without_match_code", "that refusal has the code GSOBJ_1011", usual="GSOBJ_1011"
)
MULTI_MATCH = Topic(
    "put_multi_match", "a key that matches several rows updates all of them", usual="update_all"
)
MISSING_KEY = Topic(
    "put_missing_key", "a record without one of the keys refuses the update", usual="error"
)
MISSING_KEY_CODE = Topic(
    "put_missing_key_code", "that refusal has the code GSOBJ_1007", usual="GSOBJ_1007"
)
TOO_MANY_KEYS = Topic("too_many_keys_code", "4 keys are refused with GSOBJ_1008", "GSOBJ_1008")
TOO_MANY_RECORDS = Topic(
    "too_many_records_code", "51 records are refused with GSOBJ_1008", "GSOBJ_1008"
)

_READS_FIRST = (
    "rows are read first and updated by GSID, so only a row deleted meanwhile is affected"
)
_NO_SUCH_CALL = "the target sends no such call"
_NO_CHANGE = "the object has neither a nullable text nor a number that could show the effect"
_NO_CODE = "the refusal has no code"
_KEY_TEXT, _KEY_NUMBER = "probe key", 5


def key_questions(trial: Trial, created: Reply) -> tuple[Question, ...]:
    """Return the questions about updates, after the response to the creation of the records."""
    return (
        Question((ROW_ORDER,), partial(_compare_order, trial, created)),
        Question((BY_GSID,), partial(_update_by_gsid, trial)),
        Question((NO_MATCH, NO_MATCH_CODE), partial(_update_without_match, trial)),
        Question((MULTI_MATCH,), partial(_update_twins, trial)),
        Question((TOO_MANY_KEYS,), partial(_send_too_many_keys, trial)),
        Question((MISSING_KEY, MISSING_KEY_CODE), partial(_leave_out_key, trial)),
        Question((TOO_MANY_RECORDS,), partial(_send_too_many_records, trial)),
    )


def _compare_order(trial: Trial, created: Reply) -> Iterator[Observation]:
    """Compare the order of a response with that of the records that were sent."""
    rows = trial.rows.read(CREATED)
    sent = [rows[number][0][GSID] for number in CREATED if rows[number]]
    listed = [row.get(GSID) for row in listed_rows(created)]
    if not listed or sorted(map(str, listed)) != sorted(map(str, sent)):
        yield ROW_ORDER.not_settled("the response does not list the records by GSID")
    elif listed == sent:
        yield ROW_ORDER.settled("in the order sent", "nothing changes", "as assumed")
    else:
        consequence = "it takes a row for another one; please report this profile"
        yield ROW_ORDER.settled("in another order", consequence, "not handled")


def _update_by_gsid(trial: Trial) -> Iterator[Observation]:
    row = trial.rows.read([FIRST])[FIRST][0]
    reply = trial.rows.update_by_gsid(str(row[GSID]), trial.fields.change(1))
    if is_accepted(reply):
        yield BY_GSID.at(False, "accepted", "rows are updated by GSID")
    elif is_refused(reply):
        yield BY_GSID.at(True, f"refused: {reply.summary}", "rows are updated by the lookup keys")
    else:
        yield BY_GSID.not_settled(reply.summary)


def _update_without_match(trial: Trial) -> Iterator[Observation]:
    """Update two rows, and between them a key that was looked up and is not there."""
    change = trial.fields.change(2)
    if trial.rows.read([ABSENT])[ABSENT] or not change:
        yield from (topic.not_settled(_NO_CHANGE) for topic in (NO_MATCH, NO_MATCH_CODE))
        return
    reply = trial.rows.update([(FIRST, change), (ABSENT, change), (SECOND, change)])
    rows = trial.rows.read([FIRST, SECOND, ABSENT], tuple(change))
    changed = [any(has_change(row, change) for row in rows[n]) for n in (FIRST, SECOND)]
    yield _judge_no_match(reply, changed, appeared=bool(rows[ABSENT]))
    yield _code_of(NO_MATCH_CODE, reply)


def _judge_no_match(reply: Reply, changed: list[bool], *, appeared: bool) -> Observation:
    if appeared:
        return NO_MATCH.settled("the update created a row", _READS_FIRST, "handled")
    if is_refused(reply) and not any(changed):
        observed = f"refused, the other records are not written: {reply.summary}"
        return NO_MATCH.at("error", observed, _READS_FIRST)
    if is_refused(reply) and all(changed):
        observed = f"refused, the other records are written: {reply.summary}"
        return NO_MATCH.at("error_others_written", observed, _READS_FIRST)
    if is_accepted(reply) and all(changed):
        return NO_MATCH.at("ignore", "accepted, the other records are written", _READS_FIRST)
    if reply.error and not is_refused(reply):
        return NO_MATCH.not_settled(reply.summary)
    observed = f"{sum(changed)} of the 2 other records are written: {reply.summary}"
    return NO_MATCH.settled(observed, _READS_FIRST, "handled")


def _update_twins(trial: Trial) -> Iterator[Observation]:
    """Give a second row the key of another one, and update by that key."""
    change = trial.fields.change(3)
    created = trial.rows.insert([(TWIN, trial.required)])
    if not is_accepted(created):
        reason = f"a second record with the same key is refused: {created.summary}"
        yield MULTI_MATCH.not_settled(reason)
        return
    reply = trial.rows.update([(TWIN, change)])
    rows = trial.rows.read([TWIN], tuple(change))[TWIN]
    changed = sum(has_change(row, change) for row in rows)
    if is_refused(reply):
        yield MULTI_MATCH.at("error", f"refused: {reply.summary}", _READS_FIRST)
    elif not change or len(rows) != 2 or not is_accepted(reply):  # noqa: PLR2004 - twins
        yield MULTI_MATCH.not_settled(_NO_CHANGE if is_accepted(reply) else reply.summary)
    elif changed == 0:
        yield MULTI_MATCH.settled("accepted, and no row is updated", _READS_FIRST, "handled")
    else:
        position = "update_all" if changed == len(rows) else "update_first"
        yield MULTI_MATCH.at(position, f"{changed} of 2 rows are updated", _READS_FIRST)


def _send_too_many_keys(trial: Trial) -> Iterator[Observation]:
    """Send four keys, the first of which has the mark; they are repeated if too few exist."""
    values: dict[str, Json] = {
        each.name: _KEY_NUMBER if each is trial.fields.number else _KEY_TEXT
        for each in trial.fields.further_keys
    }
    trial.rows.update([(FIRST, values)])
    names = [*values, *[trial.rows.key] * MAX_KEYS][:MAX_KEYS]
    reply = trial.rows.update([(FIRST, values)], keys=names)
    yield _judge_excess(TOO_MANY_KEYS, reply, "4 keys are accepted")


def _leave_out_key(trial: Trial) -> Iterator[Observation]:
    """Update by the mark and a second key that the record lacks."""
    name = next((each.name for each in trial.fields.further_keys), GSID)
    change = {each: value for each, value in trial.fields.change(4).items() if each != name}
    reply = trial.rows.update([(FIRST, change)], keys=[name])
    if is_refused(reply):
        yield MISSING_KEY.at("error", f"refused: {reply.summary}", _NO_SUCH_CALL)
    elif is_accepted(reply):
        yield MISSING_KEY.at("ignore", "accepted", _NO_SUCH_CALL)
    else:
        yield MISSING_KEY.not_settled(reply.summary)
    yield _code_of(MISSING_KEY_CODE, reply)


def _send_too_many_records(trial: Trial) -> Iterator[Observation]:
    records: list[tuple[int, Record]] = [(number, trial.required) for number in TOO_MANY]
    reply = trial.rows.insert(records)
    if not is_refused(reply):
        trial.rows.read(TOO_MANY)
    accepted = f"{MAX_RECORDS + 1} records are accepted"
    yield _judge_excess(TOO_MANY_RECORDS, reply, accepted)


def _judge_excess(topic: Topic, reply: Reply, accepted: str) -> Observation:
    if is_accepted(reply):
        return topic.settled(accepted, _NO_SUCH_CALL, "handled")
    return _code_of(topic, reply)


def _code_of(topic: Topic, reply: Reply) -> Observation:
    if not is_refused(reply):
        return topic.not_settled("the call is not refused" if not reply.error else reply.summary)
    if not reply.code:
        return topic.settled(f"{_NO_CODE}: {reply.summary}", _NO_SUCH_CALL, "handled")
    return topic.at(reply.code, reply.summary, "nothing changes")
