"""Sends an existing person its own values again, to see the shape of the response."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from target_gainsight.api import Call, Json, Record, is_in
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.session import ProbeSession
from target_gainsight.probe.writing.marked_rows import GSID
from target_gainsight.probe.writing.plan import UnsuitableForProbeError

PEOPLE_ANSWER = Topic(
    "people_answer",
    "the response to a person has its GSID or nothing",
    "the target reads no more of it than the GSID",
    "gsid",
)
UNCHANGED = Topic("person_unchanged", "a person that is sent its own values does not change")

MAX_CALLS = 5
_NAMES = ("Email", "Name", "FirstName", "MiddleName", "LastName")


@dataclass(frozen=True)
class FoundPerson:
    """A person of the tenant, as it was read before it is written."""

    session: ProbeSession
    row: Record

    @property
    def values(self) -> dict[str, Json]:
        """Email and names as they are; what is empty is not sent."""
        return {name: self.row[name] for name in _NAMES if self.row.get(name)}


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
    return FoundPerson(session, rows[0])


def _read(session: ProbeSession, email: str) -> list[Record]:
    """Read the people with this email, in the case given or another one."""
    wanted = email.strip().casefold()
    spellings = dict.fromkeys((email.strip(), wanted, wanted.upper(), wanted.title()))
    rows = session.query("person", (GSID, *_NAMES), is_in("Email", list(spellings)))
    return [row for row in rows if str(row.get("Email")).casefold() == wanted]


def _send_again(person: FoundPerson) -> Iterator[Observation]:
    call = Call("PUT", "/v1/peoplemgmt/v1.0/people", kind="person", json=person.values)
    reply = person.session.send(call)
    names = set(reply.data) if isinstance(reply.data, dict) else set()
    if reply.error:
        yield PEOPLE_ANSWER.not_settled(reply.summary)
    elif not reply.data:
        yield PEOPLE_ANSWER.at("empty", "data is empty")
    elif names == {GSID}:
        yield PEOPLE_ANSWER.at("gsid", "data has the GSID")
    elif names == {GSID, *person.values}:
        yield PEOPLE_ANSWER.at("echo", "data repeats what was sent, and the GSID")
    else:
        yield PEOPLE_ANSWER.settled("handled", "data has another shape")
    rows = _read(person.session, str(person.row["Email"]))
    names_before = [person.row.get(name) for name in (GSID, *_NAMES)]
    if [[row.get(name) for name in (GSID, *_NAMES)] for row in rows] == [names_before]:
        yield UNCHANGED.settled("as assumed", "unchanged")
    else:
        consequence = "check this person in Gainsight, and please report this profile"
        yield UNCHANGED.settled("not handled", "the names or the email have changed", consequence)


QUESTIONS = {_send_again: (PEOPLE_ANSWER, UNCHANGED)}
