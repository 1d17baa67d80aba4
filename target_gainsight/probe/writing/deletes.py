"""The question about deletes: how the tenant refuses to delete a row that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.survey import Question
from target_gainsight.probe.writing.marked_rows import GSID
from target_gainsight.probe.writing.trial import UNTOUCHED, Trial

MISSING = Topic(
    "delete_missing",
    "the delete of a row that does not exist is HTTP 400 GSOBJ_1011",
    usual="nothing_matches",
)

_POSITIONS = {
    (400, "GSOBJ_1011"): "nothing_matches",
    (404, "GSOBJ_1011"): "not_found",
    (500, "GSOBJ_1003"): "delete_failed",
}
_LOOKED_UP = "rows are read before they are deleted, and looked up where the response is open"


def delete_questions(trial: Trial) -> tuple[Question, ...]:
    """Return the question about deletes, which costs a row: ask it last."""
    return (Question((MISSING,), partial(_delete_twice, trial)),)


def _delete_twice(trial: Trial) -> Iterator[Observation]:
    row = trial.rows.read([UNTOUCHED])[UNTOUCHED][0]
    reply = trial.rows.delete_twice(str(row[GSID]))
    position = _POSITIONS.get((reply.status or 0, reply.code or ""))
    if position:
        yield MISSING.at(position, reply.summary, _LOOKED_UP)
    elif reply.status:
        yield MISSING.settled(reply.summary, _LOOKED_UP, "handled")
    else:
        yield MISSING.not_settled(reply.summary)
