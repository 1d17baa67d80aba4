"""Sends an existing person its own values again, to see the shape of the response."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from target_gainsight.api import Json, Record, UnreadableFieldError, is_in
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.session import ProbeSession, Reply
from target_gainsight.probe.survey import Question
from target_gainsight.probe.writing.field_mapping import UnsuitableForProbeError
from target_gainsight.probe.writing.marked_rows import GSID

PEOPLE_ANSWER = Topic(
    "people_answer", "the response to a person has its GSID or nothing", usual="gsid"
)
UNCHANGED = Topic("person_unchanged", "a person that is sent its own values does not change")

MAX_CALLS = 5
_OBJECT = "person"
_PATH = "/v1/peoplemgmt/v1.0/people"
_EMAIL = "Email"
_NAMES = ("Name", "FirstName", "MiddleName", "LastName")
_ANY_SHAPE = "the target reads no more of it than the GSID"


@dataclass(frozen=True)
class FoundPerson:
    """A person of the tenant: its row, and which of its values are sent again."""

    row: Record

    @property
    def values(self) -> dict[str, Json]:
        """Email and names as they are; what is empty is not sent."""
        return {name: self.row[name] for name in (_EMAIL, *_NAMES) if self.row.get(name)}


def find_person(session: ProbeSession, email: str) -> FoundPerson:
    """Find the one person with this email, in any case.

    Raises:
        UnsuitableForProbeError: There is none, or more than one.
        GainsightError: People cannot be read.
    """
    rows = _read(session, email)
    if not rows:
        message = (
            f"the tenant has no person with the email {email}. Name an existing person; nothing "
            "was created"
        )
        raise UnsuitableForProbeError(message)
    if len(rows) > 1:
        message = f"{len(rows)} people have the email {email}. Name a person with a unique email"
        raise UnsuitableForProbeError(message)
    return FoundPerson(rows[0])


def person_questions(session: ProbeSession, person: FoundPerson) -> tuple[Question, ...]:
    """Return the question about the response to a person."""
    return (Question((PEOPLE_ANSWER, UNCHANGED), partial(_send_again, session, person)),)


def _send_again(session: ProbeSession, person: FoundPerson) -> Iterator[Observation]:
    reply = session.send("PUT", _PATH, kind="person", json=person.values)
    yield _judge_shape(reply, person)
    rows = _read(session, str(person.row[_EMAIL]))
    names = (GSID, _EMAIL, *_NAMES)
    if len(rows) == 1 and all(rows[0].get(name) == person.row.get(name) for name in names):
        yield UNCHANGED.settled("unchanged", "nothing changes", "as assumed")
    else:
        consequence = "check this person in Gainsight, and please report this profile"
        yield UNCHANGED.settled("the names or the email have changed", consequence, "not handled")


def _judge_shape(reply: Reply, person: FoundPerson) -> Observation:
    if reply.error:
        return PEOPLE_ANSWER.not_settled(reply.summary)
    if not reply.data:
        return PEOPLE_ANSWER.at("empty", "data is empty", _ANY_SHAPE)
    names = set(reply.data) if isinstance(reply.data, dict) else set()
    if names == {GSID}:
        return PEOPLE_ANSWER.at("gsid", "data has the GSID", _ANY_SHAPE)
    if names == {GSID, *person.values}:
        return PEOPLE_ANSWER.at("echo", "data repeats what was sent, and the GSID", _ANY_SHAPE)
    return PEOPLE_ANSWER.settled("data has another shape", _ANY_SHAPE, "handled")


def _read(session: ProbeSession, email: str) -> list[Record]:
    """Read the people with this email, in the case given or another one."""
    wanted = email.strip().casefold()
    spellings = dict.fromkeys((email.strip(), wanted, wanted.upper(), wanted.title()))
    where, select = is_in(_EMAIL, list(spellings)), (GSID, _EMAIL, *_NAMES)
    query = session.client.records.query
    try:
        rows = list(query(_OBJECT, select=select, where=where, limit=100))
    except UnreadableFieldError as error:
        readable = [name for name in select if name not in error.fields]
        rows = list(query(_OBJECT, select=readable, where=where, limit=100))
    return [row for row in rows if str(row.get(_EMAIL)).casefold() == wanted]
