"""Draws the calls per minute of a run as bars against the limit.

Draws in percent of the chart's width and height; the page stretches it to the screen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from target_gainsight.mapping.errors import counted

MAX_BARS = 90
MIN_BARS = 4
MAX_BAR_REM = 3.5
"""The chart of a short run is narrow: with two bars in the whole width they would be walls."""

BAR_SHARE = 0.8
HEADROOM = 1.1
MIN_HEIGHT = 1.0
TICKS = 4
MINUTES_PER_DAY = 24 * 60
MINUTE = "minute"


@dataclass(frozen=True)
class Bar:
    """The calls of one minute, or of the busiest of several minutes."""

    label: str
    calls: int
    x: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """The calls of one group, minute by minute.

    Attributes:
        group: The rate limit group.
        limit: The allowed calls per minute; None without such a limit.
        limit_y: The position of the limit's line.
        peak: The most calls in a minute.
        minutes_per_bar: Minutes of which a bar shows the busiest one.
        ticks: Positions and labels of the times below.
        max_width_rem: The most that the chart takes of the page's width.
    """

    group: str
    limit: int | None
    limit_y: float | None
    peak: int
    minutes_per_bar: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    max_width_rem: float

    @property
    def caption(self) -> str:
        """A sentence with peak and limit."""
        peak = f"At most {counted(self.peak, 'call')} in a minute"
        return f"{peak}; {self.limit:,} are allowed." if self.limit else f"{peak}."


def draw_charts(calls: Mapping[str, Any]) -> list[Chart]:
    """Draw a chart for each group of calls of a summary document's `calls`, on one time axis."""
    limits = calls.get("allowed_per_minute") or {}
    by_group: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
    for entry in calls.get("calls_per_minute") or ():
        minute = datetime.fromisoformat(entry[MINUTE])
        for group, count in entry.items():
            if group != MINUTE:
                by_group[group][minute] = count
    minutes = [minute for counts in by_group.values() for minute in counts]
    if not minutes:
        return []
    axis = _axis(min(minutes), max(minutes))
    return [_draw(group, counts, limits.get(group), axis) for group, counts in by_group.items()]


@dataclass(frozen=True)
class _Axis:
    """The times of the bars."""

    first: datetime
    minutes_per_bar: int
    labels: tuple[str, ...]

    def position(self, minute: datetime) -> int:
        """Return the bar that a minute belongs to."""
        return _minutes_between(self.first, minute) // self.minutes_per_bar


def _axis(first: datetime, last: datetime) -> _Axis:
    minutes = _minutes_between(first, last) + 1
    per_bar = -(-minutes // MAX_BARS)
    slots = max(MIN_BARS, -(-minutes // per_bar))
    form = "%H:%M" if minutes < MINUTES_PER_DAY else "%d %b %H:%M"
    times = (first + timedelta(minutes=per_bar * slot) for slot in range(slots))
    return _Axis(first, per_bar, tuple(time.strftime(form) for time in times))


def _draw(group: str, counts: Mapping[datetime, int], limit: int | None, axis: _Axis) -> Chart:
    peaks: defaultdict[int, int] = defaultdict(int)
    for minute, count in counts.items():
        position = axis.position(minute)
        peaks[position] = max(peaks[position], count)
    peak = max(peaks.values())
    top = HEADROOM * max(peak, limit or 0)
    slot = 100 / len(axis.labels)
    return Chart(
        group,
        limit,
        round(100 - 100 * limit / top, 2) if limit else None,
        peak,
        axis.minutes_per_bar,
        tuple(
            Bar(
                axis.labels[position],
                calls,
                round(slot * position, 3),
                round(slot * BAR_SHARE, 3),
                round(max(MIN_HEIGHT, 100 * calls / top), 2),
            )
            for position, calls in sorted(peaks.items())
        ),
        tuple(_ticks(axis.labels)),
        MAX_BAR_REM * len(axis.labels),
    )


def _ticks(labels: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    for tick in range(TICKS):
        position = tick * len(labels) // TICKS
        yield round(100 * position / len(labels), 2), labels[position]


def _minutes_between(first: datetime, second: datetime) -> int:
    return int((second - first).total_seconds() // 60)
