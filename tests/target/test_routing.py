"""Streams are routed by settings and stream maps, and never elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from singer_messages import TEXT, record, schema, state
from singer_runs import Tenant

ORDER = {"object_type": "custom_object", "custom_object_name": "Order__gc"}
ORDER_COLUMNS = {"orderId__gc": {"type": "integer"}, "buyer__gc": TEXT}


def test_streams_are_routed_to_configured_objects(tenant: Tenant) -> None:
    run = tenant.load(
        schema("crm-accounts"),
        schema("public.orders", ORDER_COLUMNS, ["orderId__gc"]),
        schema("people", {"Email": TEXT, "LastName": TEXT}, ["Email"]),
        record("crm-accounts", Name="Initech"),
        record("public.orders", orderId__gc=7, buyer__gc="Initech"),
        record("people", Email="ann@initech.example", LastName="Lee"),
        object_type=None,
        streams={
            "crm-*": {"object_type": "company"},
            "public": {"orders": ORDER},
            "people": {"object_type": "person"},
        },
    )
    assert run.exit_code == 0
    assert tenant.names() == ["Initech"]
    assert [row["orderId__gc"] for row in tenant.rows("Order__gc")] == [7]
    assert [row["Email"] for row in tenant.rows("Person")] == ["ann@initech.example"]


def test_unrouted_stream_stops_run_with_advice(tenant: Tenant) -> None:
    run = tenant.load(
        schema("orders"), object_type=None, streams={"accounts": {"object_type": "company"}}
    )
    assert run.exit_code == 1
    assert run.error == (
        "stream 'orders' is not routed to an object. Add an entry under streams ('orders': "
        "{object_type: company}), set object_type for all streams, or leave the stream out "
        "(stream_maps: 'orders': __NULL__)."
    )
    assert run.output == ""


@pytest.mark.parametrize(
    "maps",
    [
        {"secrets": None},
        {"secrets": "__NULL__"},
        {"accounts": {}, "__else__": None},
        {"accounts": {}, "__else__": "__NULL__"},
        {"sec*": "__NULL__"},
    ],
    ids=str,
)
def test_stream_excluded_by_maps_is_discarded(tenant: Tenant, maps: dict[str, Any]) -> None:
    run = tenant.load(
        schema("secrets", {"token": TEXT}, ["token"]),
        schema(),
        record("secrets", token="t0p"),
        record(Name="Initech"),
        record("secrets", anything="else"),
        state(done=True),
        object_type=None,
        streams={"accounts": {"object_type": "company"}},
        stream_maps=maps,
    )
    assert (run.exit_code, run.warnings, run.errors) == (0, [], [])
    assert tenant.names() == ["Initech"]
    assert run.states == [{"done": True}]
    assert run.target.summary.read == 1


def test_excluded_source_feeds_derived_streams(tenant: Tenant) -> None:
    run = tenant.load(
        schema("crm", {"company": TEXT}, ["company"]),
        record("crm", company="Initech"),
        object_type=None,
        streams={"accounts": {"object_type": "company"}},
        stream_maps={
            "crm": "__NULL__",
            "accounts": {
                "__source__": "crm",
                "Name": "company.upper()",
                "__key_properties__": ["Name"],
                "__else__": "__NULL__",
            },
        },
    )
    assert run.exit_code == 0
    assert tenant.names() == ["INITECH"]


def test_stream_is_routed_by_alias(tenant: Tenant) -> None:
    run = tenant.load(
        schema("public-crm"),
        record("public-crm", Name="Initech"),
        object_type=None,
        streams={"accounts": {"object_type": "company"}},
        stream_maps={"public-crm": {"__alias__": "accounts"}},
    )
    assert run.exit_code == 0
    assert tenant.names() == ["Initech"]


def test_streams_of_one_alias_share_its_newest_sink(tenant: Tenant) -> None:
    columns = {"id__gc": TEXT, "text__gc": TEXT}
    run = tenant.load(
        schema("a", columns, ["id__gc"]),
        record("a", id__gc="1", text__gc="x"),
        schema("b", columns, ["text__gc"]),
        record("b", id__gc="2", text__gc="y"),
        record("a", id__gc="3", text__gc="z"),
        state(at=3),
        object_type="custom_object",
        custom_object_name="Result__gc",
        stream_maps={"a": {"__alias__": "results"}, "b": {"__alias__": "results"}},
    )
    assert (run.exit_code, run.states) == (0, [{"at": 3}])
    assert sorted(row["id__gc"] for row in tenant.rows("Result__gc")) == ["1", "2", "3"]


def test_unknown_object_stops_run_with_suggestion(tenant: Tenant) -> None:
    run = tenant.load(schema(), object_type="custom_object", custom_object_name="Order")
    assert run.exit_code == 1
    assert "the tenant has no object named 'Order'. Did you mean Order__gc?" in run.error


def test_unknown_setting_is_warned_of_with_suggestion(tenant: Tenant) -> None:
    run = tenant.load(schema(), call_per_minute=3)
    [warning] = [each for each in run.warnings if "call_per_minute" in each]
    assert warning == (
        "setting 'call_per_minute' has no effect here. Did you mean 'calls_per_minute'?"
    )


def test_name_of_an_unknown_setting_stays_on_one_line(tenant: Tenant) -> None:
    run = tenant.load(schema(), **{"a\nb": 3})
    assert [each for each in run.warnings if "no effect" in each] == [
        r"setting 'a\nb' has no effect here."
    ]


def test_setting_of_one_stream_is_warned_of_at_the_top(tenant: Tenant) -> None:
    run = tenant.load(schema(), min_records=3)
    [warning] = [each for each in run.warnings if "min_records" in each]
    assert warning == (
        "setting 'min_records' has no effect here. Set it for each stream, in its entry under "
        "streams."
    )


def test_derived_streams_have_separate_columns(tenant: Tenant) -> None:
    run = tenant.load(
        schema("accounts"),
        record(Name="Initech"),
        streams={
            "contacts": {"object_type": "person"},
            "partners": {"object_type": "company", "unknown_fields": "drop"},
        },
        stream_maps={
            "contacts": {
                "__source__": "accounts",
                "Email": "Name.lower() + '@example.com'",
                "LastName": "Name",
                "__key_properties__": ["Email"],
                "__else__": "__NULL__",
            },
            "accounts": {"Industry": "'Software'"},
            "partners": {"__source__": "accounts", "Name": "Name + ' (partner)'", "code": "'x'"},
        },
    )
    assert (run.errors, run.exit_code) == ([], 0)
    assert tenant.names() == ["Initech", "Initech (partner)"]
    assert [row["Email"] for row in tenant.rows("Person")] == ["initech@example.com"]


def test_map_finds_stream_whose_name_meltano_split(tenant: Tenant) -> None:
    mapped = {"Name": "name.upper()", "__key_properties__": ["Name"], "__else__": "__NULL__"}
    run = tenant.load(
        schema("crm.accounts", {"name": TEXT}, ["name"]),
        record("crm.accounts", name="Initech"),
        stream_maps={"crm": {"accounts": mapped}},
    )
    assert run.exit_code == 0
    assert tenant.names() == ["INITECH"]
