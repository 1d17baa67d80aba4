"""Find the records that made a call fail: one refusal never costs its neighbours.

A write is all or nothing. A refused batch is narrowed by the field and value that the refusal
names, otherwise by halving; the good records are sent again without the bad ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from target_gainsight.api import FieldFailure, RefusedError
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.writer import Action, Body

SINGLE_FIELD_CODES = frozenset(f"GSOBJ_{number}" for number in (1001, 1002, 1005, 1006, 1007, 1012))
"""Codes that concern one field's value alone, whatever else the record holds."""

NULL_CODE = "GSOBJ_1007"


@dataclass(eq=False)
class Refusal:
    """A refused part that was split.

    Attributes:
        is_explained: A bad record has been found since, so that the rest may be good.
    """

    is_explained: bool = False


@dataclass(frozen=True)
class Part:
    """Records to send in one call.

    Attributes:
        action: Whether the records are new to the tenant.
        records: The records.
        split_from: The refusal of the larger part that they were in.
        is_last: The other records of that larger part have been sent.
    """

    action: Action
    records: list[LoadRecord]
    split_from: Refusal | None = None
    is_last: bool = False

    def halves(self) -> list[Part]:
        """Split the part in two, the half to send first at the end."""
        middle = (len(self.records) + 1) // 2
        return self._split(self.records[:middle], self.records[middle:], Refusal())

    def _split(
        self, first: list[LoadRecord], last: list[LoadRecord], refusal: Refusal
    ) -> list[Part]:
        return [
            Part(self.action, last, refusal, is_last=True),
            Part(self.action, first, refusal),
        ]

    def narrowed(self, suspects: Suspects) -> list[Part]:
        """Split off the records that a refusal names, the others at the end, to be sent first."""
        refusal = Refusal(is_explained=bool(suspects.certain))
        return self._split(suspects.others, suspects.doubtful, refusal)


@dataclass
class Suspects:
    """The records of a part, by what its refusal names.

    Attributes:
        certain: Records that are certainly bad, with the failure.
        doubtful: Records that carry a named value, but perhaps not alone.
        others: The rest.
    """

    certain: list[tuple[LoadRecord, FieldFailure]] = field(default_factory=list)
    doubtful: list[LoadRecord] = field(default_factory=list)
    others: list[LoadRecord] = field(default_factory=list)


def narrow(
    part: Part, error: RefusedError, body: Callable[[Action, LoadRecord], Body]
) -> tuple[list[Settlement], list[Part]]:
    """Decide which records of a refused part are rejected and which are sent again.

    Args:
        part: The part.
        error: The refusal.
        body: Returns a record as it was sent.

    Returns:
        The rejected records, and the parts to send, in reverse order.
    """
    if part.split_from is not None:
        part.split_from.is_explained = True
    if len(part.records) == 1:
        return [Settlement(part.records[0], Outcome.REJECTED, refusal_reason(error))], []
    suspects = _find_suspects(part, error, body)
    if not suspects.certain and not (suspects.others and suspects.doubtful):
        return [], part.halves()
    rejected = [
        Settlement(record, Outcome.REJECTED, refusal_reason(error, failure))
        for record, failure in suspects.certain
    ]
    return rejected, part.narrowed(suspects)


def _find_suspects(
    part: Part, error: RefusedError, body: Callable[[Action, LoadRecord], Body]
) -> Suspects:
    certain: dict[int, FieldFailure] = {}
    doubtful: set[int] = set()
    bodies = [body(part.action, record) for record in part.records]
    for failure in (failure for group in error.failures for failure in group):
        carriers = [number for number, each in enumerate(bodies) if carries(each, failure)]
        if len(carriers) == 1 and _names_one_value(failure):
            certain.setdefault(carriers[0], failure)
        else:
            doubtful.update(carriers)
    suspects = Suspects()
    for number, record in enumerate(part.records):
        if number in certain:
            suspects.certain.append((record, certain[number]))
        elif number in doubtful:
            suspects.doubtful.append(record)
        else:
            suspects.others.append(record)
    return suspects


def carries(body: Body, failure: FieldFailure) -> bool:
    """Return whether a record as it was sent holds the value that a failure names.

    Args:
        body: The record.
        failure: The failed field; its value may be a list, or have become text.
    """
    if failure.field is None:
        return False
    spelled = failure.field.lower()  # a description may spell the field's name otherwise
    name = next((name for name in body if name.lower() == spelled), failure.field)
    sent, named = body.get(failure.field, body.get(name)), failure.value
    if _equal(sent, named):
        return True
    return isinstance(named, list) and any(_equal(sent, value) for value in named)


def refusal_reason(error: RefusedError, failure: FieldFailure | None = None) -> Reason:
    """Return why a record was refused.

    Args:
        error: The refusal.
        failure: The failed field; the first one of the refusal if it is not known which.
    """
    if failure is None:
        failure = next((failure for group in error.failures for failure in group), None)
    if failure is None:
        message = error.description or error.message
        return Reason(error.code or "refused", message, request_id=error.request_id)
    return Reason(
        failure.code or error.code or "refused",
        failure.message or error.description or error.message,
        field=failure.field,
        value=failure.value,
        request_id=error.request_id,
    )


def _names_one_value(failure: FieldFailure) -> bool:
    """Return whether the failure concerns one value alone, which the response names."""
    if failure.value is None:
        return failure.code == NULL_CODE
    return failure.code in SINGLE_FIELD_CODES


def _equal(sent: object, named: object) -> bool:
    """Compare a sent value with one that a response names, which may have become text.

    Null and empty text are the same to a tenant.
    """
    if named is None:
        return sent is None or sent == ""
    if isinstance(sent, bool) or isinstance(named, bool):
        return str(sent).lower() == str(named).lower()
    return sent == named or _as_text(sent) == _as_text(named)


def _as_text(value: object) -> str:
    """Return a value as descriptions print it: without surrounding blanks, quotes and brackets."""
    if isinstance(value, (list, tuple)):
        return ", ".join(_as_text(each) for each in value)
    return str(value).strip().strip("[]\"'").strip()
