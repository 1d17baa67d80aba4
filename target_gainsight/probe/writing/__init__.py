"""Questions that take writes, to an object that the user names, or to a person.

`marked_rows.py` alone writes to the object; `plan.py` plans by reads alone.
"""

from __future__ import annotations

from dataclasses import replace

from target_gainsight.probe.observations import Observation, ask
from target_gainsight.probe.writing import updates, values
from target_gainsight.probe.writing.marked_rows import listed_rows
from target_gainsight.probe.writing.plan import UnsuitableForProbeError
from target_gainsight.probe.writing.trial import CREATED, DAY, Trial

_BAD_DATE = "GSOBJ_1006"
WRITE_QUESTIONS = {**updates.QUESTIONS, **values.QUESTIONS, **updates.LAST_QUESTIONS}


def run_writes(trial: Trial) -> tuple[Observation, ...]:
    """Ask the write questions, and delete every record of this and earlier probes.

    An error or a signal ends the questions early; the records are deleted all the same.

    Raises:
        UnsuitableForProbeError: The object does not accept the probe's records.
        GainsightError: No further call can succeed.
        SystemExit: A signal ends the probe.
    """
    try:
        if trial.leftovers:
            trial.rows.delete_all()
        return ask(WRITE_QUESTIONS.items(), _create(trial))
    finally:
        trial.rows.delete_all()


def _create(trial: Trial) -> Trial:
    """Create the rows; dates that a new record needs are written in the format that is accepted.

    Raises:
        UnsuitableForProbeError: They are not created.
    """
    rows = trial.rows
    reply = rows.insert([(number, trial.required) for number in CREATED])
    dates = {name: "01-27-2026" for name, value in trial.required.items() if value == DAY}
    if reply.code == _BAD_DATE and dates:
        trial = replace(trial, required={**trial.required, **dates})
        reply = rows.insert([(number, trial.required) for number in CREATED])
    if not reply.is_accepted:
        refusal = "does not accept" if reply.is_refused else "does not confirm"
        reason = reply.error or reply.summary
        message = f"{rows.object_name} {refusal} the probe's records: {reason}"
        raise UnsuitableForProbeError(message)
    return replace(trial, created=listed_rows(reply))
