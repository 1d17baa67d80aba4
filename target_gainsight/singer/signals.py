"""Handles termination signals: an orderly stop, an end after 25 s, an end at once."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from target_gainsight.singer.reporting.run_end import RunEnd, interrupted

logger = logging.getLogger(__name__)

SECONDS_TO_STOP = 25
"""Seconds that a run has after a signal; Kubernetes kills after 30."""


@dataclass
class Interruption:
    """The first signal stops the run in order; a second one, or 25 s, ends the process.

    `stop` and `publish` are called in a thread of its own, because a signal handler interrupts the
    main thread wherever it is, locks held included. `end` is how the run ends after a signal.
    """

    stop: Callable[[], None]
    publish: Callable[[RunEnd], object]
    seconds: float = SECONDS_TO_STOP
    exit_process: Callable[[int], object] = os._exit
    end: RunEnd | None = None

    def on_signal(self, signum: int) -> None:
        """Stop the run; a shell reports the end by a signal as 128 and its number."""
        if self.end is not None:
            self.exit_process(128 + signum)
        name = signal.Signals(signum).name
        end = self.end = interrupted(name, 128 + signum)
        threading.Thread(
            target=self._end_in_time, args=(name, end), name="gainsight-stop", daemon=True
        ).start()

    def _end_in_time(self, name: str, end: RunEnd) -> None:
        self.stop()
        text = "Received %s. Calls in flight have %s seconds; another signal ends the run at once."
        logger.warning(text, name, self.seconds)
        threading.Event().wait(self.seconds)
        try:
            self.publish(end)
        finally:
            self.exit_process(end.exit_code)
