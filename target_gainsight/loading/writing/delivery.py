"""Deliver one batch: call after call until every record has an outcome."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import backoff

from target_gainsight.api import (
    Clock,
    RefusedError,
    StopRunError,
    UnavailableError,
    UnknownOutcomeError,
)
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason, RunStoppedError
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.isolation import Part, narrow
from target_gainsight.loading.writing.writer import Action, SentCreate, Unresolved, Writer

logger = logging.getLogger(__name__)

MAX_PAUSE = 60.0
"""Seconds between two calls with the same creates at most."""


@dataclass(frozen=True)
class ResendPolicy:
    """How long creates whose response was lost are sent again.

    Attributes:
        clock: Waits between two calls.
        max_seconds: How long the same records are sent again.
    """

    clock: Clock
    max_seconds: float


def deliver(
    writer: Writer, action: Action, batch: Sequence[LoadRecord], policy: ResendPolicy
) -> BatchResult:
    """Write a batch and find an outcome for each of its records.

    Runs in a worker thread and shares nothing but the writer.

    Args:
        writer: Makes the calls.
        action: What to do with the records.
        batch: At most as many records as one call takes.
        policy: How long creates whose response was lost are sent again.

    Returns:
        The outcomes. Records are left without one only if the run stops or retries are exhausted.
    """
    result = BatchResult()
    try:
        _Delivery(writer, policy, result).run(action, batch)
    except (StopRunError, RunStoppedError) as error:
        result.stopped = error
    except UnavailableError as error:
        result.unavailable = result.unsettled(batch)
        result.unavailable_because = Reason(
            "unavailable", str(error), hint="replay it when Gainsight responds again"
        )
    return result


class _Resends:
    """The calls that repeat creates of one batch, and the pauses between them."""

    def __init__(self, policy: ResendPolicy, first_sent_at: float) -> None:
        self.first_sent_at = first_sent_at
        self._clock = policy.clock
        self._max_seconds = policy.max_seconds
        self._began = policy.clock.now()
        self._pauses: Generator[float, float, None] = backoff.expo(factor=0.5, max_value=MAX_PAUSE)
        next(self._pauses)

    def pause(self, error: UnknownOutcomeError) -> tuple[float, float]:
        """Wait before the same records are sent again; return the start and end of the wait.

        Raises:
            UnavailableError: They have been sent for too long.
        """
        began = self._clock.now()
        spent = began - self._began
        if spent >= self._max_seconds:
            message = "every response was lost, and the calls had no effect"
            raise UnavailableError(message, attempts=0, waited=spent, **error.context) from error
        pause = backoff.full_jitter(next(self._pauses))
        self._clock.wait(max(pause, error.cause.retry_after or 0.0))
        return began, self._clock.now()


@dataclass
class _Delivery:
    """The delivery of one batch."""

    writer: Writer
    policy: ResendPolicy
    result: BatchResult
    parts: list[Part] = field(default_factory=list)
    resends: _Resends | None = None

    def run(self, action: Action, batch: Sequence[LoadRecord]) -> None:
        records = list(batch)
        replayed = [
            Unresolved(record, SentCreate(sent_at, may_still_commit=False, cause="replayed"))
            for record in batch
            if action == "create" and (sent_at := record.sent_before) is not None
        ]
        if replayed:  # an earlier run did not learn their outcome
            self._recover(replayed)
            records = self.result.unsettled(batch)
        self.parts.append(Part(action, records))
        while self.parts:
            part = self.parts.pop()
            refusal = part.split_from
            is_unexplained = refusal is not None and part.is_last and not refusal.is_explained
            if is_unexplained and len(part.records) > 1:
                self.parts += part.halves()  # the others were all good: this part is bad
            elif part.records:
                self._send(part)

    def _send(self, part: Part) -> None:
        try:
            written = self.writer.write(part.action, part.records)
        except RefusedError as error:
            rejected, parts = narrow(part, error, self.writer.body)
            self.result.settlements += rejected
            self.parts += parts
        except UnknownOutcomeError as error:
            self._recover_lost(part, error)
        else:
            self.result.settlements += written.settlements
            if written.unresolved:
                was_resent = self.resends is not None
                self._recover([replace(each, resent=was_resent) for each in written.unresolved])

    def _recover_lost(self, part: Part, error: UnknownOutcomeError) -> None:
        """Look up the records of a call whose response was lost; send the missing ones again."""
        logger.warning("%s; %s (%d)", error, self.writer.after_lost_response, len(part.records))
        if self.resends is None:
            self.resends = _Resends(self.policy, error.sent_at)
        sent = SentCreate(self.resends.first_sent_at, error.timed_out, str(error))
        self._recover([Unresolved(record, sent) for record in part.records])
        missing = self.result.unsettled(part.records)
        if missing:
            self.result.pauses.append(self.resends.pause(error))
            self.parts.append(replace(part, records=missing))

    def _recover(self, unresolved: Sequence[Unresolved]) -> None:
        """Settle what the tenant holds, and reject what it lacks and is not to be sent again."""
        recovered = self.writer.recover(unresolved)
        self.result.settlements += recovered.settlements
        if recovered.stopped is not None:
            raise recovered.stopped
        reasons = {each.record: each.reason for each in unresolved}
        for record in self.result.unsettled([each.record for each in unresolved]):
            reason = reasons[record]
            if reason is not None and record not in recovered.to_update:
                self.result.settle(record, Outcome.REJECTED, reason)
        if recovered.to_update:
            self.parts.append(Part("update", list(recovered.to_update)))
