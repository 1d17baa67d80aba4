"""Creates whose answer is lost: looked up before they are sent again, with growing pauses.

Knows neither a route nor an answer: what sends and what settles is handed in.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, TypeVar

import backoff

from target_gainsight.api import OutcomeUnclearError, UnavailableError
from target_gainsight.loading.writing.create_recovery import Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_gainsight.api import Clock
    from target_gainsight.loading.outcomes import BatchResult, LoadRecord
    from target_gainsight.loading.writing.create_recovery import UnclearCreates

logger = logging.getLogger(__name__)

Sent = TypeVar("Sent")

MOST_PAUSE = 60.0


class Resending:
    """The pauses between two sendings of the same records.

    Args:
        clock: Waits.
        max_seconds: How long the same records are sent again.
    """

    def __init__(self, clock: Clock, max_seconds: float) -> None:
        self._clock = clock
        self._max_seconds = max_seconds
        self._began = clock.now()
        self._pauses = _pauses()

    def pause(self, error: OutcomeUnclearError) -> None:
        """Wait before the same records are sent again.

        Args:
            error: What became of the last sending.

        Raises:
            UnavailableError: They have been sent for too long.
        """
        spent = self._clock.now() - self._began
        if spent >= self._max_seconds:
            message = "the records were sent again and again and never arrived"
            raise UnavailableError(message, attempts=0, waited=spent, **error.context) from error
        self._clock.wait(max(next(self._pauses), error.cause.retry_after or 0.0))


class Creates:
    """Sends creates that a repeat would double.

    Args:
        unclear: Finds out what became of them.
        clock: Waits between two sendings.
        max_seconds: How long the same creates are sent again.
    """

    def __init__(self, unclear: UnclearCreates, clock: Clock, max_seconds: float) -> None:
        self._unclear = unclear
        self._clock = clock
        self._max_seconds = max_seconds

    def send(
        self,
        part: Sequence[LoadRecord],
        result: BatchResult,
        send: Callable[[list[LoadRecord]], Sent],
        settle: Callable[[list[LoadRecord], Sent], None],
    ) -> None:
        """Send records until each has an outcome; one sent by an earlier run is looked up first.

        Args:
            part: The records.
            result: Takes the outcomes.
            send: Makes the call.
            settle: Settles the records of a call that was answered.

        Raises:
            RefusedError: The call is refused.
            UnavailableError: The records have been sent for too long.
        """
        waiting = self._look_up_sent_before(part, result)
        resending = Resending(self._clock, self._max_seconds)
        first_sent_at = math.inf
        while waiting:
            try:
                sent = send(waiting)
            except OutcomeUnclearError as error:
                logger.warning("%s; looking %d records up", error, len(waiting))
                first_sent_at = min(first_sent_at, error.sent_at)
                sending = Sending(first_sent_at, error.timed_out, str(error))
                self._unclear.resolve([(record, sending) for record in waiting], result)
                waiting = result.open_of(waiting)
                if waiting:
                    resending.pause(error)
            else:
                settle(waiting, sent)
                waiting = []

    def _look_up_sent_before(
        self, part: Sequence[LoadRecord], result: BatchResult
    ) -> list[LoadRecord]:
        replayed = [
            (record, Sending(float(record.sent_before), may_still_commit=False, because="replayed"))
            for record in part
            if record.sent_before is not None
        ]
        self._unclear.resolve(replayed, result)
        return result.open_of(part)


def _pauses() -> Iterator[float]:
    waits = backoff.expo(factor=0.5, max_value=MOST_PAUSE)
    next(waits)
    while True:
        yield backoff.full_jitter(next(waits))
