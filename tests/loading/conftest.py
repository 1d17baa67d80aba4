"""A tenant for each test, and runs that load into it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from late_calls import AlarmClock
from tenant_runs import Loading

from target_gainsight.sandbox import start_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fake_clock import FakeClock

NO_LIMITS = {"calls_per_minute": 0, "calls_per_day": 0}


@pytest.fixture
def clock() -> AlarmClock:
    return AlarmClock()


@pytest.fixture
def start_loading(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Loading]]:
    """Start a tenant that is described as given, such as ``switches={…}``."""
    started = []
    caplog.set_level(logging.WARNING)

    def warnings() -> list[str]:
        listed = [entry.getMessage() for entry in caplog.records]
        caplog.clear()
        return listed

    def start(**described: Any) -> Loading:
        sandbox = start_sandbox(
            tmp_path / f"tenant-{len(started)}.db",
            config={"limits": NO_LIMITS, **described},
            clock=clock.now,
        )
        started.append(sandbox)
        return Loading(sandbox, clock, tmp_path, warnings)

    yield start
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def loading(start_loading: Callable[..., Loading]) -> Loading:
    """A tenant as shipped, without limits."""
    return start_loading()
