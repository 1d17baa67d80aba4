"""Stops a probe between two calls on a signal, so that no create is cut off half done."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from typing_extensions import Self

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

    Attributes:
        signal: The first signal received, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._previous: dict[int, signal.Handlers | int | object] = {}

    def __enter__(self) -> Self:
        self._previous = {each: signal.signal(each, self._note) for each in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each, handler in self._previous.items():
            signal.signal(each, handler)  # type: ignore[arg-type]

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as a shell reports it."""
        return _SIGNAL_EXIT + (self.signal or 0)

    def check(self) -> None:
        """Raise if a signal was received.

        Raises:
            InterruptedProbeError: A signal was received.
        """
        if self.signal is not None:
            raise InterruptedProbeError

    def _note(self, signum: int, _: FrameType | None) -> None:
        if self.signal == signum:
            raise SystemExit(_SIGNAL_EXIT + signum)
        self.signal = self.signal or signum
