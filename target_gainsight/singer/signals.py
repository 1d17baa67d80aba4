"""Handles termination signals: an orderly stop, an end after 25 s, an end at once."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable

from target_gainsight.singer.reporting.run_end import RunEnd, interrupted

logger = logging.getLogger(__name__)

SECONDS_TO_STOP = 25
"""Seconds that a run has after a signal; Kubernetes kills after 30."""


class Interruption:
    """The first signal stops the run in order; a second one, or 25 s, ends the process.

    Args:
        stop: Asks the run to stop; called in a thread of its own, because a signal handler
            interrupts the main thread wherever it is, locks held included.
        publish: Called in that thread when the seconds are over.
    """

    def __init__(
        self,
        stop: Callable[[], None],
        publish: Callable[[RunEnd], object],
        seconds: float = SECONDS_TO_STOP,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._stop = stop
        self._publish = publish
        self._seconds = seconds
        self._exit_process = exit_process
        self.signal = 0

    @property
    def end(self) -> RunEnd:
        """How the run ends; a shell reports the end by a signal as 128 and its number."""
        name = signal.Signals(self.signal).name if self.signal else "a signal"
        return interrupted(name, 128 + self.signal)

    def on_signal(self, signum: int) -> None:
        """Stop the run; called by the signal handler."""
        is_second, self.signal = bool(self.signal), signum
        if is_second:
            self._exit_process(self.end.exit_code)
        threading.Thread(target=self._end, name="gainsight-stop", daemon=True).start()

    def _end(self) -> None:
        self._stop()
        name = signal.Signals(self.signal).name
        text = "Received %s. Calls in flight have %s seconds; another signal ends the run at once."
        logger.warning(text, name, self._seconds)
        threading.Event().wait(self._seconds)
        try:
            self._publish(self.end)
        finally:
            self._exit_process(self.end.exit_code)
