"""Questions about values: dates, numbers, labels, empty text, null and links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial

from target_gainsight.api import Json
from target_gainsight.mapping.types.datetimes import comparable_date
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading import rows as reading
from target_gainsight.probe.session import Reply
from target_gainsight.probe.survey import Question
from target_gainsight.probe.writing.trial import (
    FIRST,
    SECOND,
    UNTOUCHED,
    Trial,
    is_accepted,
    is_refused,
)

DATE_FORMATS = Topic(
    "date_formats", "dates are accepted as YYYY-MM-DD and as MM-DD-YYYY", usual="both"
)
OTHER_DATE_FORMS = Topic("other_date_forms", "no other form of a date is needed")
DATE_VALUE = Topic("date_written", "a date is read back as the day that was written")
DATETIMES = Topic(
    "datetime_milliseconds_required",
    "a datetime is accepted with and without milliseconds",
    usual=False,
)
NUMERIC_STRINGS = Topic("numeric_strings", "a number is not accepted as text", usual=False)
LABEL_CASE = Topic("picklist_ignores_case", "a label is not accepted in another case", usual=False)
EMPTY_TEXT = Topic("empty_text_written", "empty text is accepted and kept", usual="kept")
NULL = Topic("null_clears", "null clears a nullable field")
_DATES = (DATE_FORMATS, DATE_VALUE, reading.DATES)
_TEXTS = (EMPTY_TEXT, NULL, reading.EMPTY_TEXT)

_NO_DATE, _NO_DATETIME = "the object has no date", "the object has no datetime"
_NO_NUMBER, _NO_TEXT = "the object has no number", "the object has no nullable text"
_NO_LABEL = "the object has no picklist whose labels are known and differ in case"
_DAY = date(2026, 1, 27)
_DATE_FORMS: Mapping[str, Json] = {
    "MM/DD/YYYY": "01/27/2026",
    "ISO datetime": "2026-01-27T00:00:00.000Z",
    "epoch milliseconds": 1_769_472_000_000,
}
_FORMAT_SETTING = "the target sends date_format, and tries the other format once"
_LABELS_AS_SENT = "labels are checked against the picklist, ignoring blanks around them"


def value_questions(trial: Trial) -> tuple[Question, ...]:
    """Return the questions about values."""
    return (
        Question(_DATES, partial(_write_dates, trial)),
        Question((OTHER_DATE_FORMS,), partial(_write_other_dates, trial)),
        Question((DATETIMES, reading.DATETIMES), partial(_write_datetimes, trial)),
        Question((NUMERIC_STRINGS,), partial(_write_numeric_string, trial)),
        Question((LABEL_CASE,), partial(_write_labels, trial)),
        Question(_TEXTS, partial(_clear_text, trial)),
    )


def _write_dates(trial: Trial) -> Iterator[Observation]:
    """Write the same day in both formats, to a row each."""
    field = trial.fields.date
    if field is None:
        yield from (topic.not_settled(_NO_DATE) for topic in _DATES)
        return
    sent = {FIRST: ("iso", _DAY.isoformat()), SECOND: ("mdy", _DAY.strftime("%m-%d-%Y"))}
    replies = {n: trial.rows.update([(n, {field.name: text})]) for n, (_, text) in sent.items()}
    accepted = [number for number, reply in replies.items() if is_accepted(reply)]
    yield _judge_formats([sent[number][0] for number in accepted], list(replies.values()))
    rows = trial.rows.read(accepted, [field.name]) if accepted else {}
    values = [row[field.name] for found in rows.values() for row in found if field.name in row]
    yield _judge_days(values)
    if values:
        yield reading.observe_dates(values)


def _judge_formats(accepted: list[str], replies: Sequence[Reply]) -> Observation:
    refusal = next((each.summary for each in replies if is_refused(each)), "")
    if not all(is_accepted(each) or is_refused(each) for each in replies):
        return DATE_FORMATS.not_settled("a call has no clear response")
    if len(accepted) == len(replies):
        return DATE_FORMATS.at("both", "both formats are accepted", _FORMAT_SETTING)
    if not accepted:
        consequence = "dates are rejected; please report this profile"
        return DATE_FORMATS.settled(f"both are refused: {refusal}", consequence, "not handled")
    name = {"iso": "YYYY-MM-DD", "mdy": "MM-DD-YYYY"}[accepted[0]]
    observed = f"only {name} is accepted, the other is refused: {refusal}"
    return DATE_FORMATS.at(accepted[0], observed, _FORMAT_SETTING)


def _judge_days(values: list[Json]) -> Observation:
    days = {comparable_date(each) for each in values}
    if not days:
        return DATE_VALUE.not_settled("no date was written and read")
    if days == {_DAY.isoformat()}:
        return DATE_VALUE.settled("the same day", "nothing changes", "as assumed")
    observed = "at a time that leaves the day open" if None in days else "another day"
    consequence = "records with a date count as changed; please report this profile"
    return DATE_VALUE.settled(observed, consequence, "not handled")


def _write_other_dates(trial: Trial) -> Iterator[Observation]:
    field = trial.fields.date
    if field is None:
        yield OTHER_DATE_FORMS.not_settled(_NO_DATE)
        return
    accepted = [
        name
        for name, value in _DATE_FORMS.items()
        if is_accepted(trial.rows.update([(UNTOUCHED, {field.name: value})]))
    ]
    observed = ", ".join(accepted) or "none of MM/DD/YYYY, ISO datetime, epoch milliseconds"
    yield OTHER_DATE_FORMS.settled(observed, _FORMAT_SETTING, "as assumed")


def _write_datetimes(trial: Trial) -> Iterator[Observation]:
    field = trial.fields.datetime
    if field is None:
        yield from (topic.not_settled(_NO_DATETIME) for topic in (DATETIMES, reading.DATETIMES))
        return
    texts = ("2026-01-27T10:20:30.000Z", "2026-01-27T10:20:30Z")
    full, short = (trial.rows.update([(FIRST, {field.name: text})]) for text in texts)
    yield _judge_datetimes(full, short)
    values = [row.get(field.name) for row in trial.rows.read([FIRST], [field.name])[FIRST]]
    if values and all(values):
        yield reading.observe_datetimes(values)


def _judge_datetimes(full: Reply, short: Reply) -> Observation:
    consequence = "datetimes are sent with milliseconds and offset"
    if is_refused(full):
        observed = f"a datetime with milliseconds is refused: {full.summary}"
        return DATETIMES.settled(observed, "please report this profile", "not handled")
    if not is_accepted(full) or not (is_accepted(short) or is_refused(short)):
        return DATETIMES.not_settled("a call has no clear response")
    if is_accepted(short):
        return DATETIMES.at(False, "both are accepted", consequence)
    return DATETIMES.at(True, f"refused without milliseconds: {short.summary}", consequence)


def _write_numeric_string(trial: Trial) -> Iterator[Observation]:
    field = trial.fields.number
    if field is None:
        yield NUMERIC_STRINGS.not_settled(_NO_NUMBER)
        return
    reply = trial.rows.update([(FIRST, {field.name: "5"})])
    yield _accepts(NUMERIC_STRINGS, reply, "numbers are sent as numbers")


def _write_labels(trial: Trial) -> Iterator[Observation]:
    """Write a label as described, and one in a case that no label has."""
    field = trial.fields.picklist
    labels = trial.fields.labels
    swapped = {each: each.swapcase() for each in labels if each.swapcase() not in labels}
    if field is None or not swapped:
        yield LABEL_CASE.not_settled(_NO_LABEL)
        return
    label = next(iter(swapped))
    exact = trial.rows.update([(FIRST, {field.name: label})])
    if is_refused(exact):
        observed = f"an active label is refused: {exact.summary}"
        yield LABEL_CASE.settled(observed, "please report this profile", "not handled")
        return
    reply = trial.rows.update([(FIRST, {field.name: swapped[label]})])
    yield _accepts(LABEL_CASE, reply, _LABELS_AS_SENT)


def _accepts(topic: Topic, reply: Reply, consequence: str) -> Observation:
    """Return whether a switch that stands for tolerance is on."""
    if is_accepted(reply):
        return topic.at(True, "accepted", consequence)
    if is_refused(reply):
        return topic.at(False, f"refused: {reply.summary}", consequence)
    return topic.not_settled(reply.summary)


def _clear_text(trial: Trial) -> Iterator[Observation]:
    """Write empty text and null to filled fields; compare with a row that was never filled."""
    field = trial.fields.text
    if field is None:
        yield from (topic.not_settled(_NO_TEXT) for topic in _TEXTS)
        return
    trial.rows.update([(number, {field.name: "filled"}) for number in (FIRST, SECOND)])
    empty = trial.rows.update([(FIRST, {field.name: ""})])
    null = trial.rows.update([(SECOND, {field.name: None})])
    rows = trial.rows.read([FIRST, SECOND, UNTOUCHED], [field.name])
    never_filled, emptied, cleared = (
        rows[number][0].get(field.name) for number in (UNTOUCHED, FIRST, SECOND)
    )
    yield _judge_empty(empty, emptied, never_filled)
    yield _judge_null(null, cleared, never_filled)
    if never_filled in {None, ""}:
        name = "null" if never_filled is None else "blank"
        yield reading.EMPTY_TEXT.at(name, name, "null and blank count as the same")


def _judge_empty(reply: Reply, value: Json, never_filled: Json) -> Observation:
    consequence = "empty text is sent as it is, and null and empty text count as equal"
    if is_refused(reply):
        observed = f"refused: {reply.summary}"
        advice = "its records are rejected; map empty text to null, and report this profile"
        return EMPTY_TEXT.settled(observed, advice, "not handled")
    if not is_accepted(reply) or value not in {"", None}:
        return EMPTY_TEXT.not_settled(reply.summary if reply.error else "the text is not cleared")
    if never_filled == "":
        return EMPTY_TEXT.settled("accepted; all empty text is read alike", consequence, "handled")
    if value is None:
        return EMPTY_TEXT.at("cleared", "accepted, and read as null", consequence)
    return EMPTY_TEXT.at("kept", "accepted, and read as empty text", consequence)


def _judge_null(reply: Reply, value: Json, never_filled: Json) -> Observation:
    if is_accepted(reply) and value == never_filled:
        return NULL.settled("cleared", "nothing changes", "as assumed")
    if reply.error and not is_refused(reply):
        return NULL.not_settled(reply.summary)
    observed = f"not cleared: {reply.summary}"
    return NULL.settled(observed, "fields stay filled; please report this profile", "not handled")
