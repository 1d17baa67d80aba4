"""Write Timeline activities; the tenant decides on each by itself and knows it by its ExternalId.

An ExternalId is unique for good, so an insert whose response was lost is simply sent again: an
activity that had arrived is refused as a duplicate, and compared with what was sent.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import ClassVar

from target_gainsight.api import (
    MAX_ACTIVITIES,
    Clock,
    PayloadTooLargeError,
    PerRecordResponse,
    RecordFailure,
    RefusedError,
    TimelineApi,
    is_duplicate,
)
from target_gainsight.loading.classification import RecordMap, exists_reason
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.writer import (
    Action,
    Recovered,
    SentCreate,
    Unresolved,
    Writer,
    Written,
)
from target_gainsight.mapping.planning.static_schemas import EXTERNAL_ID
from target_gainsight.mapping.write_rules import WriteRules

logger = logging.getLogger(__name__)

PAIR = 2
NOT_CONFIRMED = RecordFailure("not_confirmed", "the response does not mention this activity")
_HINTS = {
    NOT_CONFIRMED.code: "replay it: an activity is never duplicated",
    "GS_TL_10_0206": "map a column to that field, or set a constant",
}


class TimelineWriter(Writer):
    """Timeline activities: up to 50 in one call.

    Args:
        timeline: The Timeline API.
        rows: Reads activities by their ExternalId.
        comparison: Compares activities with their rows.
        rules: Decide which fields of an activity that is there are written.
        updates_known: Whether an activity that is there is changed, or left as it is.
        clock: Returns when a call is sent.
        batch_size: Activities of one call at most.
    """

    after_lost_response: ClassVar[str] = "sending the activities again"

    def __init__(
        self,
        timeline: TimelineApi,
        rows: CurrentRows,
        comparison: RecordMap,
        *,
        rules: WriteRules | None,
        updates_known: bool,
        clock: Clock,
        batch_size: int = MAX_ACTIVITIES,
    ) -> None:
        self.batch_size = min(batch_size, MAX_ACTIVITIES)
        self._timeline = timeline
        self._rows = rows
        self._comparison = comparison
        self._rules = rules
        self._updates_known = updates_known
        self._clock = clock
        self._lock = threading.Lock()
        self._refused_pairs: dict[LoadRecord, set[LoadRecord]] = {}
        self._one_per_call = False

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Insert activities, or change them by their ExternalId.

        The maximum per call is not documented. If two are refused together and each is accepted
        alone, every call has one from then on.

        Raises:
            RefusedError: The call is refused, or would be.
        """
        if len(records) > 1 and self._one_per_call:
            message = "the tenant accepts one activity per call"
            raise RefusedError(message)
        try:
            written = self._save(action, records)
        except RefusedError as error:
            with self._lock:
                self._note_refused(records, error)
            raise
        with self._lock:
            self._note_accepted(records)
        return written

    def _note_refused(self, records: Sequence[LoadRecord], error: RefusedError) -> None:
        if len(records) == PAIR and not isinstance(error, PayloadTooLargeError):
            pair = set(records)
            self._refused_pairs.update((record, pair) for record in records)
        elif len(records) == 1:
            self._refused_pairs.pop(records[0], None)

    def _note_accepted(self, records: Sequence[LoadRecord]) -> None:
        pair = self._refused_pairs.pop(records[0], None) if len(records) == 1 else None
        if pair is None:
            return
        pair.discard(records[0])
        if not pair and not self._one_per_call:
            self._one_per_call = True
            logger.warning(
                "the tenant refuses several activities in one call and accepts each alone; "
                "sending one per call from now on"
            )

    def _save(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        bodies = [record.fields for record in records]
        sent_at = self._clock.now()
        if action == "create":
            response, outcome = self._timeline.insert(bodies), Outcome.CREATED
        else:
            response, outcome = self._timeline.update(bodies), Outcome.UPDATED
        settled, unresolved = [], []
        for record in records:
            reference = str(record.fields[EXTERNAL_ID])
            if reference in response.written:
                gsid = response.written[reference] or record.gsid
                settled.append(Settlement(record, outcome, gsid=gsid))
                continue
            failure = response.refused.get(reference, NOT_CONFIRMED)
            reason = _refusal_reason(failure, response)
            if action == "create" and (failure is NOT_CONFIRMED or is_duplicate(failure)):
                sent = SentCreate(sent_at, may_still_commit=False, cause=failure.message)
                unresolved.append(Unresolved(record, sent, reason))
            else:
                settled.append(Settlement(record, Outcome.REJECTED, reason))
        return Written(tuple(settled), tuple(unresolved))

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Compare activities that exist already, or may exist, with what the tenant holds.

        Activities whose response was lost are not looked up: they are sent again.
        """
        existing = [each for each in unresolved if each.reason is not None]
        if not existing:
            return Recovered()
        matches = self._rows.read([each.record for each in existing])
        settlements, to_update = [], []
        for each in existing:
            row = next(iter(matches.exact(each.record.key)), None)
            if row is not None and not self._comparison.changed_fields(each.record.fields, row):
                is_ours = each.resent or _is_unconfirmed(each)
                outcome = Outcome.CREATED if is_ours else Outcome.UNCHANGED
                settlements.append(Settlement(each.record, outcome, gsid=str(row.get(GSID))))
            elif row is None and (matches.readable or _is_unconfirmed(each)):
                continue
            elif self._updates_known:
                if row is not None and self._rules is not None:
                    each.record.fields = self._rules.writable(each.record.fields, row)
                to_update.append(each.record)
            else:
                message = f"an activity has the ExternalId {each.record.fields[EXTERNAL_ID]}"
                if each.resent:
                    message += ", perhaps from a call of this run whose response was lost"
                reason = exists_reason(message)
                settlements.append(Settlement(each.record, Outcome.SKIPPED, reason))
        return Recovered(tuple(settlements), tuple(to_update))


def _is_unconfirmed(each: Unresolved) -> bool:
    return each.reason is not None and each.reason.code == NOT_CONFIRMED.code


def _refusal_reason(failure: RecordFailure, response: PerRecordResponse) -> Reason:
    hint = _HINTS.get(failure.code, "")
    message = failure.message or "the tenant refuses it without giving a reason"
    return Reason(failure.code or "refused", message, hint=hint, request_id=response.request_id)
