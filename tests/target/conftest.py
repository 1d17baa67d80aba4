"""A tenant for each test, by a clock that jumps."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import pytest
from singer_runs import Tenant

from target_gainsight.sandbox import start_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fake_clock import FakeClock

KEY = "k3y-of-the-t3nant"
DESCRIBED = {
    "limits": {"calls_per_minute": 0, "calls_per_day": 0},
    "objects": {
        "Order__gc": {
            "fields": {
                "orderId__gc": {"type": "NUMBER"},
                "buyer__gc": {"type": "STRING"},
                "placedAt__gc": {"type": "DATETIME"},
                "sequence__gc": {"type": "NUMBER"},
            }
        }
    },
}


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    """A target takes the process's signals for itself."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Iterator[Tenant]:
    caplog.set_level(logging.INFO)
    with start_sandbox(
        tmp_path / "tenant.db", config=DESCRIBED, access_key=KEY, clock=clock.now
    ) as sandbox:
        yield Tenant(sandbox, clock, tmp_path, caplog)
