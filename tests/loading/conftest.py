"""For these tests: a clock with alarms, and a tenant without further objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from late_calls import AlarmClock
from singer_runs import Tenant


@pytest.fixture
def clock() -> AlarmClock:
    return AlarmClock()


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant()
