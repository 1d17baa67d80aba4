"""A known shop's database, through PostgreSQL and a tap of other people's, into the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from meltano_project import CHECKOUT, MeltanoProject
from postgres import HOST, Cluster, find_programs, running_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

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
                "customerCode__gc": {"type": "STRING", "length": 5},
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
        "BillingAddress": "address + ', ' + city + ', ' + country",
        "__key_properties__": ["Name"],
        "__else__": "__NULL__",
    },
    "contacts": {
        "__source__": "public-customers",
        "Email": "customer_id.lower() + '@northwind.example'",
        "FirstName": "contact_name.split(' ')[0]",
        "LastName": "' '.join(contact_name.split(' ')[1:])",
        "__key_properties__": ["Email"],
        "__else__": "__NULL__",
    },
    "public-orders": {
        "orderId__gc": "order_id",
        "customerCode__gc": "customer_id",
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
    "contacts": {"object_type": "person"},
    "public-orders": {
        "object_type": "custom_object",
        "custom_object_name": "Order__gc",
        "lookup_keys": ["orderId__gc"],
    },
}


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
def northwind(database: Cluster, tmp_path_factory: pytest.TempPathFactory) -> MeltanoProject:
    folder = tmp_path_factory.mktemp("northwind")
    (folder / "tenant.yml").write_text(yaml.safe_dump(TENANT))
    (folder / "meltano.yml").write_text(yaml.safe_dump(meltano_yml(database)))
    project = MeltanoProject(folder)
    project.meltano("install")
    project.meltano("run", "tap-postgres", "target-gainsight")
    return project


def meltano_yml(database: Cluster) -> dict[str, Any]:
    tap = {
        "name": "tap-postgres",
        "namespace": "tap_postgres",
        "pip_url": "meltanolabs-tap-postgres==0.10.0",
        "executable": "tap-postgres",
        "capabilities": ["catalog", "discover", "state"],
        "settings": [
            {"name": "port", "kind": "integer"},
            {"name": "filter_schemas", "kind": "array"},
        ],
        "select": ["public-customers.*", "public-orders.*"],
        "config": {
            "host": HOST,
            "port": database.port,
            "user": database.user,
            "password": "trusted",
            "database": "northwind",
            "filter_schemas": ["public"],
        },
    }
    target = {
        "name": "target-gainsight",
        "namespace": "target_gainsight",
        "pip_url": f"-e '{CHECKOUT}[sandbox]'",
        "executable": "target-gainsight",
        "config": {
            "domain": "sandbox",
            "sandbox_config": "tenant.yml",
            "calls_per_minute": 6000,
            "stream_maps": STREAM_MAPS,
            "streams": STREAMS,
        },
    }
    return {
        "default_environment": "test",
        "environments": [{"name": "test"}],
        "send_anonymous_usage_stats": False,
        "plugins": {"extractors": [tap], "loaders": [target]},
    }


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
    assert len(orders) == 830
    order = orders[10248]
    assert order["customerCode__gc"] == "VINET"
    assert order["freight__gc"] == pytest.approx(32.38)
    assert order["orderDate__gc"].startswith("1996-07-04")
    assert order["shipName__gc"] == "Vins et alcools Chevalier"


def test_an_order_that_was_not_shipped_has_no_shipping_date(northwind: MeltanoProject) -> None:
    orders = {row["orderId__gc"]: row for row in northwind.rows("Order__gc")}
    assert not orders[11077]["shippedDate__gc"]
    assert orders[11077]["orderDate__gc"].startswith("1998-05-06")
