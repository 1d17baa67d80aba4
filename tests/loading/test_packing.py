"""Calls grow with changes: full batches, one read per group, nothing twice."""

from __future__ import annotations

import csv
from pathlib import Path

from singer_messages import companies, record, schema, state
from singer_runs import Tenant


def seed(tenant: Tenant, count: int) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": f"C{n}", "Industry": "old"} for n in range(count)]
    )


def test_mixed_records_are_packed_into_full_batches(tenant: Tenant) -> None:
    seed(tenant, 500)
    mixed = [number for pair in zip(range(500), range(500, 1000), strict=True) for number in pair]
    run = tenant.load(schema(), *companies(mixed, Industry="new"))
    assert run.outcomes() == {"created": 500, "updated": 500}
    assert tenant.count_calls() == {"describe": 1, "query": 1 + 1, "insert": 10, "update": 10}


def test_partial_batch_is_carried_into_next_group(tenant: Tenant) -> None:
    seed(tenant, 100)
    run = tenant.load(
        schema(), *companies(range(200), Industry="new"), state(done=1), read_group_size=20
    )
    assert run.outcomes() == {"created": 100, "updated": 100}
    assert tenant.count_calls() == {"describe": 1, "query": 10 + 1, "insert": 2, "update": 2}
    assert run.states[-1] == {"done": 1}


def test_max_creates_stops_before_the_batch_that_would_exceed_it(tenant: Tenant) -> None:
    lines = [schema()]
    for number in range(120):
        lines += [*companies([number]), state(read=number + 1)]
    run = tenant.load(*lines, max_creates=110, read_group_size=50)
    assert run.exit_code == 1
    assert tenant.sandbox.tenant.count("company") == 100
    assert run.states[-1] == {"read": 100}
    assert "max_creates (110)" in run.log[-1]


def test_max_creates_does_not_count_updates(tenant: Tenant) -> None:
    seed(tenant, 100)
    run = tenant.load(schema(), *companies(range(102), Industry="new"), max_creates=2)
    assert (run.exit_code, run.outcomes()) == (0, {"created": 2, "updated": 100})


def test_created_rows_are_listed_in_private_file(tenant: Tenant) -> None:
    seed(tenant, 1)
    run = tenant.load(schema(), *companies(range(3)), record(Name='Comma, "quoted"'))
    path = Path(run.summary["files"]["created"])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    gsids = {row["Name"]: row["Gsid"] for row in tenant.rows("company")}
    assert [row["key"] for row in rows] == ["C1", "C2", 'Comma, "quoted"']
    assert all(row["gsid"] == gsids[row["key"]] for row in rows)
    assert {row["stream"] for row in rows} == {"accounts"}
    assert path.name.endswith(".created.csv")
    assert path.stat().st_mode & 0o777 == 0o600
    assert run.summary["files"] == {"created": str(path)}


def test_row_created_without_its_missing_parent_is_listed(tenant: Tenant) -> None:
    lookups = {"ParentCompany": {"object_name": "company", "fields": {"parent": "Name"}}}
    columns = {"Name": {"type": "string"}, "parent": {"type": "string"}}
    run = tenant.load(schema(columns=columns), record(Name="C", parent="P"), lookups=lookups)
    assert run.outcomes() == {"rejected": 1}
    [row] = tenant.rows("company")
    listed = Path(run.summary["files"]["created"]).read_text(encoding="utf-8").splitlines()
    assert listed[1:] == [f"accounts,C,{row['Gsid']}"]
