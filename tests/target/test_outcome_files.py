"""The outcome of every record as JSON lines."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from singer_messages import record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault

BAD = record(Name="Bad", Employees="a lot")


def lines_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_record_has_one_line(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Old"}, {"Name": "Same", "Industry": "a"}])
    path = tenant.folder / "out" / "outcomes.jsonl"
    run = tenant.load(
        schema(),
        record(Name="New"),
        record(Name="Old", Industry="a"),
        record(Name="Same", Industry="a"),
        record(Name="New", Industry="b"),
        record(Name="Gone", _sdc_deleted_at="2026-01-01T00:00:00Z"),
        BAD,
        outcomes_path=str(path),
    )
    lines = lines_in(path)
    assert Counter(line["outcome"] for line in lines) == run.outcomes()
    gsids = {row["Name"]: row["Gsid"] for row in tenant.rows()}
    written = [line for line in lines if line["key"]["Name"] in gsids]
    assert [line["gsid"] for line in written] == [gsids[line["key"]["Name"]] for line in written]
    [rejected] = [line for line in lines if line["outcome"] == "rejected"]
    assert rejected == {
        "run": run.summary["run"],
        "stream": "accounts",
        "key": {"Name": "Bad"},
        "outcome": "rejected",
        "gsid": None,
        "reason": "schema_violation",
        "field": "Employees",
        "message": (
            "schema_violation: Employees = 'a lot': the record does not match the stream's "
            "schema: the value is not of "
            'types "null", "integer"; '
            "correct it in the tap, or set validate_records: false"
        ),
        "time": "2026-01-01T12:00:00+00:00",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_each_stream_has_a_file_on_request(tenant: Tenant) -> None:
    path = tenant.folder / "out" / "{run}-{stream}.jsonl"
    run = tenant.load(
        schema(),
        record(Name="A"),
        schema("more"),
        record("more", Name="B"),
        outcomes_path=str(path),
    )
    name = run.summary["run"]
    found = {each.name: lines_in(each)[0]["key"] for each in path.parent.iterdir()}
    assert found == {f"{name}-accounts.jsonl": {"Name": "A"}, f"{name}-more.jsonl": {"Name": "B"}}
    assert min(run.summary["files"].values()).endswith(f"{name}-accounts.jsonl")


def test_runs_append_to_one_file(tenant: Tenant) -> None:
    path = tenant.folder / "outcomes.jsonl"
    for name in ("A", "B"):
        tenant.load(schema(), record(Name=name), outcomes_path=str(path))
    assert [line["key"]["Name"] for line in lines_in(path)] == ["A", "B"]
    assert not (tenant.folder / ".gitignore").exists()


def test_dry_run_lists_no_outcomes(tenant: Tenant) -> None:
    path = tenant.folder / "outcomes.jsonl"
    tenant.load(schema(), record(Name="A"), outcomes_path=str(path), dry_run=True)
    assert not path.exists()


def test_outcomes_hold_no_values_where_rejects_keep_keys_only(tenant: Tenant) -> None:
    path = tenant.folder / "outcomes.jsonl"
    tenant.load(schema(), BAD, outcomes_path=str(path), reject_values="keys")
    assert "a lot" not in path.read_text(encoding="utf-8")


def test_outcomes_are_on_disk_before_the_state_that_covers_them(tenant: Tenant) -> None:
    (tenant.folder / "accounts").write_text("a file, no folder", encoding="utf-8")
    messages = [schema(), record(Name="A"), state(at=1)]
    path = tenant.folder / "{stream}" / "outcomes.jsonl"
    run = tenant.load(*messages, outcomes_path=str(path))
    assert (run.exit_code, run.states) == (1, [])
    [error] = run.errors
    assert "accounts" in error


def test_unavailable_records_are_listed(tenant: Tenant) -> None:
    path = tenant.folder / "outcomes.jsonl"
    fault = Fault("unavailable", method="POST", path="/v1/data/objects/company")
    tenant.sandbox.tenant.faults.add(fault)
    tenant.load(schema(), record(Name="A"), outcomes_path=str(path), max_retry_seconds=5)
    assert [(line["outcome"], line["reason"]) for line in lines_in(path)] == [
        ("rejected", "unavailable")
    ]
