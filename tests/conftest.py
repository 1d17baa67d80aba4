"""For every test: a clock that jumps, a tenant by it, and the signals as they were."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from fake_clock import FakeClock
from singer_runs import NO_LIMITS, Tenant, embedded_tenant, signals_as_they_were

from target_gainsight.sandbox import start_sandbox

hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")  # the same examples on every machine, however slow it is


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Iterator[Tenant]:
    with embedded_tenant(tmp_path, clock, caplog) as tenant:
        yield tenant


@pytest.fixture
def start_tenant(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Tenant]]:
    """Start a tenant with the given description, such as ``switches={…}``, without limits."""
    caplog.set_level(logging.INFO)
    with contextlib.ExitStack() as started:
        numbers = itertools.count()

        def start(**described: Any) -> Tenant:
            sandbox = start_sandbox(
                tmp_path / f"tenant-{next(numbers)}.db",
                config={"limits": NO_LIMITS, **described},
                clock=clock.now,
            )
            started.callback(sandbox.stop)
            return Tenant(sandbox, clock, tmp_path, caplog)

        yield start


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    with signals_as_they_were():
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-matrix", action="store_true", help="write docs/fault-matrix.md from what is seen"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[pytest.TestReport]:
    """Escape what UTF-8 cannot hold: a worker could not hand its report over."""
    report: pytest.TestReport = yield
    report.sections = [(name, _encodable(text)) for name, text in report.sections]
    text = str(report.longrepr)
    if report.longrepr is not None and _encodable(text) != text:
        report.longrepr = _encodable(text)
    return report


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
