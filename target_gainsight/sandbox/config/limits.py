"""Counts calls in fixed, clock-aligned windows.

"Between 10:00 and 10:01 only 100 requests are served" (Company API, Limits) [D]; that windows
follow the clock and that the quota is the tenant's is inferred [I]. Days are UTC days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias

from target_gainsight.sandbox.config.switches import Limits
from target_gainsight.sandbox.storage.store import Store

Family: TypeAlias = Literal["synchronous", "timeline", "bulk"]


@dataclass(frozen=True)
class Window:
    """At most `calls` in each window of `seconds`, counted from the epoch; 0 calls is no limit."""

    name: str
    calls: int
    seconds: float


def windows_of(limits: Limits) -> dict[Family, tuple[Window, ...]]:
    """Return the windows of each family of calls."""
    return {
        "synchronous": (
            Window("minute", limits.calls_per_minute, limits.minute_seconds),
            Window("day", limits.calls_per_day, limits.day_seconds),
        ),
        "timeline": (Window("minute", limits.timeline_calls_per_minute, limits.minute_seconds),),
        "bulk": (
            Window("hour", limits.bulk_calls_per_hour, limits.hour_seconds),
            Window("day", limits.bulk_calls_per_day, limits.day_seconds),
        ),
    }


class CallCounter:
    """Admits calls until a window of their family is full; a refused call is not counted.

    The counts are kept in the tenant's file, so that a restart does not refill the day.
    """

    def __init__(self, store: Store, windows: Mapping[Family, tuple[Window, ...]]) -> None:
        self._store = store
        self._windows = windows
        self._lock = Lock()
        self._counts: dict[str, tuple[int, int]] = {
            name: (opened, calls)
            for name, opened, calls in store.rows('SELECT name, opened, calls FROM "_quota"')
        }

    def admit(self, family: Family, now: float) -> float | None:
        """Count a call, or say how many seconds its family's fullest window stays full."""
        with self._lock:
            states = [
                (f"{family}/{window.name}", window, int(now // window.seconds))
                for window in self._windows[family]
            ]
            waits = [
                (opened + 1) * window.seconds - now
                for name, window, opened in states
                if window.calls and self._calls(name, opened) >= window.calls
            ]
            if waits:
                return max(waits)
            for name, _, opened in states:
                self._counts[name] = (opened, self._calls(name, opened) + 1)
        return None

    def used(self, family: Family, window: str, now: float) -> int:
        """Calls admitted in the current window."""
        found = next(each for each in self._windows[family] if each.name == window)
        return self._calls(f"{family}/{window}", int(now // found.seconds))

    def _calls(self, name: str, opened: int) -> int:
        since, calls = self._counts.get(name, (opened, 0))
        return calls if since == opened else 0

    def keep(self) -> None:
        """Write the counts into the tenant's file."""
        rows = [(name, *count) for name, count in self._counts.items()]
        self._store.execute_many('INSERT OR REPLACE INTO "_quota" VALUES (?, ?, ?)', rows)
