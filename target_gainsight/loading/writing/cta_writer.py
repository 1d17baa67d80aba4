"""Writes CTAs, each judged by itself and answered by its reference.

Two CTAs alike are two for the tenant: what a lost answer leaves open is looked up by the lookup
keys before it is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_gainsight.api import MAX_CTAS, AnswerByReference, RecordFailure
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.writing.create_recovery import HINT, Sending
from target_gainsight.loading.writing.create_sender import Creates
from target_gainsight.loading.writing.isolation import Isolation
from target_gainsight.loading.writing.records_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_gainsight.api import Clock, CockpitApi
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.loading.writing.create_recovery import UnclearCreates

UNTOLD = "the answer does not say what became of it"


class CtaWriter(Writer):
    """CTAs: up to 50 in one call.

    Args:
        cockpit: The Cockpit API.
        keys: The lookup keys, which an update does not write again.
        only_new: Fields that are written when a CTA is created and never changed.
        unclear: Finds out what became of creates.
        clock: Waits between two sendings of the same creates.
        max_retry_seconds: How long the same creates are sent again.
        batch_size: Most CTAs of one call.
    """

    def __init__(
        self,
        cockpit: CockpitApi,
        *,
        keys: tuple[str, ...],
        only_new: frozenset[str],
        unclear: UnclearCreates,
        clock: Clock,
        max_retry_seconds: float,
        batch_size: int = MAX_CTAS,
    ) -> None:
        self.batch_size = min(batch_size, MAX_CTAS)
        self._cockpit = cockpit
        self._not_changed = only_new.union(keys)
        self._unclear = unclear
        self._clock = clock
        self._creates = Creates(unclear, clock, max_retry_seconds)

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Create CTAs; one sent by an earlier run is looked up first."""
        return Isolation(self._send_creates, lambda record: record.fields).deliver(batch)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Change CTAs by their GSID."""
        return Isolation(self._send_updates, self._changes).deliver(batch)

    def _send_creates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        sent_at = self._clock.now()
        self._creates.send(
            part,
            result,
            lambda waiting: self._cockpit.insert(_by_reference(r.fields for r in waiting)),
            lambda waiting, answer: self._settle_created(waiting, answer, sent_at, result),
        )

    def _settle_created(
        self,
        part: Sequence[LoadRecord],
        answer: AnswerByReference,
        sent_at: float,
        result: BatchResult,
    ) -> None:
        """Settle what the answer tells; the rest may be there nevertheless: look it up."""
        _settle(part, answer, Outcome.CREATED, result)
        sending = Sending(sent_at, may_still_commit=False, because=UNTOLD)
        self._unclear.resolve([(record, sending) for record in result.open_of(part)], result)
        for record in result.open_of(part):
            result.settle(record, Outcome.REJECTED, _not_confirmed(answer, sent_at))

    def _send_updates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        answer = self._cockpit.update(_by_reference(self._changes(record) for record in part))
        _settle(part, answer, Outcome.UPDATED, result)
        for record in result.open_of(part):
            result.settle(record, Outcome.REJECTED, _not_confirmed(answer))

    def _changes(self, record: LoadRecord) -> dict[str, Any]:
        changed = {n: value for n, value in record.fields.items() if n not in self._not_changed}
        return {**changed, GSID: record.gsid}


def _by_reference(bodies: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(number): body for number, body in enumerate(bodies, start=1)}


def _settle(
    part: Sequence[LoadRecord], answer: AnswerByReference, outcome: Outcome, result: BatchResult
) -> None:
    """Settle the records of which the answer says something."""
    for number, record in enumerate(part, start=1):
        reference = str(number)
        if reference in answer.written:
            result.settle(record, outcome, gsid=answer.written[reference] or record.gsid)
        elif reference in answer.refused:
            failure = answer.refused[reference]
            result.settle(record, Outcome.REJECTED, _refused(failure, answer))


def _refused(failure: RecordFailure, answer: AnswerByReference) -> Reason:
    message = failure.message or "the tenant refuses it without a reason"
    return Reason(failure.code or "refused", message, request_id=answer.request_id)


def _not_confirmed(answer: AnswerByReference, sent_at: float | None = None) -> Reason:
    hint = "look the record up in Gainsight, or replay it" if sent_at is None else HINT
    return Reason("not_confirmed", UNTOLD, hint=hint, request_id=answer.request_id, sent_at=sent_at)
