"""Runs of one tenant share its limits if configured."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock

from target_gainsight.api import Call, QuotaExceededError, QuotaStoreError, RefusedError
from target_gainsight.sandbox import start_sandbox
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.singer.connection import connect

UPLOAD = "/v1.0/admin/connector/job/bulkimport"


def calls_until_the_quota_is_spent(folder: Path, clock: FakeClock, **given: Any) -> int:
    settings = parse_settings(
        {
            "domain": "sandbox",
            "sandbox_path": str(folder / "tenant.db"),
            "calls_per_day": 10,
            "quota_percent": 50,
            **given,
        }
    )
    made = 0
    with suppress(QuotaExceededError), connect(settings, clock, lambda _: None) as client:
        while made <= settings.limits.calls_per_day:
            client.metadata.describe("Company")
            made += 1
    return made


def test_file_store_keeps_count_of_day(tmp_path: Path, clock: FakeClock) -> None:
    store = str(tmp_path / "quota.db")
    assert calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store) == 5
    assert calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store) == 0
    assert calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store, quota_percent=70) == 2


def test_other_tenant_has_its_own_count(tmp_path: Path, clock: FakeClock) -> None:
    store = str(tmp_path / "quota.db")
    other = str(tmp_path / "other.db")
    assert calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store) == 5
    assert (
        calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store, sandbox_path=other) == 5
    )


def test_runs_share_count_of_tenant(tmp_path: Path, clock: FakeClock) -> None:
    store = str(tmp_path / "quota.db")
    with start_sandbox(tmp_path / "served.db") as sandbox:
        reached = {"domain": None, "base_url": sandbox.base_url, "quota_store": store}
        key = {"access_key": sandbox.access_key}
        client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        assert calls_until_the_quota_is_spent(tmp_path, clock, **reached, **key) == 5
        assert calls_until_the_quota_is_spent(tmp_path, clock, **reached, **client) == 0
        more = {**reached, "quota_percent": 70}
        assert calls_until_the_quota_is_spent(tmp_path, clock, **more, **client) == 2


def test_memory_store_counts_each_run_alone(tmp_path: Path, clock: FakeClock) -> None:
    assert calls_until_the_quota_is_spent(tmp_path, clock) == 5
    assert calls_until_the_quota_is_spent(tmp_path, clock) == 5


def test_unusable_store_is_named_before_any_call(tmp_path: Path, clock: FakeClock) -> None:
    store = str(tmp_path / "missing" / "quota.db")
    with pytest.raises(QuotaStoreError, match=r"quota store .*missing/quota\.db"):
        calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store)
    assert not (tmp_path / "tenant.db").exists()


def waits_for_uploads(folder: Path, clock: FakeClock, uploads: int, **given: Any) -> list[float]:
    """Return the seconds that each upload of a run waited for its hour on the fake clock."""
    waited: list[float] = []
    settings = parse_settings(
        {"domain": "sandbox", "sandbox_path": str(folder / "tenant.db"), **given}
    )
    with connect(settings, clock, lambda event: waited.append(event.waited)) as client:
        for _ in range(uploads):
            with suppress(RefusedError):
                client.send(Call("POST", UPLOAD, kind="upload", group="bulk"))
    return waited


def test_successive_runs_share_hourly_upload_limit(tmp_path: Path, clock: FakeClock) -> None:
    store = str(tmp_path / "quota.db")
    assert waits_for_uploads(tmp_path, clock, 9, quota_store=store) == [0.0] * 9
    clock.advance(600)
    [waited] = waits_for_uploads(tmp_path, clock, 1, quota_store=store)
    assert waited == pytest.approx(3_000, abs=1)


def test_successive_runs_share_daily_upload_limit(tmp_path: Path, clock: FakeClock) -> None:
    store, day = str(tmp_path / "quota.db"), 4
    limits = {"quota_store": store, "bulk_calls_per_day": day, "quota_percent": 100}
    assert len(waits_for_uploads(tmp_path, clock, day, **limits)) == day
    with pytest.raises(QuotaExceededError, match="the day's quota of 4 bulk uploads"):
        waits_for_uploads(tmp_path, clock, 1, **limits)
    assert calls_until_the_quota_is_spent(tmp_path, clock, quota_store=store) == 5
