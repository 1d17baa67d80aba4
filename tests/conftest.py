"""Being here puts this folder on the import path: `fake_clock` is for every test."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
