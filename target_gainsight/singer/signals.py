"""Handles termination signals: an orderly stop, an end after 25 s, an end at once."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

SECONDS_TO_STOP = 25
"""Seconds that a run has after a signal; Kubernetes kills after 30."""

SIGNAL_EXIT = 128


class Interruption:
    """The first signal stops the run in order; a second one, or 25 s, ends the process.

    Args:
        stop: Asks the run to stop; called in a thread of its own, because a signal handler
            interrupts the main thread wherever it is, locks held included.
        before_exit: Called in that thread when the seconds are over.

    Attributes:
        signal: The first signal received.
    """

    def __init__(
        self,
        stop: Callable[[], None],
        before_exit: Callable[[], None],
        seconds_to_stop: float = SECONDS_TO_STOP,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._stop = stop
        self._before_exit = before_exit
        self._seconds_to_stop = seconds_to_stop
        self._exit_process = exit_process
        self.signal: int | None = None

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as a shell reports it."""
        return SIGNAL_EXIT + (self.signal or 0)

    @property
    def signal_name(self) -> str:
        """The signal's name, such as SIGTERM."""
        return "a signal" if self.signal is None else signal.Signals(self.signal).name

    def on_signal(self, signum: int) -> None:
        """Stop the run; called by the signal handler."""
        if self.signal is not None:
            self._exit_process(SIGNAL_EXIT + signum)
        self.signal = signum
        threading.Thread(target=self._end, name="gainsight-stop", daemon=True).start()

    def _end(self) -> None:
        self._stop()
        logger.warning(
            "Received %s. Calls in flight are finished within %s seconds; another signal "
            "ends the run at once.",
            self.signal_name,
            self._seconds_to_stop,
        )
        threading.Event().wait(self._seconds_to_stop)
        self._before_exit()
        self._exit_process(self.exit_code)
