"""Questions about values: dates, numbers, labels, empty text and null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from target_gainsight.api import Json
from target_gainsight.mapping.types.datetimes import comparable_date
from target_gainsight.probe.observations import NotSettledError, Observation, Topic
from target_gainsight.probe.reading import rows as reading
from target_gainsight.probe.session import Reply
from target_gainsight.probe.writing.trial import DAY, FIRST, SECOND, UNTOUCHED, Trial, active_labels

_FORMAT_SETTING = "the target sends date_format, and tries the other format once"
_REPORT = "please report this profile"

DATE_FORMATS = Topic(
    "date_formats", "dates are accepted as YYYY-MM-DD and as MM-DD-YYYY", _FORMAT_SETTING, "both"
)
OTHER_DATE_FORMS = Topic("other_date_forms", "no other form of a date is needed", _FORMAT_SETTING)
DATE_VALUE = Topic("date_written", "a date is read back as the day that was written")
DATETIMES = Topic(
    "datetime_milliseconds_required",
    "a datetime is accepted with and without milliseconds",
    "datetimes are sent with milliseconds and offset",
    False,
)
NUMERIC_STRINGS = Topic(
    "numeric_strings", "a number is not accepted as text", "numbers are sent as numbers", False
)
LABEL_CASE = Topic(
    "picklist_ignores_case",
    "a label is not accepted in another case",
    "labels are checked against the picklist, ignoring blanks around them",
    False,
)
EMPTY_TEXT = Topic(
    "empty_text_written",
    "empty text is accepted and kept",
    "empty text is sent as it is, and null and empty text count as equal",
    "kept",
)
NULL = Topic("null_clears", "null clears a nullable field")

_OTHER_DATES: Mapping[str, Json] = {
    "MM/DD/YYYY": "01/27/2026",
    "ISO datetime": f"{DAY}T00:00:00.000Z",
    "epoch milliseconds": 1_769_472_000_000,
}


def _write_dates(trial: Trial) -> Iterator[Observation]:
    """Write the same day in both formats, to a row each."""
    iso = trial.write("date", DAY, FIRST)
    month_first = trial.write("date", "01-27-2026", SECOND)
    yield _judge_formats(iso, month_first)
    replies = {FIRST: iso, SECOND: month_first}
    accepted = [number for number, reply in replies.items() if reply.is_accepted]
    name = trial.field("date").name
    rows = trial.rows.read(accepted, [name]) if accepted else {}
    values = [row[name] for found in rows.values() for row in found if name in row]
    if not values:
        message = "no date was written and read"
        raise NotSettledError(message)
    yield reading.observe_dates(reading.DATES, values)
    days = {comparable_date(each) for each in values}
    if days == {DAY}:
        yield DATE_VALUE.settled("as assumed", "the same day")
    else:
        observed = "at a time that leaves the day open" if None in days else "another day"
        consequence = f"records with a date count as changed; {_REPORT}"
        yield DATE_VALUE.settled("not handled", observed, consequence)


def _judge_formats(iso: Reply, month_first: Reply) -> Observation:
    replies = (iso, month_first)
    refusal = next((each.summary for each in replies if each.is_refused), "")
    if not all(each.is_accepted or each.is_refused for each in replies):
        return DATE_FORMATS.not_settled("a call has no clear response")
    if not refusal:
        return DATE_FORMATS.at("both", "both formats are accepted")
    if iso.is_accepted:
        observed = f"only YYYY-MM-DD is accepted, the other is refused: {refusal}"
        return DATE_FORMATS.at("iso", observed)
    if month_first.is_accepted:
        observed = f"only MM-DD-YYYY is accepted, the other is refused: {refusal}"
        return DATE_FORMATS.at("mdy", observed)
    consequence = f"dates are rejected; {_REPORT}"
    return DATE_FORMATS.settled("not handled", f"both are refused: {refusal}", consequence)


def _write_other_dates(trial: Trial) -> Iterator[Observation]:
    replies = {name: trial.write("date", each, UNTOUCHED) for name, each in _OTHER_DATES.items()}
    accepted = [name for name, reply in replies.items() if reply.is_accepted]
    observed = ", ".join(accepted) or f"none of {', '.join(_OTHER_DATES)}"
    yield OTHER_DATE_FORMS.settled("as assumed", observed)


def _write_datetimes(trial: Trial) -> Iterator[Observation]:
    full = trial.write("datetime", f"{DAY}T10:20:30.000Z")
    short = trial.write("datetime", f"{DAY}T10:20:30Z")
    if full.is_refused:
        observed = f"a datetime with milliseconds is refused: {full.summary}"
        yield DATETIMES.settled("not handled", observed, _REPORT)
    elif not full.is_accepted or not (short.is_accepted or short.is_refused):
        yield DATETIMES.not_settled("a call has no clear response")
    elif short.is_accepted:
        yield DATETIMES.at(False, "both are accepted")
    else:
        yield DATETIMES.at(True, f"refused without milliseconds: {short.summary}")
    name = trial.field("datetime").name
    values = [row.get(name) for row in trial.rows.read([FIRST], [name])[FIRST]]
    if values and all(values):
        yield reading.observe_dates(reading.DATETIMES, values)


def _write_numeric_string(trial: Trial) -> Iterator[Observation]:
    yield _is_tolerated(NUMERIC_STRINGS, trial.write("number", "5"))


def _write_labels(trial: Trial) -> Iterator[Observation]:
    """Write a label as described, and one in a case that no label has."""
    field = trial.fields["picklist"]
    labels = active_labels(field) if field else ()
    label = next((each for each in labels if each.swapcase() not in labels), None)
    if label is None:
        message = "the object has no picklist whose labels are known and differ in case"
        raise NotSettledError(message)
    exact = trial.write("picklist", label)
    if exact.is_refused:
        observed = f"an active label is refused: {exact.summary}"
        yield LABEL_CASE.settled("not handled", observed, _REPORT)
    else:
        yield _is_tolerated(LABEL_CASE, trial.write("picklist", label.swapcase()))


def _is_tolerated(topic: Topic, reply: Reply) -> Observation:
    if reply.accepts():
        return topic.at(True, "accepted")
    return topic.at(False, f"refused: {reply.summary}")


def _clear_text(trial: Trial) -> Iterator[Observation]:
    """Write empty text and null to filled fields; compare with a row that was never filled."""
    name = trial.field("nullable text").name
    trial.rows.update([(number, {name: "filled"}) for number in (FIRST, SECOND)])
    empty = trial.write("nullable text", "", FIRST)
    null = trial.write("nullable text", None, SECOND)
    rows = trial.rows.read([FIRST, SECOND, UNTOUCHED], [name])
    never_filled, emptied, cleared = (
        rows[number][0].get(name) for number in (UNTOUCHED, FIRST, SECOND)
    )
    yield _judge_empty(empty, emptied, never_filled)
    if null.is_accepted and cleared == never_filled:
        yield NULL.settled("as assumed", "cleared")
    elif null.error and not null.is_refused:
        yield NULL.not_settled(null.summary)
    else:
        consequence = f"fields stay filled; {_REPORT}"
        yield NULL.settled("not handled", f"not cleared: {null.summary}", consequence)
    if never_filled in {None, ""}:
        form = "null" if never_filled is None else "blank"
        yield reading.EMPTY_TEXT.at(form, form)


def _judge_empty(reply: Reply, value: Json, never_filled: Json) -> Observation:
    if reply.is_refused:
        consequence = "its records are rejected; map empty text to null, and report this profile"
        return EMPTY_TEXT.settled("not handled", f"refused: {reply.summary}", consequence)
    if not reply.is_accepted or value not in {"", None}:
        return EMPTY_TEXT.not_settled(reply.summary if reply.error else "the text is not cleared")
    if never_filled == "":
        return EMPTY_TEXT.settled("handled", "accepted; all empty text is read alike")
    if value is None:
        return EMPTY_TEXT.at("cleared", "accepted, and read as null")
    return EMPTY_TEXT.at("kept", "accepted, and read as empty text")


QUESTIONS = {
    _write_dates: (DATE_FORMATS, DATE_VALUE, reading.DATES),
    _write_other_dates: (OTHER_DATE_FORMS,),
    _write_datetimes: (DATETIMES, reading.DATETIMES),
    _write_numeric_string: (NUMERIC_STRINGS,),
    _write_labels: (LABEL_CASE,),
    _clear_text: (EMPTY_TEXT, NULL, reading.EMPTY_TEXT),
}
