"""Handles termination signals: an orderly stop, an end after 25 s, an end at once."""

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

    Both arguments are called in a thread of its own, because a signal handler interrupts the main
    thread wherever it is, locks held included.

    Attributes:
        end: How the run ends, once there was a signal.
    """

    def __init__(
        self,
        stop: Callable[[], None],
        publish: Callable[[RunEnd], object],
        seconds: float = SECONDS_TO_STOP,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        self.end: RunEnd | None = None
        self._stop = stop
        self._publish = publish
        self._seconds = seconds
        self._exit_process = exit_process

    def on_signal(self, signum: int) -> None:
        """Stop the run; a shell reports the end by a signal as 128 and its number."""
        if self.end is not None:
            self._exit_process(128 + signum)
        name = signal.Signals(signum).name
        end = self.end = interrupted(name, 128 + signum)
        threading.Thread(
            target=self._end_in_time, args=(name, end), name="gainsight-stop", daemon=True
        ).start()

    def _end_in_time(self, name: str, end: RunEnd) -> None:
        self._stop()
        text = "Received %s. Calls in flight have %s seconds; another signal ends the run at once."
        logger.warning(text, name, self._seconds)
        threading.Event().wait(self._seconds)
        try:
            self._publish(end)
        finally:
            self._exit_process(end.exit_code)
