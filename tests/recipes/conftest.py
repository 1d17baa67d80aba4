"""The recipe's sandbox for each test, with a fake clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_clock import FakeClock
from nps_recipe import tenant_description
from singer_runs import KEY, Tenant

from target_gainsight.sandbox import start_sandbox


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Iterator[Tenant]:
    caplog.set_level(logging.INFO)
    described = tenant_description()
    path = tmp_path / "tenant.db"
    with start_sandbox(path, config=described, access_key=KEY, clock=clock.now) as sandbox:
        yield Tenant(sandbox, clock, tmp_path, caplog)
