"""Writes Timeline activities, each judged by itself and known by its ExternalId.

An ExternalId is unique for good, so that an insert with a lost answer is simply sent again: an
activity that had arrived is answered as a duplicate, and compared with what was sent.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_gainsight.api import (
    MAX_ACTIVITIES,
    AnswerByReference,
    OutcomeUnclearError,
    RecordFailure,
    is_duplicate,
)
from target_gainsight.loading.classification import already_there
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.writing.create_sender import Resending
from target_gainsight.loading.writing.isolation import Isolation
from target_gainsight.loading.writing.records_writer import Writer
from target_gainsight.mapping.planning.static_schemas import EXTERNAL_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from target_gainsight.api import Clock, TimelineApi
    from target_gainsight.loading.classification import RecordMap
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.loading.reading.current_rows import CurrentRows

logger = logging.getLogger(__name__)

NOT_CONFIRMED = RecordFailure("not_confirmed", "the answer does not say what became of it")


class TimelineWriter(Writer):
    """Timeline activities: up to 50 in one call.

    Args:
        timeline: The Timeline API.
        rows: Reads activities by their ExternalId.
        comparison: Compares activities with their rows.
        updates_known: Whether an activity that is there is changed, or left as it is.
        clock: Waits between two sendings of the same activities.
        max_retry_seconds: How long the same activities are sent again.
        batch_size: Most activities of one call.
    """

    def __init__(
        self,
        timeline: TimelineApi,
        rows: CurrentRows,
        comparison: RecordMap,
        *,
        updates_known: bool,
        clock: Clock,
        max_retry_seconds: float,
        batch_size: int = MAX_ACTIVITIES,
    ) -> None:
        self.batch_size = min(batch_size, MAX_ACTIVITIES)
        self._timeline = timeline
        self._rows = rows
        self._comparison = comparison
        self._updates_known = updates_known
        self._clock = clock
        self._max_retry_seconds = max_retry_seconds

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Insert activities; those that turn out to be there are compared, and changed."""
        return Isolation(self._send_creates, _body).deliver(batch)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Change activities by their ExternalId."""
        return Isolation(self._send_updates, _body).deliver(batch)

    def _send_creates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        answer, answer_was_lost = self._insert(part)
        _settle_written(part, answer, Outcome.CREATED, result)
        doubtful = []
        for record, failure in _failures(result.open_of(part), answer):
            if failure is NOT_CONFIRMED or is_duplicate(failure):
                doubtful.append((record, failure))
            else:
                result.settle(record, Outcome.REJECTED, _reason(failure, answer))
        if doubtful:
            self._settle_doubtful(doubtful, answer, result, answer_was_lost=answer_was_lost)

    def _insert(self, part: Sequence[LoadRecord]) -> tuple[AnswerByReference, bool]:
        """Send activities until an answer comes; tell whether one was lost before."""
        resending, answer_was_lost = Resending(self._clock, self._max_retry_seconds), False
        while True:
            try:
                return self._timeline.insert(_bodies(part)), answer_was_lost
            except OutcomeUnclearError as error:
                logger.warning("%s; sending %d activities again", error, len(part))
                answer_was_lost = True
                resending.pause(error)

    def _settle_doubtful(
        self,
        doubtful: Sequence[tuple[LoadRecord, RecordFailure]],
        answer: AnswerByReference,
        result: BatchResult,
        *,
        answer_was_lost: bool,
    ) -> None:
        """Settle activities that are there already, or may be, by what the tenant holds of them."""
        matches = self._rows.read([record for record, _ in doubtful])
        to_change = []
        for record, failure in doubtful:
            row = next(iter(matches.exact(record.key)), None)
            is_ours = answer_was_lost or failure is NOT_CONFIRMED
            if row is None and (matches.told or failure is NOT_CONFIRMED):
                result.settle(record, Outcome.REJECTED, _reason(failure, answer))
            elif row is not None and not self._comparison.changed_fields(record.fields, row):
                outcome = Outcome.CREATED if is_ours else Outcome.UNCHANGED
                result.settle(record, outcome, gsid=str(row.get(GSID)))
            elif self._updates_known:
                to_change.append(record)
            else:
                result.settle(record, Outcome.SKIPPED, _is_taken(record, lost=answer_was_lost))
        if to_change:
            self._send_updates(to_change, result)

    def _send_updates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        answer = self._timeline.update(_bodies(part))
        _settle_written(part, answer, Outcome.UPDATED, result)
        for record, failure in _failures(result.open_of(part), answer):
            result.settle(record, Outcome.REJECTED, _reason(failure, answer))


def _body(record: LoadRecord) -> dict[str, Any]:
    return record.fields


def _bodies(part: Sequence[LoadRecord]) -> list[dict[str, Any]]:
    return [record.fields for record in part]


def _settle_written(
    part: Sequence[LoadRecord], answer: AnswerByReference, outcome: Outcome, result: BatchResult
) -> None:
    for record in part:
        reference = str(record.fields[EXTERNAL_ID])
        if reference in answer.written:
            gsid = answer.written[reference] or record.gsid
            result.settle(record, outcome, gsid=gsid)


def _failures(
    part: Sequence[LoadRecord], answer: AnswerByReference
) -> Iterator[tuple[LoadRecord, RecordFailure]]:
    """List why records were not written; of some the answer may say nothing."""
    for record in part:
        yield record, answer.refused.get(str(record.fields[EXTERNAL_ID]), NOT_CONFIRMED)


def _reason(failure: RecordFailure, answer: AnswerByReference) -> Reason:
    hint = "replay it: an activity is never doubled" if failure is NOT_CONFIRMED else ""
    message = failure.message or "the tenant refuses it without a reason"
    return Reason(failure.code or "refused", message, hint=hint, request_id=answer.request_id)


def _is_taken(record: LoadRecord, *, lost: bool) -> Reason:
    ours = ", perhaps since a sending of this run whose answer was lost" if lost else ""
    return already_there(f"an activity has the ExternalId {record.fields[EXTERNAL_ID]}{ours}")
