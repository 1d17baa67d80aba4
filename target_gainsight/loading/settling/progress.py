"""Reports the progress of a run: a line every 10 seconds, or a live line on a terminal."""

import logging
import sys
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from target_gainsight.loading.settling.summary import Summary
from target_gainsight.mapping.errors import counted

if TYPE_CHECKING:
    from rich.live import Live

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REFRESHES = 0.5
WINDOW = 60.0
"""The seconds over which rates are measured, and between two lines of an idle run."""


class Sample(NamedTuple):
    """The counts of a run at one time."""

    time: float
    read: int = 0
    settled: int = 0
    calls: int = 0


class Progress:
    """Reports what has been settled so far; once the input has ended, the end is estimated."""

    def __init__(self, summary: Summary, now: Callable[[], float]) -> None:
        self.input_ended = False
        self._summary = summary
        self._now = now
        self._is_live = sys.stderr.isatty()
        self._live: Live | None = None
        self._began = self._changed_at = now()
        self._samples = deque([Sample(self._began)])

    def tick(self, *, waiting: bool = False) -> None:
        """Report, if that is due."""
        summary, last = self._summary, self._samples[-1]
        sample = Sample(self._now(), summary.read, summary.settled, summary.calls.total)
        is_idle = sample[1:] == last[1:]
        interval = WINDOW if is_idle else SECONDS_BETWEEN_LINES
        if sample.time - last.time < (SECONDS_BETWEEN_REFRESHES if self._is_live else interval):
            return
        self._samples.append(sample)
        while self._samples[1].time <= sample.time - WINDOW:
            self._samples.popleft()
        if not is_idle:
            self._changed_at = sample.time
        report = self._draw if self._is_live else logger.info
        report(self._text(self._samples[0], sample, waiting=waiting))

    def close(self) -> None:
        """Remove the live line."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _text(self, before: Sample, now: Sample, *, waiting: bool) -> str:
        settled, calls = now.settled - before.settled, now.calls - before.calls
        idle_seconds, left = now.time - self._changed_at, now.read - now.settled
        if self.input_ended:
            activity = "all read"
            if settled and now.time - self._began >= WINDOW:
                seconds = left * (now.time - before.time) / settled
                activity += f", about {format_duration(seconds)} left"
        elif idle_seconds >= WINDOW and not left:
            activity = f"nothing new for {format_duration(idle_seconds)}"
        else:
            activity = "waiting for calls" if waiting else "reading"
        return (
            f"{now.settled:,} of {counted(now.read, 'record')} read are settled, {left:,} are "
            f"waiting; in the last minute {settled:,} settled, {counted(calls, 'call')}; elapsed "
            f"{format_duration(now.time - self._began)}, {activity}"
        )

    def _draw(self, text: str) -> None:
        if self._live is None:
            # Most runs have no terminal and need not wait a tenth of a second for these imports.
            from rich.console import Console  # noqa: PLC0415
            from rich.live import Live  # noqa: PLC0415

            self._live = Live(
                console=Console(stderr=True, highlight=False),
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,  # it takes the states
            )
            self._live.start()
        self._live.update(text, refresh=True)


def format_duration(seconds: float) -> str:
    """Return a duration as `0:01:10` or `2 days, 3:00:00`."""
    return str(timedelta(seconds=round(seconds)))
