"""Clocks for tests: nothing here sleeps."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from target_gainsight.api import Clock

NOON = 1_767_268_800.0
"""2026-01-01 12:00:00 UTC."""


class FakeClock:
    """Advances by what is waited for, and remembers the waits."""

    def __init__(self, start: float = NOON) -> None:
        self.waits: list[float] = []
        self._now = start
        self.woken = threading.Event()
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def wait(self, seconds: float) -> bool:
        with self._lock:
            if not self.woken.is_set():
                self.waits.append(seconds)
                self._now += seconds
            return self.woken.is_set()

    def wake(self) -> None:
        self.woken.set()

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody waiting for it."""
        with self._lock:
            self._now += seconds


class WatchedClock(Clock):
    """The system's clock; a test can wait until a thread waits."""

    def __init__(self) -> None:
        super().__init__()
        self._waits = threading.Semaphore(0)

    def wait(self, seconds: float) -> bool:
        self._waits.release()
        return super().wait(seconds)

    def until_waiting(self, threads: int = 1) -> None:
        for _ in range(threads):
            assert self._waits.acquire(timeout=60)


class SimulatedClock:
    """Runs several threads in simulated time, one at a time.

    Time stands still while a thread works and jumps when all of them wait.
    """

    def __init__(self, start: float = NOON) -> None:
        self.woken = threading.Event()
        self._now = start
        self._order = count()
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._running = 0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def wait(self, seconds: float) -> bool:
        turn = threading.Event()
        with self._lock:
            heapq.heappush(self._waiting, (self._now + max(0.0, seconds), next(self._order), turn))
            self._yield_turn()
        turn.wait()
        return False

    def wake(self) -> None:
        with self._lock:
            self._waiting = [(self._now, order, turn) for _, order, turn in self._waiting]

    def run(self, works: list[Callable[[], None]]) -> None:
        """Run each piece of work in a thread of its own until all are done."""
        threads = [threading.Thread(target=self._run, args=(work,)) for work in works]
        self._running = len(threads)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            self.wait(0)
            work()
        finally:
            with self._lock:
                self._yield_turn()

    def _yield_turn(self) -> None:
        """Let the thread whose time comes first go on, once no other is at work."""
        self._running -= 1
        if self._running == 0 and self._waiting:
            due, _, turn = heapq.heappop(self._waiting)
            self._now = max(self._now, due)
            self._running = 1
            turn.set()
