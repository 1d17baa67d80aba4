"""The clock: everything that waits takes it as an argument, so that tests can drive it."""

import threading
import time


class Clock:
    """Epoch time that never jumps: the machine's clock at the start, advanced monotonically."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self.woken = threading.Event()  # set when the run is being stopped

    def now(self) -> float:
        """Return seconds since the epoch. Never goes backwards."""
        return self._start + time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait; return True if woken before the time was over."""
        return self.woken.wait(max(0.0, seconds))

    def wake(self) -> None:
        """End all waits, future ones included: the run is being stopped."""
        self.woken.set()
