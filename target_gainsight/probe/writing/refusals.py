"""Questions about refusals: which records a response lists, and how its text names the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from target_gainsight.api import Json
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.session import Reply
from target_gainsight.probe.survey import Question
from target_gainsight.probe.writing.field_mapping import ProbeFields
from target_gainsight.probe.writing.trial import FIRST, SECOND, Trial, is_refused

ERROR_LISTING = Topic(
    "error_listing", "a refusal lists every bad field, grouped by record", usual="nested"
)
ERROR_TAIL = Topic(
    "error_tail", "the description of a refusal ends in (Field = value)", usual="spaced"
)

_TAIL = re.compile(r"\(\s*\w[\w.]*(?P<blank>\s*)=")
_NARROWED = "a refused batch is narrowed by the listed fields, otherwise by halving"
_BOTH_READ = "the target reads both forms"
_BAD_RECORDS = 2


def refusal_questions(trial: Trial) -> tuple[Question, ...]:
    """Return the questions about refusals."""
    return (Question((ERROR_LISTING, ERROR_TAIL), partial(_send_bad_records, trial)),)


def _send_bad_records(trial: Trial) -> Iterator[Observation]:
    """Send a record with two bad fields and one with one."""
    bad = _bad_values(trial.fields)
    first, second = dict(bad[:2]), dict(bad[:1])
    reply = trial.rows.update([(FIRST, first), (SECOND, second)])
    if not is_refused(reply):
        reason = reply.summary if reply.error else "the tenant accepts values of the wrong type"
        yield from (topic.not_settled(reason) for topic in (ERROR_LISTING, ERROR_TAIL))
        return
    yield _judge_listing(reply, fields=len(first) + len(second))
    yield _judge_tail(reply)


def _bad_values(fields: ProbeFields) -> list[tuple[str, Json]]:
    """Return fields with values that no tenant should accept."""
    typed = (fields.number, fields.date, fields.datetime, fields.boolean, fields.picklist)
    bad: list[tuple[str, Json]] = [(each.name, "not valid for probe") for each in typed if each]
    if fields.text and fields.text.length:
        bad.append((fields.text.name, "x" * (fields.text.length + 1)))
    return bad


def _judge_listing(reply: Reply, *, fields: int) -> Observation:
    errors = reply.data.get("errors") if isinstance(reply.data, dict) else None
    if not isinstance(errors, list) or not errors:
        return ERROR_LISTING.at("missing", f"no errors are listed: {reply.summary}", _NARROWED)
    if all(isinstance(each, dict) for each in errors) and len(errors) == fields:
        return ERROR_LISTING.at("flat", "every bad field is listed, not grouped", _NARROWED)
    groups = [len(each) for each in errors if isinstance(each, list)]
    if len(groups) == _BAD_RECORDS and sum(groups) == fields:
        return ERROR_LISTING.at("nested", "every bad field is listed by record", _NARROWED)
    if groups == [1]:
        return ERROR_LISTING.at("first_only", "only the first bad field is listed", _NARROWED)
    observed = f"{len(errors)} entries for {_BAD_RECORDS} bad records with {fields} bad fields"
    return ERROR_LISTING.settled(observed, _NARROWED, "handled")


def _judge_tail(reply: Reply) -> Observation:
    tail = _TAIL.search(reply.description)
    if tail is None:
        return ERROR_TAIL.settled("the description names no field", _NARROWED, "handled")
    if tail["blank"]:
        return ERROR_TAIL.at("spaced", "(Field = value)", _BOTH_READ)
    return ERROR_TAIL.at("tight", "(Field= value)", _BOTH_READ)
