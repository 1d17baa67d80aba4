"""Reports the progress of a run: a line every 10 seconds, or a live line on a terminal."""

from __future__ import annotations

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
    from rich.spinner import Spinner

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_IDLE_LINES = 60.0
SECONDS_BETWEEN_REFRESHES = 0.5
SECONDS_BETWEEN_SAMPLES = 1.0
MIN_SAMPLES = 2
WINDOW = 60.0
"""The seconds over which rates are measured."""


class Sample(NamedTuple):
    """The counts of a run at one time."""

    time: float
    read: int
    settled: int
    calls: int


class Progress:
    """Reports what has been settled so far.

    The total is unknown until the input ends; only then is there an estimate of the end.

    Args:
        now: Returns the time in seconds.
        live: Draw a live line instead; by default when standard error is a terminal.

    Attributes:
        input_ended: All records have been read.
    """

    def __init__(
        self, summary: Summary, now: Callable[[], float], *, live: bool | None = None
    ) -> None:
        self.input_ended = False
        self._summary = summary
        self._now = now
        self._is_live = sys.stderr.isatty() if live is None else live
        self._live: tuple[Live, Spinner] | None = None
        first = Sample(now(), 0, 0, 0)
        self._began = first.time
        self._reported = first
        self._changed = first
        self._samples = deque([first])

    def tick(self, *, waiting: bool = False) -> None:
        """Report, if that is due."""
        summary = self._summary
        sample = Sample(self._now(), summary.read, summary.settled, summary.calls.total)
        self._keep(sample)
        interval = SECONDS_BETWEEN_REFRESHES if self._is_live else SECONDS_BETWEEN_LINES
        if not self._is_live and sample[1:] == self._reported[1:]:
            interval = SECONDS_BETWEEN_IDLE_LINES
        if sample.time - self._reported.time < interval:
            return
        self._reported = sample
        text = self._text(sample, waiting=waiting)
        if self._is_live:
            self._draw(text)
        else:
            logger.info(text)

    def close(self) -> None:
        """Remove the live line."""
        if self._live is not None:
            self._live[0].stop()
            self._live = None

    def _keep(self, sample: Sample) -> None:
        """Keep a sample a second within the window; an older one only where there is no other."""
        if sample[1:] != self._changed[1:]:
            self._changed = sample
        if sample.time - self._samples[-1].time >= SECONDS_BETWEEN_SAMPLES:
            self._samples.append(sample)
        while len(self._samples) > MIN_SAMPLES and self._samples[0].time < sample.time - WINDOW:
            self._samples.popleft()

    def _text(self, sample: Sample, *, waiting: bool) -> str:
        before = self._samples[0]
        share = min(1.0, WINDOW / max(WINDOW, sample.time - before.time))
        settled = round((sample.settled - before.settled) * share)
        calls = round((sample.calls - before.calls) * share)
        return (
            f"{sample.settled:,} of {counted(sample.read, 'record')} read are settled, "
            f"{sample.read - sample.settled:,} are waiting; in the last minute {settled:,} "
            f"settled, {counted(calls, 'call')}; elapsed {_duration(sample.time - self._began)}, "
            f"{self._activity(sample, waiting=waiting)}"
        )

    def _activity(self, sample: Sample, *, waiting: bool) -> str:
        """Return what the run does; if all is read, with the time left at the present rate."""
        idle_seconds, before = sample.time - self._changed.time, self._samples[0]
        if self.input_ended:
            settled = sample.settled - before.settled
            if settled <= 0 or sample.time - self._began < WINDOW:
                return "all read"
            left = (sample.read - sample.settled) * (sample.time - before.time) / settled
            return f"all read, about {_duration(left)} left"
        if idle_seconds >= WINDOW and sample.read == sample.settled:
            return f"nothing new for {_duration(idle_seconds)}"
        return "waiting for calls" if waiting else "reading"

    def _draw(self, text: str) -> None:
        if self._live is None:
            # Most runs have no terminal and need not wait a tenth of a second for these imports.
            from rich.console import Console  # noqa: PLC0415
            from rich.live import Live  # noqa: PLC0415
            from rich.spinner import Spinner  # noqa: PLC0415

            spinner, console = Spinner("dots"), Console(stderr=True)
            live = Live(spinner, console=console, auto_refresh=False, transient=True)
            live.start()
            self._live = live, spinner
        live, spinner = self._live
        spinner.update(text=text)
        live.refresh()


def _duration(seconds: float) -> str:
    """Return a duration as `0:01:10` or `2 days, 3:00:00`."""
    return str(timedelta(seconds=round(seconds)))
