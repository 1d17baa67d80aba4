"""Runs a planned probe: deletes leftovers, asks the questions, and deletes what it has created."""

from __future__ import annotations

from dataclasses import dataclass, replace

from target_gainsight.api import GainsightError
from target_gainsight.probe.observations import Observation
from target_gainsight.probe.session import Reply
from target_gainsight.probe.survey import ask
from target_gainsight.probe.writing.deletes import delete_questions
from target_gainsight.probe.writing.interruption import InterruptedProbeError
from target_gainsight.probe.writing.keys import key_questions
from target_gainsight.probe.writing.links import link_questions
from target_gainsight.probe.writing.plan import WritePlan
from target_gainsight.probe.writing.refusals import refusal_questions
from target_gainsight.probe.writing.trial import CREATED, Trial, is_accepted, is_refused
from target_gainsight.probe.writing.values import value_questions

_MONTH_FIRST = "01-27-2026"
_BAD_DATE = "GSOBJ_1006"


class NotCreatedError(Exception):
    """The probe's records were not created; the message has the reason."""


@dataclass(frozen=True)
class WriteReport:
    """What a probe found out and left behind.

    Attributes:
        observations: The observations; empty if the probe was stopped.
        left: The GSIDs of created records that are not deleted, or may not be.
        may_appear: Whether a record may still appear, because a create had no clear response.
        stopped: Why the probe ended early, if it did.
    """

    observations: tuple[Observation, ...]
    left: tuple[str, ...]
    may_appear: bool
    stopped: Exception | None


def run_writes(plan: WritePlan) -> WriteReport:
    """Ask the write questions, and delete every record of this and earlier probes.

    An error or a signal ends the questions early; the records are deleted all the same.
    """
    rows = plan.trial.rows
    observations: tuple[Observation, ...] = ()
    stopped: Exception | None = None
    left: tuple[str, ...] = ()
    try:
        if plan.leftovers:
            rows.delete_all()
        observations = _ask(plan.trial)
    except (GainsightError, NotCreatedError, InterruptedProbeError) as error:
        stopped = error
    finally:
        left = rows.delete_all()
    return WriteReport(observations, left, rows.may_appear, stopped)


def _ask(trial: Trial) -> tuple[Observation, ...]:
    trial, created = _create(trial)
    questions = (
        *key_questions(trial, created),
        *refusal_questions(trial),
        *value_questions(trial),
        *link_questions(trial),
        *delete_questions(trial),
    )
    return ask(questions)


def _create(trial: Trial) -> tuple[Trial, Reply]:
    """Create the rows; dates that a new record needs are written in the format that is accepted.

    Raises:
        NotCreatedError: They are not created.
    """
    reply = trial.rows.insert([(number, trial.required) for number in CREATED])
    dates = dict.fromkeys(trial.fields.required_dates, _MONTH_FIRST)
    if not is_accepted(reply) and reply.code == _BAD_DATE and dates:
        trial = replace(trial, required={**trial.required, **dates})
        reply = trial.rows.insert([(number, trial.required) for number in CREATED])
    if not is_accepted(reply):
        name = trial.rows.object_name
        refusal = "does not accept" if is_refused(reply) else "does not confirm"
        message = f"{name} {refusal} the probe's records: {reply.error or reply.summary}"
        raise NotCreatedError(message)
    return trial, reply
