"""Write CTAs; the tenant decides on each by itself and names it by its reference.

The tenant accepts two identical CTAs, so a create whose response was lost is looked up by the
lookup keys before it is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from target_gainsight.api import MAX_CTAS, Clock, CockpitApi, PerRecordResponse
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.create_recovery import HINT, CreateRecovery
from target_gainsight.loading.writing.writer import (
    Action,
    Body,
    Recovered,
    SentCreate,
    Unresolved,
    Writer,
    Written,
)

NOT_CONFIRMED = "the response does not mention this record"


class CtaWriter(Writer):
    """CTAs: up to 50 in one call.

    Args:
        cockpit: The Cockpit API.
        keys: The lookup keys, which an update does not write again.
        only_new: Fields that are written when a CTA is created and never changed.
        recovery: Looks up creates with an unknown outcome.
        clock: Returns when a call is sent.
        batch_size: CTAs of one call at most.
    """

    def __init__(
        self,
        cockpit: CockpitApi,
        *,
        keys: tuple[str, ...],
        only_new: frozenset[str],
        recovery: CreateRecovery,
        clock: Clock,
        batch_size: int = MAX_CTAS,
    ) -> None:
        self.batch_size = min(batch_size, MAX_CTAS)
        self._cockpit = cockpit
        self._not_changed = only_new.union(keys)
        self._recovery = recovery
        self._clock = clock

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Create CTAs, or change them by their GSID."""
        bodies = {str(n): self.body(action, each) for n, each in enumerate(records, start=1)}
        sent_at = self._clock.now()
        if action == "update":
            response = self._cockpit.update(bodies)
            settled = _read_outcomes(records, response, Outcome.UPDATED)
            rejected = [
                Settlement(record, Outcome.REJECTED, _not_confirmed(response))
                for record in records
                if record not in settled
            ]
            return Written((*settled.values(), *rejected))
        response = self._cockpit.insert(bodies)
        settled = _read_outcomes(records, response, Outcome.CREATED)
        sent = SentCreate(sent_at, may_still_commit=False, cause=NOT_CONFIRMED)
        reason = _not_confirmed(response, sent_at)
        unresolved = [Unresolved(each, sent, reason) for each in records if each not in settled]
        return Written(tuple(settled.values()), tuple(unresolved))

    def body(self, action: Action, record: LoadRecord) -> Body:
        """Return a CTA as it is sent: an update names its row and leaves fixed fields out."""
        if action == "create":
            return record.fields
        changed = {n: value for n, value in record.fields.items() if n not in self._not_changed}
        return {**changed, GSID: record.gsid}

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Look up CTAs by their lookup keys."""
        return self._recovery.recover(unresolved)


def _read_outcomes(
    records: Sequence[LoadRecord], response: PerRecordResponse, outcome: Outcome
) -> dict[LoadRecord, Settlement]:
    """Return the outcomes of the records that a response mentions, by record."""
    settled = {}
    for number, record in enumerate(records, start=1):
        reference = str(number)
        if reference in response.written:
            gsid = response.written[reference] or record.gsid
            settled[record] = Settlement(record, outcome, gsid=gsid)
        elif reference in response.refused:
            failure = response.refused[reference]
            message = failure.message or "the tenant refuses it without giving a reason"
            reason = Reason(failure.code or "refused", message, request_id=response.request_id)
            settled[record] = Settlement(record, Outcome.REJECTED, reason)
    return settled


def _not_confirmed(response: PerRecordResponse, sent_at: float | None = None) -> Reason:
    hint = "look the record up in Gainsight, or replay it" if sent_at is None else HINT
    return Reason(
        "not_confirmed", NOT_CONFIRMED, hint=hint, request_id=response.request_id, sent_at=sent_at
    )
