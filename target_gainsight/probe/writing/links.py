"""Questions about lookups: GSIDs of rows that do not exist, and lookups that find nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import partial

from target_gainsight.api import Json, Record
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.survey import Question
from target_gainsight.probe.writing.marked_rows import GSID
from target_gainsight.probe.writing.trial import FIRST, Trial, is_accepted, is_refused

MUST_EXIST = Topic("lookup_must_exist", "a link to a row that does not exist is refused", True)
ERROR_CODE = Topic(
    "lookup_error_code", "a lookup in the body of a write that fails is GSOBJ_1008", "GSOBJ_1008"
)

_PREFIX_CHARACTERS = 4
_RANDOM_BYTES = 16
_COLUMN = "tg_probe_match"
_NO_LOOKUP = "the object has no lookup whose object has rows that can be read"
_NO_TEXT = "the object has no lookup to an object with a text field"
_LOOKS_UP_ITSELF = "the target resolves lookups by reading, and sends GSIDs"


def link_questions(trial: Trial) -> tuple[Question, ...]:
    """Return the questions about lookups."""
    return (
        Question((MUST_EXIST,), partial(_link_to_nothing, trial)),
        Question((ERROR_CODE,), partial(_look_up_nothing, trial)),
    )


def _link_to_nothing(trial: Trial) -> Iterator[Observation]:
    """Write a GSID of the right object that no row has."""
    field, gsid = trial.fields.lookup, trial.linked_gsid
    if field is None or gsid is None:
        yield MUST_EXIST.not_settled(_NO_LOOKUP)
        return
    random = secrets.token_hex(_RANDOM_BYTES).upper()
    reply = trial.rows.update([(FIRST, {field.name: gsid[:_PREFIX_CHARACTERS] + random})])
    if is_accepted(reply):
        yield MUST_EXIST.at(False, "accepted", "GSIDs from a column are sent unchecked")
    elif is_refused(reply):
        yield MUST_EXIST.at(True, f"refused: {reply.summary}", _LOOKS_UP_ITSELF)
    else:
        yield MUST_EXIST.not_settled(reply.summary)


def _look_up_nothing(trial: Trial) -> Iterator[Observation]:
    """Let the tenant look up a text that no row has."""
    field = trial.fields.lookup
    if field is None or trial.match_field is None:
        yield ERROR_CODE.not_settled(_NO_TEXT)
        return
    lookup: Json = {
        "fields": {_COLUMN: trial.match_field},
        "lookupField": GSID,
        "objectName": field.lookup_objects[0],
        "multiMatchOption": "FIRSTMATCH",
        "onNoMatch": "ERROR",
    }
    record: Record = {_COLUMN: f"tg-probe-{secrets.token_hex(_RANDOM_BYTES)}"}
    reply = trial.rows.update([(FIRST, record)], lookups={field.name: lookup})
    if is_accepted(reply):
        yield ERROR_CODE.settled("accepted without a match", _LOOKS_UP_ITSELF, "handled")
    elif is_refused(reply) and reply.code:
        yield ERROR_CODE.at(reply.code, reply.summary, _LOOKS_UP_ITSELF)
    else:
        yield ERROR_CODE.not_settled(reply.summary)
