"""Slow calls and timeouts that take no time: what is slow is slow by the fake clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from fake_clock import FakeClock
from requests.adapters import HTTPAdapter

from target_gainsight.sandbox import Fault
from target_gainsight.sandbox.config.faults import FaultDecision, FaultPlan


class AlarmClock(FakeClock):
    """A fake clock with alarms that call a function at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def at(self, time: float, do: Callable[[], None]) -> None:
        self._alarms.append((time, do))

    def wait(self, seconds: float) -> bool:
        woken = super().wait(seconds)
        self._ring()
        return woken

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._ring()

    def _ring(self) -> None:
        due = [alarm for alarm in self._alarms if alarm[0] <= self.now()]
        self._alarms = [alarm for alarm in self._alarms if alarm not in due]
        for _, do in due:
            do()


class LateCalls(HTTPAdapter):
    """Transport to the tenant that delays calls by its plan and the clock.

    A call that takes longer than the client waits is a timeout: it reaches the tenant when its
    time has come, or never where the plan resets it.

    Args:
        clock: The time of tenant and target.
    """

    def __init__(self, clock: AlarmClock) -> None:
        super().__init__()
        self.plan = FaultPlan()
        self.tries: Counter[tuple[str, str]] = Counter()
        self._clock = clock

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        call = str(request.method), urlsplit(str(request.url)).path
        self.tries[call] += 1
        hit = self.plan.pick(*call)
        seconds = hit.before_commit + hit.before_answer
        _, timeout = options["timeout"]
        if seconds <= timeout:
            self._clock.advance(seconds)
            return super().send(request, **options)
        if not isinstance(request.body, bytes | None):
            request.body = b"".join(request.body)
        self._send_late(request, hit)
        self._clock.advance(timeout)
        raise requests.ReadTimeout

    def _send_late(self, request: requests.PreparedRequest, hit: FaultDecision) -> None:
        if hit.fault is not None and not hit.fault.takes_effect:
            return
        arrives = self._clock.now() + hit.before_commit
        self._clock.at(
            arrives, lambda: super(LateCalls, self).send(request, timeout=(5, 5)).close()
        )

    def session(self) -> requests.Session:
        """Return a session whose calls are late."""
        session = requests.Session()
        session.mount("http://", self)
        return session


def late_calls(clock: FakeClock, *faults: Fault) -> requests.Session:
    """Return a session whose calls meet faults by this clock, which must be an `AlarmClock`."""
    assert isinstance(clock, AlarmClock)
    wire = LateCalls(clock)
    wire.plan.add(*faults)
    return wire.session()
