"""Reports the progress of a run: a line every 10 seconds, or a live line on a terminal."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from rich.progress import Progress as LiveProgress
from rich.progress import TaskID

from target_gainsight.loading.settling.summary import Summary
from target_gainsight.mapping.errors import counted

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

    def equals(self, other: Sample) -> bool:
        """Return whether nothing has happened between two samples."""
        return self[1:] == other[1:]


class Progress:
    """Reports what has been settled so far.

    The total is unknown until the input ends; only then is there an estimate of the end.

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
        self._input_ended = False
        first = Sample(now(), 0, 0, 0)
        self._began = first.time
        self._reported = first
        self._changed = first
        self._samples = deque([first])

    def end_input(self) -> None:
        """Estimate the end from now on: all records have been read."""
        self._input_ended = True

    def tick(self, *, waiting: bool = False) -> None:
        """Report, if that is due."""
        summary = self._summary
        sample = Sample(self._now(), summary.read, summary.settled, summary.calls.total)
        self._keep(sample)
        if sample.time - self._reported.time < self._interval(sample):
            return
        text = self._text(sample, waiting=waiting)
        self._reported = sample
        if self._is_live:
            self._draw(text)
        else:
            logger.info(text)

    def close(self) -> None:
        """Remove the live line."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _keep(self, sample: Sample) -> None:
        """Keep a sample a second within the window; an older one only where there is no other."""
        if not sample.equals(self._changed):
            self._changed = sample
        if sample.time - self._samples[-1].time >= SECONDS_BETWEEN_SAMPLES:
            self._samples.append(sample)
        oldest = sample.time - WINDOW
        while len(self._samples) > MIN_SAMPLES and self._samples[0].time < oldest:
            self._samples.popleft()

    def _interval(self, sample: Sample) -> float:
        if self._is_live:
            return SECONDS_BETWEEN_REFRESHES
        idle = sample.equals(self._reported)
        return SECONDS_BETWEEN_IDLE_LINES if idle else SECONDS_BETWEEN_LINES

    def _text(self, sample: Sample, *, waiting: bool) -> str:
        before = self._samples[0]
        share = min(1.0, WINDOW / max(WINDOW, sample.time - before.time))
        settled = round((sample.settled - before.settled) * share)
        calls = round((sample.calls - before.calls) * share)
        return (
            f"{sample.settled:,} of {counted(sample.read, 'record')} read are settled, "
            f"{sample.read - sample.settled:,} are waiting; in the last minute {settled:,} "
            f"settled, {counted(calls, 'call')}; elapsed {_duration(sample.time - self._began)}, "
            f"{self._doing(sample, waiting=waiting)}"
        )

    def _doing(self, sample: Sample, *, waiting: bool) -> str:
        idle_seconds = sample.time - self._changed.time
        if self._input_ended:
            return self._estimate(sample)
        if idle_seconds >= WINDOW and sample.read == sample.settled:
            return f"nothing new for {_duration(idle_seconds)}"
        return "waiting for calls" if waiting else "reading"

    def _estimate(self, sample: Sample) -> str:
        """Return the time that is left if the records go on being settled at this rate."""
        before, left = self._samples[0], sample.read - sample.settled
        seconds, settled = sample.time - before.time, sample.settled - before.settled
        if settled <= 0 or sample.time - self._began < WINDOW:
            return "all read"
        return f"all read, about {_duration(left * seconds / settled)} left"

    def _draw(self, text: str) -> None:
        if self._live is None:
            self._live = _live_line()
            self._live.start()
            self._task = self._live.add_task(text, total=None)
        if self._task is not None:
            self._live.update(self._task, description=text, refresh=True)


def _duration(seconds: float) -> str:
    """Return a duration as `0:01:10` or `2 days, 3:00:00`."""
    return str(timedelta(seconds=round(seconds)))


def _live_line() -> LiveProgress:
    # Most runs have no terminal and need not wait for the import.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as LiveProgress  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    return LiveProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=Column(overflow="fold")),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
    )
