"""Exit codes: 0 if records are loaded or kept, 1 if someone must act."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from singer_messages import record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault


def bad(name: str) -> dict[str, object]:
    return record(Name=name, Employees="a lot")


def test_run_with_rejects_only_fails(tenant: Tenant) -> None:
    run = tenant.load(schema(), bad("A"), bad("B"), state(at=2))
    assert run.exit_code == 1
    assert run.error == (
        f"every record was rejected (2); the reasons are in {run.reject_path}. Fix the cause, and "
        "run again."
    )
    assert run.states == [{"at": 2}]


def test_report_with_rejects_only_is_logged_once(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_GAINSIGHT_LOGLEVEL", "debug")
    run = tenant.load(schema(), bad("A"))
    assert run.error.startswith("every record was rejected (1); the reasons are in /")
    messages = [entry.getMessage() for entry in caplog.records]
    assert sum(each.startswith("run ") for each in messages) == 1
    assert sum("http_request_count" in each for each in messages) == 1


def test_plan_with_rejects_only_is_printed_once(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tenant.load(schema(), bad("A"), dry_run=True)
    assert run.error.startswith("every record was rejected (1); the reasons are in the plan.")
    assert capsys.readouterr().err.count("nothing was written") == 1


def test_run_with_some_rejects_succeeds_with_warning(tenant: Tenant) -> None:
    run = tenant.load(schema(), bad("A"), bad("B"), record(Name="C"))
    assert run.exit_code == 0
    assert run.warnings[-1] == f"2 records rejected and kept in {run.reject_path}"


def test_run_without_records_succeeds(tenant: Tenant) -> None:
    assert tenant.load(schema(), state(at=1)).exit_code == 0
    assert tenant.load().exit_code == 0


def test_run_with_skipped_records_only_succeeds(tenant: Tenant) -> None:
    assert tenant.load(schema(), record(Name="A"), sync_mode="update").exit_code == 0


def test_reject_percentage_counts_from_hundredth_record(tenant: Tenant) -> None:
    first = [bad(f"B{number}") for number in range(50)]
    rest = [record(Name=f"C{number}") for number in range(60)]
    assert tenant.load(schema(), *first, *rest[:49], max_reject_percent=10).exit_code == 0
    run = tenant.load(schema(), *first, *rest, max_reject_percent=10)
    assert run.exit_code == 1
    assert "more than max_reject_percent (10% after 100 records) allows" in run.error


def test_refused_credential_stops_run_at_once(tenant: Tenant) -> None:
    run = tenant.load(schema(), record(Name="A"), state(at=1), access_key="wr0ng-key")
    assert (run.exit_code, run.states) == (1, [])
    assert "Check that access_key is the tenant's current key" in run.error
    assert "wr0ng-key" not in " ".join([*run.errors, *run.warnings])
    assert len(tenant.sandbox.tenant.calls()) == 1


def test_unreachable_tenant_stops_run(tenant: Tenant) -> None:
    run = tenant.load(schema(), record(Name="A"), base_url="http://127.0.0.1:9")
    assert run.exit_code == 1
    assert "127.0.0.1 is not reachable: " in run.error
    assert "\n" not in run.error


def test_unwritable_reject_file_stops_run_before_its_state(tenant: Tenant, tmp_path: Path) -> None:
    target = tenant.target(rejects_path=str(tmp_path / "taken"))
    (tmp_path / "taken").write_text("a file, no folder", encoding="utf-8")
    run = tenant.run(target, schema(), bad("A"), record(Name="B"), state(at=2))
    assert (run.exit_code, run.states) == (1, [])
    assert "taken" in run.error


def test_unwritable_summary_fails_run_but_keeps_state(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("a file, no folder", encoding="utf-8")
    summary = str(tmp_path / "{stream}" / "summary.json")
    run = tenant.load(schema(), record(Name="B"), state(at=2), summary_path=summary)
    assert (run.exit_code, run.states) == (1, [{"at": 2}])
    assert "accounts" in run.error


def test_summary_is_written_as_json(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text("of yesterday", encoding="utf-8")
    run = tenant.load(schema(), bad("A"), record(Name="B"), summary_path=str(path))
    summary = json.loads(path.read_text(encoding="utf-8"))
    counts = summary["streams"]["accounts"]
    assert (counts["read"], counts["created"], counts["rejected"]) == (2, 1, 1)
    assert summary["files"]["rejects"] == str(run.reject_path)
    assert summary["calls"]["by_kind"]["insert"] == 1


def test_sdk_metrics_count_written_records(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_GAINSIGHT_LOGLEVEL", "debug")
    tenant.load(schema(), bad("A"), record(Name="B"), record(Name="C"))
    points = [
        json.loads(each.getMessage().removeprefix("METRIC: "))
        for each in caplog.records
        if each.getMessage().startswith("METRIC: ")
    ]
    counted = [point["value"] for point in points if point["metric"] == "record_count"]
    assert sum(counted) == 2
    requests = {
        point["tags"]["endpoint"]: point["value"]
        for point in points
        if point["metric"] == "http_request_count"
    }
    assert requests == {"describe": 1, "query": 2, "insert": 1}  # the second: variants of the keys


def test_permanently_failing_tenant_stops_run_with_advice(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.add(Fault("server_error", method="POST"))
    run = tenant.load(
        schema(),
        *(record(Name=f"C{number}") for number in range(10)),
        state(at=1),
        max_retry_seconds=5,
        read_group_size=2,
    )
    assert (run.exit_code, run.states) == (1, [])
    assert "Run again later" in run.error
