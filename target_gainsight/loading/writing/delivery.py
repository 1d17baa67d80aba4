"""Deliver one batch: call after call until every record has an outcome."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import backoff

from target_gainsight.api import (
    Clock,
    RefusedError,
    StopRunError,
    UnavailableError,
    UnknownOutcomeError,
)
from target_gainsight.loading.outcomes import BatchResult, Outcome, RunStoppedError, unavailable
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.isolation import Part, narrow
from target_gainsight.loading.writing.writer import Action, Unresolved, Writer

logger = logging.getLogger(__name__)

MAX_PAUSE = 60.0
"""Seconds between two calls with the same creates at most."""


@dataclass(frozen=True)
class ResendPolicy:
    """How long creates whose response was lost are sent again, and the clock that measures it."""

    clock: Clock
    max_seconds: float


def deliver(
    writer: Writer, action: Action, batch: Sequence[LoadRecord], policy: ResendPolicy
) -> BatchResult:
    """Write a batch, at most as many records as one call takes, and find all outcomes.

    Runs in a worker thread and shares nothing but the writer.

    Returns:
        The outcomes. Records are left without one only if the run stops or retries are exhausted.
    """
    delivery = _Delivery(writer, policy)
    result = delivery.result
    try:
        delivery.run(action, batch)
    except (StopRunError, RunStoppedError) as error:
        result.stopped = error
    except UnavailableError as error:
        held_back = unavailable(result.unsettled(batch), error)
        return replace(held_back, settlements=result.settlements, pauses=result.pauses)
    return result


class _Delivery:
    """The delivery of one batch: its outcomes so far, and the parts that are still to send."""

    def __init__(self, writer: Writer, policy: ResendPolicy) -> None:
        self.result = BatchResult()
        self._writer = writer
        self._policy = policy
        self._parts: list[Part] = []
        self._first_lost: UnknownOutcomeError | None = None
        self._resend_since = 0.0
        self._pauses: Generator[float, float, None] = backoff.expo(factor=0.5, max_value=MAX_PAUSE)
        next(self._pauses)

    def run(self, action: Action, batch: Sequence[LoadRecord]) -> None:
        replayed = [
            Unresolved(record, sent_at, "replayed")
            for record in batch
            if action == "create" and (sent_at := record.sent_before) is not None
        ]
        if replayed:  # an earlier run did not learn their outcome
            self._recover(replayed)
        self._parts.append(Part(action, self.result.unsettled(batch)))
        while self._parts:
            part = self._parts.pop()
            if not part.records:
                continue
            try:
                written = self._writer.write(part.action, part.records)
            except RefusedError as error:
                rejected, parts = narrow(part, error, self._writer.body)
                self.result.settlements += rejected
                self._parts += parts
            except UnknownOutcomeError as error:
                self._recover_lost(part, error)
            else:
                self.result.settlements += written.settlements
                if written.unresolved:
                    resent = self._first_lost is not None
                    self._recover([replace(each, resent=resent) for each in written.unresolved])

    def _recover_lost(self, part: Part, error: UnknownOutcomeError) -> None:
        """Look up the records of a call whose response was lost; send the missing ones again."""
        logger.warning("%s; %s (%d)", error, self._writer.after_lost_response, len(part.records))
        if self._first_lost is None:
            self._first_lost = error
            self._resend_since = self._policy.clock.now()
        sent_at, timed_out = self._first_lost.sent_at, error.timed_out
        self._recover([Unresolved(each, sent_at, str(error), timed_out) for each in part.records])
        missing = self.result.unsettled(part.records)
        if missing:
            self._pause(error)
            self._parts.append(Part(part.action, missing))

    def _pause(self, error: UnknownOutcomeError) -> None:
        """Wait before the same records are sent again."""
        clock = self._policy.clock
        began = clock.now()
        spent = began - self._resend_since
        if spent >= self._policy.max_seconds:
            message = "every response was lost, and the calls had no effect"
            raise UnavailableError(message, attempts=0, waited=spent, **error.context) from error
        pause = backoff.full_jitter(next(self._pauses))
        clock.wait(max(pause, error.cause.retry_after or 0.0))
        self.result.pauses.append((began, clock.now()))

    def _recover(self, unresolved: Sequence[Unresolved]) -> None:
        """Settle what the tenant holds, and reject what it lacks and is not to be sent again."""
        recovered = self._writer.recover(unresolved)
        self.result.settlements += recovered.settlements
        if recovered.stopped is not None:
            raise recovered.stopped
        missing = set(self.result.unsettled([each.record for each in unresolved]))
        missing.difference_update(recovered.to_update)
        for each in unresolved:
            if each.reason is not None and each.record in missing:
                self.result.settle(each.record, Outcome.REJECTED, each.reason)
        self._parts.append(Part("update", list(recovered.to_update)))
