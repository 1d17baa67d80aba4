"""docs/recipes/warehouse.md: its configuration works as described."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_clock import FakeClock
from singer_messages import TEXT, Message, record, schema
from singer_runs import KEY, TargetRun, Tenant

from target_gainsight.sandbox import start_sandbox

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recipes" / "warehouse.md").read_text(
    "utf-8"
)
BLOCKS = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
[LOADER] = BLOCKS[0]["plugins"]["loaders"]
BY_NAME = BLOCKS[2]["config"]["streams"]
ACCOUNT_COLUMNS: Message = {
    "account_id": TEXT,
    "parent_id": TEXT,
    "name": TEXT,
    "industry": TEXT,
    "arr": {"type": ["number", "null"]},
    "renewal_date": TEXT,
    "csm_email": TEXT,
    "status": TEXT,
    "updated_at": TEXT,
}
CONTACT_COLUMNS: Message = {
    "email": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "title": TEXT,
    "account_id": TEXT,
    "is_primary": {"type": ["boolean", "null"]},
    "updated_at": TEXT,
}


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Iterator[Tenant]:
    caplog.set_level(logging.INFO)
    described = {
        "limits": {"calls_per_minute": 0, "calls_per_day": 0},
        "objects": {"company": {"fields": {"External_ID__gc": {"type": "STRING"}}}},
    }
    path = tmp_path / "tenant.db"
    with start_sandbox(path, config=described, access_key=KEY, clock=clock.now) as sandbox:
        yield Tenant(sandbox, clock, tmp_path, caplog)


def account(number: int, parent: int | None = None, **fields: Any) -> Message:
    given = {
        "account_id": f"A{number}",
        "parent_id": None if parent is None else f"A{parent}",
        "name": f"Account {number}",
        "industry": "Retail",
        "arr": 1200.5,
        "renewal_date": "2026-12-31",
        "csm_email": "ada.park@ourcompany.example",
        "status": "Active",
        "updated_at": "2026-03-01T00:00:00Z",
    }
    return record("gainsight-accounts", **{**given, **fields})


def contact(name: str, number: int) -> Message:
    return record(
        "gainsight-contacts",
        email=f"{name}@account-{number}.example",
        first_name=name.title(),
        last_name="Grove",
        title="VP Operations",
        account_id=f"A{number}",
        is_primary=True,
        updated_at="2026-03-01T00:00:00Z",
    )


def night(tenant: Tenant, *lines: Message, **settings: Any) -> TargetRun:
    own = {"domain": None, "quota_store": None, "object_type": None}
    return tenant.load(
        schema("gainsight-accounts", ACCOUNT_COLUMNS, keys=["account_id"]),
        schema("gainsight-contacts", CONTACT_COLUMNS, keys=["email"]),
        *lines,
        **{**LOADER["config"], **own, **settings},
    )


def companies(tenant: Tenant) -> dict[str, Message]:
    return {row["External_ID__gc"]: row for row in tenant.rows("company")}


def test_companies_have_parents_and_people_have_links(tenant: Tenant) -> None:
    child_first = (account(2, parent=1), account(1), account(3, parent=2))
    run = night(tenant, *child_first, contact("ida", 2))
    assert (run.exit_code, run.codes) == (0, [])
    held = companies(tenant)
    assert held["A2"]["ParentCompany"] == held["A1"]["Gsid"]
    assert held["A3"]["ParentCompany"] == held["A2"]["Gsid"]
    [csm] = tenant.rows("gsuser", Email="ada.park@ourcompany.example")
    assert {row["Csm"] for row in held.values()} == {csm["Gsid"]}
    assert held["A1"]["RenewalDate"] == "2026-12-31"
    [link] = tenant.rows("company_person")
    linked = (link["Company_ID"], link["Title"], link["IsPrimaryCompany"])
    assert linked == (held["A2"]["Gsid"], "VP Operations", True)


def test_renamed_or_closed_customer_keeps_its_row(tenant: Tenant) -> None:
    night(tenant, account(1))
    gsid = companies(tenant)["A1"]["Gsid"]
    night(tenant, account(1, name="Another Name", status="Churn"))
    [row] = tenant.rows("company")
    assert (row["Gsid"], row["Name"]) == (gsid, "Another Name")
    night(tenant, record("gainsight-accounts", account_id="A1", _sdc_deleted_at="2026-04-01"))
    assert tenant.sandbox.tenant.count("company") == 1


def test_full_refresh_writes_nothing(tenant: Tenant) -> None:
    lines = [*(account(number) for number in range(30)), contact("ida", 2)]
    night(tenant, *lines)
    run = night(tenant, *lines)
    assert set(run.target.summary.calls.by_kind) == {"describe", "query"}


def test_night_that_creates_too_much_is_stopped(tenant: Tenant) -> None:
    run = night(tenant, *(account(number) for number in range(501)))
    assert run.exit_code == 1
    assert "max_creates" in run.error
    assert tenant.sandbox.tenant.count("company") <= 500


def test_existing_companies_get_their_ids_and_none_is_created(tenant: Tenant) -> None:
    twins = [{"Name": "Account 2"}, {"Name": "Account 2"}]
    tenant.sandbox.tenant.seed("company", [{"Name": "Account 1"}, *twins])
    streams = {**LOADER["config"]["streams"], **BY_NAME}
    run = night(tenant, account(1), account(2), account(3), streams=streams)
    ids = sorted((row["Name"], row["External_ID__gc"]) for row in tenant.rows("company"))
    assert ids == [("Account 1", "A1"), ("Account 2", None), ("Account 2", None)]
    assert sorted(run.codes) == ["multi_match", "no_match"]


def test_nights_table_adds_up() -> None:
    text = PAGE.split("<!-- nights: begin -->")[1].split("<!-- nights: end -->")[0]
    rows = [line.strip("| ").split(" | ") for line in text.strip().splitlines()[2:]]
    assert len(rows) == 3
    for name, *cells in rows:
        accounts, contacts, reads, writes, calls, days = (
            int(cell.replace(",", "")) for cell in cells
        )
        assert reads == math.ceil(accounts / 1000) + math.ceil(contacts / 1000)
        unchanged = "nothing changed" in name
        assert writes == (0 if unchanged else math.ceil(accounts / 50) + contacts)
        assert (calls, days) == (reads + writes, math.ceil((reads + writes) / 45_000))
