"""Reports the progress of a run: a line every 10 seconds, or a live line on a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from target_gainsight.mapping.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress as LiveProgress
    from rich.progress import TaskID

    from target_gainsight.loading.settling.summary import Summary

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REFRESHES = 0.5


class Progress:
    """Reports what has been settled so far.

    Args:
        now: Returns the time in seconds.
        live: Draw a live line instead; by default when standard error is a terminal.
    """

    def __init__(
        self, summary: Summary, now: Callable[[], float], *, live: bool | None = None
    ) -> None:
        self._summary = summary
        self._now = now
        self._is_live = sys.stderr.isatty() if live is None else live
        self._live: LiveProgress | None = None
        self._task: TaskID | None = None
        self._began = now()
        self._last_time = self._began
        self._last_calls = 0

    def tick(self, *, waiting: bool = False) -> None:
        """Report, if that is due."""
        now = self._now()
        every = SECONDS_BETWEEN_REFRESHES if self._is_live else SECONDS_BETWEEN_LINES
        passed = now - self._last_time
        if passed < every:
            return
        text = self._text(passed, waiting=waiting)
        self._last_time, self._last_calls = now, self._summary.calls.total
        if self._is_live:
            self._draw(text)
        else:
            logger.info(text)

    def close(self) -> None:
        """Remove the live line."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _text(self, passed: float, *, waiting: bool) -> str:
        calls = self._summary.calls.total
        rate = (calls - self._last_calls) * 60 / passed
        doing = "waiting" if waiting else "reading"
        return (
            f"{self._summary.settled} of {self._summary.read} records read are settled, "
            f"{counted(calls, 'call')}, {rate:.0f} calls a minute, {doing}"
        )

    def _draw(self, text: str) -> None:
        if self._live is None:
            self._live = _live_line()
            self._live.start()
            self._task = self._live.add_task(text, total=None)
        if self._task is not None:
            self._live.update(self._task, description=text, refresh=True)


def _live_line() -> LiveProgress:
    # Most runs have no terminal and need not wait for the import.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as LiveProgress  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    return LiveProgress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
    )
