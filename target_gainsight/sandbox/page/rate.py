"""The rate of calls over time against the limit: read from the call log, drawn as bars.

Draws in numbers; what a bar looks like is for the template and the stylesheet.
"""

from dataclasses import dataclass

from target_gainsight.sandbox.config.limits import Window, windows_of
from target_gainsight.sandbox.page.texts import clock_time, duration
from target_gainsight.sandbox.page.view_context import ViewContext

WIDTH = 720
HEIGHT = 180
_SHOWN_WINDOWS = 60
_LABELS = 6
_HEADROOM = 1.15
_THINNEST_BAR = 2.0
_BAR_SHARE = 0.8
# Calls that the limits never saw: a refused key, a refused host.
_NOT_COUNTED = "('GS_APIG_2401', 'GS_APIG_2402')"
_THROTTLED = "('GU_2400', 'GS_APIG_2404')"


@dataclass(frozen=True)
class Usage:
    """The use of one limit: `calls` of `limit` in the current `stretch` of time."""

    family: str
    stretch: str
    calls: int
    limit: int


@dataclass(frozen=True)
class Bar:
    """One window of time.

    Attributes:
        label: when it began.
        served, throttled: calls within the limit, and calls refused because they exceeded it.
        x, width, served_height, throttled_height: in the drawing's units.
    """

    label: str
    served: int
    throttled: int
    x: float
    width: float
    served_height: float
    throttled_height: float


@dataclass(frozen=True)
class Chart:
    """The calls of one family, window by window.

    Attributes:
        limit: calls allowed in a window; 0 is unlimited.
        limit_y: where the line of the limit is; None where there is none.
        peak: the most calls of a window.
        ticks: position and text of the times below.
    """

    family: str
    stretch: str
    limit: int
    bars: tuple[Bar, ...]
    limit_y: float | None
    peak: int
    ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT


def usages(view: ViewContext) -> list[Usage]:
    """Return the current use of every limit."""
    now = view.tenant.clock()
    return [
        Usage(
            family,
            duration(window.seconds),
            view.tenant.counter.used(family, window.name, now),
            window.calls,
        )
        for family, windows in windows_of(view.tenant.config.limits).items()
        for window in windows
    ]


def charts(view: ViewContext) -> list[Chart]:
    """A chart for each family that was called, by the shortest window of its limits."""
    drawn = []
    for family, windows in windows_of(view.tenant.config.limits).items():
        window = min(windows, key=lambda each: each.seconds)
        kinds = [kind for kind, owner in view.families.items() if owner == family]
        counts = _counts(view, window, kinds)
        if counts:
            drawn.append(_chart(family, window, counts, view.tenant.clock()))
    return drawn


def _counts(view: ViewContext, window: Window, kinds: list[str]) -> dict[int, tuple[int, int]]:
    """By window since the epoch, the calls within the limit and those above it."""
    marks = ", ".join("?" * len(kinds))
    found = view.store.rows(
        f"SELECT CAST(at / ? AS INTEGER) AS opened, sum(code IS NULL OR code NOT IN {_THROTTLED}),"  # noqa: S608
        f' sum(code IN {_THROTTLED}) FROM "_calls" WHERE kind IN ({marks})'
        f" AND (code IS NULL OR code NOT IN {_NOT_COUNTED})"
        f" GROUP BY opened ORDER BY opened DESC LIMIT {_SHOWN_WINDOWS}",
        [window.seconds, *kinds],
    )
    return {opened: (served, throttled or 0) for opened, served, throttled in found}


def _chart(family: str, window: Window, counts: dict[int, tuple[int, int]], now: float) -> Chart:
    last = max(counts)
    current = int(now // window.seconds)
    end = current if current - last < _SHOWN_WINDOWS else last
    begin = end - _SHOWN_WINDOWS + 1
    shown = {opened: counts.get(opened, (0, 0)) for opened in range(begin, end + 1)}
    peak = max(sum(each) for each in shown.values())
    scale = HEIGHT / (max(peak, window.calls) * _HEADROOM)
    step = WIDTH / _SHOWN_WINDOWS
    exact = window.seconds < 60  # noqa: PLR2004 - a minute
    labels = [clock_time(opened * window.seconds, exact=exact) for opened in shown]
    bars = [
        Bar(
            label, *calls, round(at * step, 2), round(step * _BAR_SHARE, 2), *_heights(calls, scale)
        )
        for at, (label, calls) in enumerate(zip(labels, shown.values(), strict=True))
    ]
    return Chart(
        family,
        duration(window.seconds),
        window.calls,
        tuple(bars),
        round(HEIGHT - window.calls * scale, 2) if window.calls else None,
        peak,
        tuple((bar.x, bar.label) for bar in bars[:: _SHOWN_WINDOWS // _LABELS]),
    )


def _heights(calls: tuple[int, int], scale: float) -> tuple[float, float]:
    served, throttled = (max(_THINNEST_BAR, n * scale) if n else 0.0 for n in calls)
    return round(served, 2), round(throttled, 2)
