"""Fixtures for all tests: a fake clock, a sandbox, a clean environment, restored signals."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
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

TERMINAL_NAMES = {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "LINES"}
PROXY_NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
FOREIGN_PREFIXES = ("TARGET_GAINSIGHT_", "MELTANO_", "SINGER_SDK_")


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
def _clean_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables that change what the code under test does or prints."""
    if request.node.get_closest_marker("e2e"):
        return
    for name in os.environ:
        if name.upper() in TERMINAL_NAMES | PROXY_NAMES or name.startswith(FOREIGN_PREFIXES):
            monkeypatch.delenv(name)


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
