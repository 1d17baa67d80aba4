"""Find the records that made a call fail: one refusal never costs its neighbours.

A write is all or nothing. A refused batch is narrowed by the field and value that the refusal
names, otherwise by halving; the good records are sent again without the bad ones.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from target_gainsight.api import FieldFailure, NotFoundError, RefusedError
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.writer import Action, Writer

SINGLE_FIELD_CODES = frozenset(f"GSOBJ_{number}" for number in (1001, 1002, 1005, 1006, 1007, 1012))
"""Codes that concern one field's value alone, whatever else the record holds."""

NULL_CODE = "GSOBJ_1007"


class Part(NamedTuple):
    """Records to send in one call."""

    action: Action
    records: list[LoadRecord]


def narrow(part: Part, error: RefusedError, writer: Writer, result: BatchResult) -> list[Part]:
    """Reject the certainly bad records of a refused part; return the rest in parts, last first."""
    records = part.records
    certain: dict[LoadRecord, FieldFailure | None] = {}
    suspected: set[LoadRecord] = set()
    bodies = {record: writer.body(part.action, record) for record in records}
    for failure in error.failures:
        carriers = [record for record, sent in bodies.items() if carries(sent, failure)]
        is_null = failure.value is None
        names_value = failure.code == NULL_CODE if is_null else failure.code in SINGLE_FIELD_CODES
        if len(carriers) == 1 and names_value:
            certain.setdefault(carriers[0], failure)
        else:
            suspected.update(carriers)
    if len(records) == 1:
        certain = {records[0]: None}
    for record, named in certain.items():
        result.settle(record, Outcome.REJECTED, refusal_reason(error, named))
    left = [each for each in records if each not in certain]
    doubtful = [each for each in left if each in suspected]
    others = [each for each in left if each not in suspected]
    if not certain and not (others and doubtful):
        middle = (len(left) + 1) // 2
        others, doubtful = left[:middle], left[middle:]
    return [Part(part.action, doubtful), Part(part.action, others)]


def carries(body: Mapping[str, Any], failure: FieldFailure) -> bool:
    """Return whether a record as it was sent holds the value that a failure names.

    That may be one of a list, or have become text. The field's name may be spelled otherwise.
    """
    if failure.field is None:
        return False
    spelled, named = failure.field.lower(), failure.value
    sent = next((value for name, value in body.items() if name.lower() == spelled), None)
    values = (named, *named) if isinstance(named, list) else (named,)
    return any(sent == value or _as_text(sent) == _as_text(value) for value in values)


def refusal_reason(
    error: RefusedError | NotFoundError, failure: FieldFailure | None = None
) -> Reason:
    """Return why a record was refused: for the failed field, or for the first one named."""
    failures = error.failures if isinstance(error, RefusedError) else ()
    failure = failure or next(iter(failures), FieldFailure(None, None, "", ""))
    return Reason(
        failure.code or error.code or "refused",
        failure.message or error.description or error.message,
        field=failure.field,
        value=failure.value,
        request_id=error.request_id,
    )


def _as_text(value: object) -> str:
    """Return a value as descriptions print it; null and empty text are the same to a tenant."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_as_text, value))
    text = "" if value is None else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text.strip().strip("[]\"'").strip()
