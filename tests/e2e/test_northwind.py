"""A known shop's database, through PostgreSQL and a tap of other people's, into the tenant.

Four nights: a run that fails half-way, one that completes it, one with a few new orders, and a
full refresh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from meltano_project import CHECKOUT, MeltanoProject, project_yml
from postgres import Cluster, find_programs, running_cluster

pytestmark = pytest.mark.e2e

NORTHWIND = CHECKOUT.parent / "shared" / "data" / "northwind.sql"

TENANT = {
    "auto_create": False,
    "limits": {"calls_per_minute": 6000, "calls_per_day": 50000},
    "objects": {
        "Order__gc": {
            "label": "Order",
            "fields": {
                "orderId__gc": {"type": "NUMBER", "required": True},
                "companyId__gc": {"type": "LOOKUP", "object": "company"},
                "orderDate__gc": {"type": "DATE"},
                "shippedDate__gc": {"type": "DATE"},
                "freight__gc": {"type": "CURRENCY", "decimal_places": 2},
                "shipName__gc": {"type": "STRING", "length": 40},
                "shipCountry__gc": {"type": "STRING", "length": 15},
            },
        }
    },
}

STREAM_MAPS = {
    "public-customers": {
        "Name": "company_name",
        "TickerSymbol": "customer_id",
        "BillingAddress": "address + ', ' + city + ', ' + country",
        "__key_properties__": ["Name"],
        "__else__": "__NULL__",
    },
    "crm.contacts": {
        "__source__": "public-customers",
        "Email": "customer_id.lower() + '@northwind.example'",
        "FirstName": "contact_name.split(' ')[0]",
        "LastName": "' '.join(contact_name.split(' ')[1:])",
        "__key_properties__": ["Email"],
        "__else__": "__NULL__",
    },
    "public-orders": {
        "orderId__gc": "order_id",
        "customer_id": "customer_id",
        "orderDate__gc": "order_date",
        "shippedDate__gc": "shipped_date",
        "freight__gc": "freight",
        "shipName__gc": "ship_name",
        "shipCountry__gc": "ship_country",
        "__key_properties__": ["orderId__gc"],
        "__else__": "__NULL__",
    },
}

STREAMS = {
    "public-customers": {"object_type": "company", "lookup_keys": ["Name"]},
    "crm.contacts": {"object_type": "person"},
    "public-orders": {
        "object_type": "custom_object",
        "custom_object_name": "Order__gc",
        "lookup_keys": ["orderId__gc"],
        "lookups": {
            "companyId__gc": {"object_name": "company", "fields": {"customer_id": "TickerSymbol"}}
        },
    },
}

NEW_ORDERS = """
INSERT INTO orders (order_id, customer_id, order_date, freight, ship_name, ship_country)
SELECT 20000 + n, 'ALFKI', DATE '1998-05-07', n, 'Alfreds Futterkiste', 'Germany'
FROM generate_series(1, 5) AS n
"""


@dataclass(frozen=True)
class Nights:
    """Output and summaries of four runs in a row."""

    project: MeltanoProject
    failed: str
    after_failure: int
    completed: dict[str, Any]
    with_new_orders: dict[str, Any]
    refreshed: dict[str, Any]


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    if not NORTHWIND.exists():
        pytest.skip("northwind.sql is not beside this checkout")
    with running_cluster(programs) as cluster:
        cluster.psql("--dbname", "postgres", "--command", "CREATE DATABASE northwind")
        cluster.psql("--dbname", "northwind", "--file", str(NORTHWIND))
        yield cluster


@pytest.fixture(scope="module")
def nights(database: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("northwind")
    (folder / "tenant.yml").write_text(yaml.safe_dump(TENANT))
    (folder / "meltano.yml").write_text(yaml.safe_dump(meltano_yml(database)))
    project = MeltanoProject(folder)
    project.meltano("install")
    run = ("run", "tap-postgres", "target-gainsight")
    failed = project.meltano(*run, env={"TARGET_GAINSIGHT_MAX_CREATES": "300"}, exit_code=1)
    after_failure = len(project.rows("Order__gc"))
    project.meltano(*run)
    completed = project.summary
    database.psql("--dbname", "northwind", "--command", NEW_ORDERS)
    project.meltano(*run)
    with_new_orders = project.summary
    project.meltano("run", "--full-refresh", *run[1:])
    return Nights(project, failed, after_failure, completed, with_new_orders, project.summary)


@pytest.fixture(scope="module")
def northwind(nights: Nights) -> MeltanoProject:
    return nights.project


def meltano_yml(database: Cluster) -> dict[str, Any]:
    tap = database.tap(
        "northwind",
        "public",
        select=["public-customers.*", "public-orders.*"],
        metadata={
            "public-customers": {"replication-method": "FULL_TABLE"},
            "public-orders": {"replication-method": "INCREMENTAL", "replication-key": "order_id"},
        },
    )
    return project_yml(tap, {"stream_maps": STREAM_MAPS, "streams": STREAMS})


def test_every_customer_is_a_company(northwind: MeltanoProject) -> None:
    companies = {row["Name"]: row for row in northwind.rows("Company")}
    assert len(companies) == 91
    address = companies["Alfreds Futterkiste"]["BillingAddress"]
    assert address == "Obere Str. 57, Berlin, Germany"
    assert "Comércio Mineiro" in companies


def test_every_contact_is_a_person(northwind: MeltanoProject) -> None:
    people = {row["Email"]: row for row in northwind.rows("Person")}
    assert len(people) == 91
    person = people["alfki@northwind.example"]
    assert (person["FirstName"], person["LastName"]) == ("Maria", "Anders")


def test_every_order_is_in_the_custom_object(northwind: MeltanoProject) -> None:
    orders = {row["orderId__gc"]: row for row in northwind.rows("Order__gc")}
    assert len(orders) == len(northwind.rows("Order__gc")) == 835
    order = orders[10248]
    assert order["freight__gc"] == pytest.approx(32.38)
    assert order["orderDate__gc"].startswith("1996-07-04")
    assert order["shipName__gc"] == "Vins et alcools Chevalier"


def test_an_order_that_was_not_shipped_has_no_shipping_date(northwind: MeltanoProject) -> None:
    orders = {row["orderId__gc"]: row for row in northwind.rows("Order__gc")}
    assert not orders[11077]["shippedDate__gc"]
    assert orders[11077]["orderDate__gc"].startswith("1998-05-06")


def test_every_order_is_linked_to_its_customer(northwind: MeltanoProject) -> None:
    codes = {row["Gsid"]: row["TickerSymbol"] for row in northwind.rows("Company")}
    orders = {
        row["orderId__gc"]: codes[row["companyId__gc"]] for row in northwind.rows("Order__gc")
    }
    assert (orders[10248], orders[10250], orders[20001]) == ("VINET", "HANAR", "ALFKI")
    assert len(set(orders.values())) == 89


def test_a_failing_run_says_why_and_keeps_what_it_wrote(nights: Nights) -> None:
    assert "max_creates" in nights.failed
    assert "Loader failed" in nights.failed
    assert 0 < nights.after_failure <= 300


def test_run_after_a_failure_writes_only_what_is_missing(nights: Nights) -> None:
    streams = nights.completed["streams"]
    assert streams["public-orders"]["created"] == 830 - nights.after_failure
    assert streams["public-orders"]["updated"] == 0
    assert (streams["public-customers"]["unchanged"], streams["crm.contacts"]["unchanged"]) == (
        91,
        91,
    )


def test_an_incremental_run_reads_new_orders_and_writes_them_once(nights: Nights) -> None:
    orders = nights.with_new_orders["streams"]["public-orders"]
    assert orders["read"] <= 6  # the tap reads the bookmarked order again
    assert (orders["created"], orders["updated"]) == (5, 0)
    assert nights.with_new_orders["calls"]["by_kind"]["insert"] == 1


def test_a_full_refresh_reads_everything_and_writes_nothing(nights: Nights) -> None:
    streams = nights.refreshed["streams"]
    assert {name: (each["read"], each["unchanged"]) for name, each in streams.items()} == {
        "public-customers": (91, 91),
        "crm.contacts": (91, 91),
        "public-orders": (835, 835),
    }
    assert set(nights.refreshed["calls"]["by_kind"]) == {"describe", "query"}
