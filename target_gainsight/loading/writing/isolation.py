"""Find the records that made a call fail: one refusal never costs its neighbours.

A write is all or nothing. A refused batch is narrowed by the field and value that the refusal
names, otherwise by halving; the good records are sent again without the bad ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from target_gainsight.api import FieldFailure, NotFoundError, RefusedError
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.writer import Action

SINGLE_FIELD_CODES = frozenset(f"GSOBJ_{number}" for number in (1001, 1002, 1005, 1006, 1007, 1012))
"""Codes that concern one field's value alone, whatever else the record holds."""

NULL_CODE = "GSOBJ_1007"


class Part(NamedTuple):
    """Records to send in one call."""

    action: Action
    records: list[LoadRecord]


def narrow(
    part: Part, error: RefusedError, body: Callable[[Action, LoadRecord], Mapping[str, Any]]
) -> tuple[list[Settlement], list[Part]]:
    """Decide which records of a refused part are rejected and which are sent again.

    Args:
        body: Returns a record as it was sent.

    Returns:
        The rejected records, and the parts to send, in reverse order.
    """
    records = part.records
    if len(records) == 1:
        return [Settlement(records[0], Outcome.REJECTED, refusal_reason(error))], []
    bodies = {record: body(part.action, record) for record in records}
    certain: dict[LoadRecord, FieldFailure] = {}
    suspected: set[LoadRecord] = set()
    for failure in error.failures:
        carriers = [record for record, sent in bodies.items() if carries(sent, failure)]
        names_value = failure.code in SINGLE_FIELD_CODES
        if failure.value is None:
            names_value = failure.code == NULL_CODE
        if len(carriers) == 1 and names_value:
            certain.setdefault(carriers[0], failure)
        else:
            suspected.update(carriers)
    rejected = [
        Settlement(record, Outcome.REJECTED, refusal_reason(error, certain[record]))
        for record in records
        if record in certain
    ]
    doubtful = [each for each in records if each in suspected and each not in certain]
    others = [each for each in records if each not in suspected and each not in certain]
    if not certain and not (others and doubtful):
        middle = (len(records) + 1) // 2
        others, doubtful = records[:middle], records[middle:]
    return rejected, [Part(part.action, doubtful), Part(part.action, others)]


def carries(body: Mapping[str, Any], failure: FieldFailure) -> bool:
    """Return whether a record as it was sent holds the value that a failure names.

    That may be one of a list, or have become text.
    """
    if failure.field is None:
        return False
    spelled = failure.field.lower()  # a description may spell the field's name otherwise
    name = next((name for name in body if name.lower() == spelled), failure.field)
    sent, named = body.get(failure.field, body.get(name)), failure.value
    if _equal(sent, named):
        return True
    return isinstance(named, list) and any(_equal(sent, value) for value in named)


def refusal_reason(
    error: RefusedError | NotFoundError, failure: FieldFailure | None = None
) -> Reason:
    """Return why a record was refused.

    Args:
        failure: The failed field; the first one of the refusal if it is not known which.
    """
    if failure is None and isinstance(error, RefusedError):
        failure = next(iter(error.failures), None)
    message = error.description or error.message
    if failure is None:
        return Reason(error.code or "refused", message, request_id=error.request_id)
    return Reason(
        failure.code or error.code or "refused",
        failure.message or message,
        field=failure.field,
        value=failure.value,
        request_id=error.request_id,
    )


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
