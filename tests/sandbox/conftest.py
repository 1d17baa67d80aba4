"""A tenant per test, spoken to over real HTTP, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tenant_api import TENANT, Api, Clock, OpenTenant

from target_gainsight.sandbox import start_sandbox


@pytest.fixture
def open_tenant(tmp_path: Path) -> Iterator[OpenTenant]:
    """Start a tenant; keywords are keys of its config, `path` and `clock` besides."""
    opened: list[Api] = []

    def start(path: str = "tenant.db", clock: Clock | None = None, **config: Any) -> Api:
        clock = clock or Clock()
        running = start_sandbox(tmp_path / path, config={**TENANT, **config}, clock=clock)
        opened.append(Api(running, clock))
        return opened[-1]

    yield start
    for api in opened:
        api.close()


@pytest.fixture
def api(open_tenant: OpenTenant) -> Api:
    """A tenant as shipped, with the custom objects above."""
    return open_tenant()
