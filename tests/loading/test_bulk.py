"""Streams that go through a bulk job: what lands in the tenant, what is counted, what is kept."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_messages import record, schema, state
from tenant_runs import companies

from target_gainsight.loading import bulk
from target_gainsight.loading.files import LineWriter
from target_gainsight.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from singer_messages import Message
    from tenant_runs import Loading, LoadRun

COLUMNS = {"Account": "Name", "Sector": "Industry", "Staff": "Employees", "Renews": "RenewalDate"}
JOBS = {
    "job-1": {"object": "company", "operation": "upsert", "keys": ["Name"], "columns": COLUMNS},
    "plain": {"object": "company", "operation": "upsert", "keys": ["Name"]},
    "insert": {"object": "company", "operation": "insert"},
}
MAPPING = {
    "Name": "Account",
    "Industry": "Sector",
    "Employees": "Staff",
    "RenewalDate": "Renews",
}
ENTRY: Message = {"object_type": "company", "transport": "bulk", "bulk_job_id": "job-1"}
MAPPED: Message = {**ENTRY, "field_mapping": MAPPING}
PLAIN: Message = {**ENTRY, "bulk_job_id": "plain"}
BULK_LIMITS = {
    "calls_per_minute": 0,
    "calls_per_day": 0,
    "bulk_calls_per_hour": 0,
    "bulk_calls_per_day": 0,
}


@pytest.fixture
def bulk_loading(start_loading: Callable[..., Loading]) -> Loading:
    return start_loading(bulk_jobs=JOBS, limits=BULK_LIMITS)


def load(
    loading: Loading, messages: Iterable[Message], entry: Message = PLAIN, **settings: Any
) -> LoadRun:
    streams = {"accounts": entry}
    return loading.load(messages, object_type=None, streams=streams, **settings)


def by_file(run: LoadRun) -> Message:
    counts: Message = run.summary["streams"]["accounts"]["by_file"]
    return counts


def folder(loading: Loading) -> Path:
    return loading.folder / "rejects" / "bulk"


def kept(loading: Loading, pattern: str = "*.csv") -> list[Path]:
    return sorted(folder(loading).glob(pattern))


def uploaded(loading: Loading) -> int:
    return loading.calls()["upload"]


def test_rows_land_by_the_jobs_columns_and_operation(bulk_loading: Loading) -> None:
    bulk_loading.tenant.seed("company", [{"Name": "C0", "Employees": 1}])
    messages = [
        schema(),
        *companies([0, 1], Industry="Steel", Employees=7, RenewalDate="2027-01-31"),
        state(read=2),
    ]
    run = load(bulk_loading, messages, MAPPED)
    assert run.exit_code == 0
    assert run.states == [state(read=2)["value"]]
    rows = bulk_loading.tenant.rows("company")
    told = [(r["Name"], r["Industry"], r["Employees"], r["RenewalDate"]) for r in rows]
    assert told == [
        ("C0", "Steel", 7, "2027-01-31"),
        ("C1", "Steel", 7, "2027-01-31"),
    ]
    assert by_file(run) == {
        "files": 1,
        "rows": 2,
        "accepted": 2,
        "failed": 0,
        "unknown": 0,
        "repeated": 0,
        "settled": 2,
        "kept": [],
        "written": [],
    }
    assert not list(folder(bulk_loading).glob("*.csv*"))
    assert not list(folder(bulk_loading).glob("*.json"))
