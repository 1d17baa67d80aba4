"""The clock: everything that waits takes it as an argument, so that tests can drive it."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's clock, read once and continued by the monotonic clock.

    A machine whose time is set back during a run must not send calls into a window that is full.
    """

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self._woken = threading.Event()

    def now(self) -> float:
        """Return seconds since the epoch. Never goes backwards."""
        return self._start + time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait; return True if woken before the time was over."""
        return self._woken.wait(max(0.0, seconds))

    def wake(self) -> None:
        """End all waits, future ones included: the run is being stopped."""
        self._woken.set()
