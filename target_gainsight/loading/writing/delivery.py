"""Deliver one batch: call after call until every record has an outcome."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import backoff

from target_gainsight.api import Clock, errors
from target_gainsight.loading.outcomes import BatchResult, Outcome, RunStoppedError
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.isolation import Part, narrow
from target_gainsight.loading.writing.writer import Action, Unresolved, Writer
from target_gainsight.mapping.errors import counted

logger = logging.getLogger(__name__)

MAX_PAUSE = 60.0
"""Seconds between two calls with the same creates at most."""


@dataclass
class Delivery:
    """The delivery of one batch: its outcomes so far, and the parts that are still to send.

    Runs in a worker thread and shares nothing but the writer. Creates whose response was lost are
    sent again for ``max_retry_seconds``.
    """

    writer: Writer
    clock: Clock
    max_retry_seconds: float
    result: BatchResult = field(default_factory=BatchResult, init=False)
    parts: list[Part] = field(default_factory=list, init=False)
    first_lost: tuple[errors.UnknownOutcomeError, float] | None = field(default=None, init=False)
    lost: set[LoadRecord] = field(default_factory=set, init=False)

    def deliver(self, action: Action, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a batch, at most as many records as one call takes, and find all outcomes.

        Records are left without one only if the run stops or retries are exhausted.
        """
        try:
            self._send_all(action, batch)
        except (errors.StopRunError, RunStoppedError) as error:
            self.result.stopped = error
        except errors.UnavailableError as error:
            self.result.hold_back(self.result.unsettled(batch), error)
        return self.result

    def _send_all(self, action: Action, batch: Sequence[LoadRecord]) -> None:
        """Look up the creates of an earlier run that did not learn their outcome; send the rest."""
        replayed = [
            Unresolved(record, "an earlier run lost the response", record.sent_before)
            for record in batch
            if action == "create" and record.sent_before is not None
        ]
        to_send = batch
        if replayed:
            self._recover(replayed)
            to_send = self.result.unsettled(batch)
        for has_gsid in (False, True):  # one call has one kind of key
            same = [each for each in to_send if (each.gsid is not None) == has_gsid]
            self.parts.append(Part(action, same))
        while self.parts:
            part = self.parts.pop()
            if part.records:
                self._send(part)

    def _send(self, part: Part) -> None:
        began = self.clock.now()
        try:
            unresolved = self.writer.write(part.action, part.records, self.result)
        except errors.RefusedError as error:
            self.parts += narrow(part, error, self.writer, self.result)
        except errors.UnknownOutcomeError as error:
            self._recover_lost(part, error)
        else:
            if unresolved:
                sent = [
                    replace(each, sent_at=each.sent_at or began, resent=each.record in self.lost)
                    for each in unresolved
                ]
                self._recover(sent, part.action)

    def _recover_lost(self, part: Part, error: errors.UnknownOutcomeError) -> None:
        """Look up the records of a call whose response was lost; send the missing ones again."""
        self.lost.update(part.records)
        count = counted(len(part.records), "record")
        logger.warning("%s; %s: %s", error, self.writer.after_lost_response, count)
        clock, pauses = self.clock, self.result.pauses
        self.first_lost = self.first_lost or (error, clock.now())
        first, since = self.first_lost
        lost = (str(error), first.sent_at, error.cause.timed_out)
        self._recover([Unresolved(each, *lost) for each in part.records])
        missing = self.result.unsettled(part.records)
        if not missing:
            return
        began = clock.now()
        if began - since >= self.max_retry_seconds:
            message = "every response was lost, and the calls had no effect"
            raise errors.UnavailableError(message).with_call_of(error) from error
        longest = min(MAX_PAUSE, 0.5 * 2 ** min(len(pauses), 10))
        clock.wait(max(backoff.full_jitter(longest), error.cause.retry_after or 0.0))
        pauses.append((began, clock.now()))
        self.parts.append(Part(part.action, missing))

    def _recover(self, unresolved: Sequence[Unresolved], action: Action = "create") -> None:
        """Settle what the tenant holds; reject what it lacks and is not to be sent again."""
        to_update = () if action == "update" else self.writer.recover(unresolved, self.result)
        self.parts.append(Part("update", list(to_update)))
        missing = set(self.result.unsettled([each.record for each in unresolved]))
        for each in unresolved:
            if each.reason is not None and each.record in missing.difference(to_update):
                sent_at = each.sent_at if action == "create" else None
                reason = replace(each.reason, sent_at=sent_at)
                self.result.settle(each.record, Outcome.REJECTED, reason)
