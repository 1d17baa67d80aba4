"""docs/recipes/warehouse.md: its views and its settings, with a real PostgreSQL and a real tap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from meltano_project import CHECKOUT, MeltanoProject, project_yml
from postgres import Cluster, find_programs, running_cluster

pytestmark = pytest.mark.e2e

PAGE = (CHECKOUT / "docs" / "recipes" / "warehouse.md").read_text("utf-8")
[VIEWS] = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
SHOWN = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])["plugins"]
[TAP] = SHOWN["extractors"]
[LOADER] = SHOWN["loaders"]
WAREHOUSE = """
CREATE SCHEMA crm;
CREATE SCHEMA gainsight;
CREATE TABLE crm.owners (id int PRIMARY KEY, email text, updated_at timestamptz);
CREATE TABLE crm.accounts (
  id text PRIMARY KEY, parent_id text, name text, industry text, arr numeric(12, 2),
  renewal_date date, owner_id int, closed_at timestamptz, updated_at timestamptz
);
CREATE TABLE crm.contacts (
  email text, first_name text, last_name text, title text, account_id text, is_primary boolean,
  updated_at timestamptz
);
INSERT INTO crm.owners VALUES
  (1, 'ada.park@ourcompany.example', '2026-01-01Z'),
  (2, 'ben.okafor@ourcompany.example', '2026-01-01Z');
INSERT INTO crm.accounts
SELECT 'A' || n, CASE WHEN n > 1 THEN 'A' || n / 2 END, 'Account ' || n, 'Retail', n * 1000.25,
  DATE '2026-12-31', 1 + n % 2, NULL, TIMESTAMPTZ '2026-03-01Z' - n * INTERVAL '1 hour'
FROM generate_series(1, 60) AS n;
INSERT INTO crm.contacts
SELECT ' Person' || n || '@Customer.Example', 'Given', 'Name ' || n, 'Buyer', 'A' || n, true,
  TIMESTAMPTZ '2026-03-01Z'
FROM generate_series(1, 60) AS n;
INSERT INTO crm.contacts VALUES (NULL, 'No', 'Email', NULL, 'A1', false, '2026-03-01Z');
"""
CHANGES = """
UPDATE crm.accounts SET closed_at = '2026-03-02Z', updated_at = '2026-03-02Z' WHERE id = 'A7';
UPDATE crm.accounts SET name = 'Renamed', updated_at = '2026-03-02Z' WHERE id = 'A8';
DELETE FROM crm.accounts WHERE id = 'A60';
"""
TENANT = {
    "limits": {"calls_per_minute": 6000, "calls_per_day": 50000},
    "objects": {"company": {"fields": {"External_ID__gc": {"type": "STRING"}}}},
}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Cluster]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running_cluster(programs) as cluster:
        cluster.psql("--dbname", "postgres", "--command", "CREATE DATABASE analytics")
        cluster.psql("--dbname", "analytics", "--command", WAREHOUSE)
        cluster.psql("--dbname", "analytics", "--command", VIEWS)
        yield cluster


@pytest.fixture(scope="module")
def project(warehouse: Cluster, tmp_path_factory: pytest.TempPathFactory) -> MeltanoProject:
    folder = tmp_path_factory.mktemp("warehouse")
    tap = warehouse.tap(
        TAP["config"]["database"], "gainsight", select=TAP["select"], metadata=TAP["metadata"]
    )
    config = {name: value for name, value in LOADER["config"].items() if name != "quota_store"}
    (folder / "tenant.yml").write_text(yaml.safe_dump(TENANT), "utf-8")
    (folder / "meltano.yml").write_text(yaml.safe_dump(project_yml(tap, config)), "utf-8")
    project = MeltanoProject(folder)
    project.meltano("install")
    return project


def companies(project: MeltanoProject) -> dict[str, dict[str, Any]]:
    return {row["External_ID__gc"]: row for row in project.rows("Company")}


def test_views_and_settings_of_the_page_load_and_follow_changes(
    project: MeltanoProject, warehouse: Cluster
) -> None:
    run = ("run", "tap-postgres", "target-gainsight")
    project.meltano(*run)
    held = companies(project)
    gsids = {name: row["Gsid"] for name, row in held.items()}
    parents = {name: row["ParentCompany"] for name, row in held.items()}
    assert parents == {f"A{n}": gsids[f"A{n // 2}"] if n > 1 else None for n in range(1, 61)}
    assert held["A8"]["ARR"] == pytest.approx(8002.0)
    assert {row["Status"] for row in held.values()} == {held["A1"]["Status"]}
    people = {row["Email"]: row["Gsid"] for row in project.rows("Person")}
    assert set(people) == {f"person{n}@customer.example" for n in range(1, 61)}
    links = {row["Person_ID"]: row["Company_ID"] for row in project.rows("company_person")}
    assert links[people["person9@customer.example"]] == gsids["A9"]

    warehouse.psql("--dbname", "analytics", "--command", CHANGES)
    project.meltano(*run)
    later = companies(project)
    assert {name: row["Gsid"] for name, row in later.items()} == gsids
    assert {name for name, row in later.items() if row["Status"] != held["A1"]["Status"]} == {"A7"}
    assert later["A8"]["Name"] == "Renamed"
    counts = project.summary["streams"]["gainsight-accounts"]
    assert counts["updated"] == 2
    assert counts["read"] < 10
