"""Stops a probe between two calls on a signal, so that no create is cut off half done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""SIGHUP, which Windows lacks, comes when the terminal is closed."""
_SIGNAL_EXIT = 128


class InterruptedProbeError(Exception):
    """A signal ends the probe; the records that it has created are still to be deleted."""


class Interruption:
    """Notes the first signal, to be acted on by `check`; the same one again ends the process.

    A different one changes nothing, because a terminal and a parent process may signal both.
    """

    def __init__(self) -> None:
        self._signal: int | None = None

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Note signals until the end of the block."""
        previous = {each: signal.signal(each, self._note) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as a shell reports it."""
        return _SIGNAL_EXIT + (self._signal or 0)

    def check(self) -> None:
        """Raise an InterruptedProbeError if a signal was received."""
        if self._signal is not None:
            raise InterruptedProbeError

    def _note(self, signum: int, _: FrameType | None) -> None:
        if self._signal == signum:
            raise SystemExit(_SIGNAL_EXIT + signum)
        self._signal = self._signal or signum
