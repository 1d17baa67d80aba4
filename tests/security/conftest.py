"""A tenant for each test, by a clock that jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_runs import Tenant, embedded_tenant, signals_as_they_were

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fake_clock import FakeClock


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Iterator[Tenant]:
    with embedded_tenant(tmp_path, clock, caplog) as tenant:
        yield tenant


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    with signals_as_they_were():
        yield
