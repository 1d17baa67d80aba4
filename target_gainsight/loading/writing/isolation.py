"""Which records made a call fail: one refusal never costs its neighbours.

A write is all or nothing. A refused call is narrowed by the field and value that its answer names,
else by halving; good records are sent again without the bad ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_gainsight.api import RefusedError, StopRunError, UnavailableError
from target_gainsight.loading.outcomes import (
    BatchResult,
    Outcome,
    Reason,
    RunStoppedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_gainsight.api import FieldFailure
    from target_gainsight.loading.outcomes import LoadRecord

SINGLE_FIELD_CODES = frozenset(f"GSOBJ_{number}" for number in (1001, 1002, 1005, 1006, 1007, 1012))
"""Codes that concern one field's value alone, whatever else the record holds."""

NULL_CODE = "GSOBJ_1007"


@dataclass
class _Suspects:
    """What a refusal says about a batch.

    Attributes:
        certain: Records that are bad beyond doubt, with the failure.
        doubtful: Records that carry a named value, but perhaps not alone.
        rest: The others.
    """

    certain: list[tuple[LoadRecord, FieldFailure]] = field(default_factory=list)
    doubtful: list[LoadRecord] = field(default_factory=list)
    rest: list[LoadRecord] = field(default_factory=list)


class Isolation:
    """Delivers one batch.

    Args:
        send: Sends some records in one call and settles those that it knows the outcome of; raises
            RefusedError when the call is refused.
        body: A record's fields as they are sent.
    """

    def __init__(
        self,
        send: Callable[[Sequence[LoadRecord], BatchResult], None],
        body: Callable[[LoadRecord], Mapping[str, Any]],
    ) -> None:
        self._send = send
        self._body = body

    def deliver(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Send a batch and find an outcome for each of its records.

        Args:
            batch: At most as many records as one call takes.

        Returns:
            The outcomes; records are left without one only if the run stops or the retries of a
            call are spent.
        """
        result = BatchResult()
        try:
            self._deliver(list(batch), result, known_bad=False)
        except UnavailableError as error:
            result.unavailable = result.open_of(batch)
            result.unavailable_because = Reason(
                "unavailable", str(error), hint="replay it when Gainsight answers again"
            )
        except (StopRunError, RunStoppedError) as error:
            result.stopped = error
        return result

    def _deliver(self, part: list[LoadRecord], result: BatchResult, *, known_bad: bool) -> bool:
        """Deliver a part; true when some of it was refused."""
        if not part:
            return False
        if known_bad and len(part) > 1:
            return self._halve(part, result)
        try:
            self._send(part, result)
        except RefusedError as refusal:
            left = result.open_of(part)
            if len(left) == 1:
                result.settle(left[0], Outcome.REJECTED, reason_of(refusal))
            else:
                self._narrow(left, refusal, result)
            return True
        return False

    def _halve(self, part: list[LoadRecord], result: BatchResult) -> bool:
        """Split a part that is known to hold a bad record; its second half may need no test."""
        middle = (len(part) + 1) // 2
        refused = self._deliver(part[:middle], result, known_bad=False)
        self._deliver(part[middle:], result, known_bad=not refused)
        return True

    def _narrow(self, part: list[LoadRecord], refusal: RefusedError, result: BatchResult) -> None:
        suspects = self._suspects(part, refusal)
        nothing_new = not suspects.rest or not suspects.doubtful
        if not suspects.certain and nothing_new:
            self._halve(part, result)
            return
        for record, failure in suspects.certain:
            result.settle(record, Outcome.REJECTED, reason_of(refusal, failure))
        refused = self._deliver(suspects.rest, result, known_bad=False)
        explained = refused or bool(suspects.certain)
        self._deliver(suspects.doubtful, result, known_bad=not explained)

    def _suspects(self, part: list[LoadRecord], refusal: RefusedError) -> _Suspects:
        certain: dict[int, FieldFailure] = {}
        doubtful: set[int] = set()
        for failure in (failure for group in refusal.failures for failure in group):
            carriers = [
                place for place, record in enumerate(part) if carries(self._body(record), failure)
            ]
            if len(carriers) == 1 and _names_one_value(failure):
                certain.setdefault(carriers[0], failure)
            else:
                doubtful.update(carriers)
        found = _Suspects()
        for place, record in enumerate(part):
            if place in certain:
                found.certain.append((record, certain[place]))
            else:
                (found.doubtful if place in doubtful else found.rest).append(record)
        return found


def carries(body: Mapping[str, Any], failure: FieldFailure) -> bool:
    """Tell whether a record as it was sent holds the value that a failure names.

    Args:
        body: The record.
        failure: The failed field; its value may be a list, or have become text.
    """
    if failure.field is None:
        return False
    sent, named = body.get(failure.field), failure.value
    if _same(sent, named):
        return True
    return isinstance(named, list) and any(_same(sent, value) for value in named)


def reason_of(refusal: RefusedError, failure: FieldFailure | None = None) -> Reason:
    """Say why a record was refused.

    Args:
        refusal: The refused call.
        failure: The failed field, if it is known which; else the first one named.

    Returns:
        The reason, with Gainsight's code.
    """
    if failure is None:
        failure = next((failure for group in refusal.failures for failure in group), None)
    if failure is None:
        message = refusal.description or refusal.message
        return Reason(refusal.code or "refused", message, request_id=refusal.request_id)
    return Reason(
        failure.code or refusal.code or "refused",
        failure.message or refusal.description or refusal.message,
        field=failure.field,
        value=failure.value,
        request_id=refusal.request_id,
    )


def _names_one_value(failure: FieldFailure) -> bool:
    """Tell whether the failure lies in one value alone, and the answer says which."""
    if failure.value is None:
        return failure.code == NULL_CODE
    return failure.code in SINGLE_FIELD_CODES


def _same(sent: object, named: object) -> bool:
    """Compare a sent value with one that an answer names, which may have become text.

    Null and empty text are the same to a tenant.
    """
    if named is None:
        return sent is None or sent == ""
    if isinstance(sent, bool) or isinstance(named, bool):
        return str(sent).lower() == str(named).lower()
    return sent == named or str(sent) == str(named)
