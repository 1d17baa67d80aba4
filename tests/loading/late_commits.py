"""Calls that the tenant commits after the client has stopped waiting for their answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from tenant_runs import Loading

    from target_gainsight.target import TargetGainsight

SECONDS_OF_A_TIMEOUT = 0.1


def impatient_target(loading: Loading, **settings: Any) -> TargetGainsight:
    """A target that does not wait for an answer for long."""
    target = loading.target(**settings)
    target.run.client._timeout = SECONDS_OF_A_TIMEOUT
    return target


def wait_by_commits(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, held: Callable[[], bool]
) -> None:
    """Let every wait of the clock last until the tenant has done something."""
    wait = loading.clock.wait

    def wait_for_commit(seconds: float) -> bool:
        until(held)
        return wait(seconds)

    monkeypatch.setattr(loading.clock, "wait", wait_for_commit)


def until(held: Callable[[], bool]) -> None:
    """Wait for what the tenant is about to do."""
    for _ in range(200):
        if held():
            return
        time.sleep(0.01)
    raise AssertionError
