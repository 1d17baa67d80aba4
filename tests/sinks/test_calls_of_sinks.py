"""The calls of a stream: as few as the API allows."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from singer_messages import COMPANY_COLUMNS, TEXT, Message, record, schema
from singer_runs import SentCall, Tenant

PERSON_COLUMNS = {"Email": TEXT, "FirstName": TEXT, "LastName": TEXT}
ORDER_COLUMNS = {"orderId__gc": {"type": ["integer", "null"]}, "buyer__gc": TEXT}
ORDERS = {"object_type": "custom_object", "custom_object_name": "Order__gc"}


def companies(count: int, **fields: object) -> list[Message]:
    return [record(Name=f"C{number}", **fields) for number in range(count)]


def sizes(calls: list[SentCall]) -> list[int]:
    return sorted(call.size for call in calls)


def kinds(tenant: Tenant) -> dict[str, int]:
    """Count the calls of each kind, without metadata."""
    counts: dict[str, int] = {}
    for call in tenant.sandbox.tenant.calls():
        counts[call.kind] = counts.get(call.kind, 0) + 1
    counts.pop("describe")
    return counts


def test_upsert_reads_once_and_separates_creates_from_updates(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("Company", [{"Name": f"C{number}"} for number in range(60)])
    run = tenant.load(schema(), *companies(130, Industry="software"))
    assert run.exit_code == 0
    assert kinds(tenant) == {"query": 1 + 1, "insert": 2, "update": 2}
    assert sizes(tenant.calls("insert")) == [20, 50]
    assert sizes(tenant.calls("update")) == [10, 50]
    assert len(tenant.names()) == 130
    assert all(row["Industry"] == "software" for row in tenant.rows())


def test_rows_that_were_found_are_updated_by_their_gsid(tenant: Tenant) -> None:
    [gsid] = tenant.sandbox.tenant.seed("Company", [{"Name": "Initech"}])
    tenant.load(schema(), record(Name="Initech", Industry="software"))
    [update] = tenant.calls("update")
    assert update.method == "PUT"
    assert update.path == "/v1/data/objects/Company?keys=Gsid"
    assert update.body == {"records": [{"Industry": "software", "Gsid": gsid}]}


@pytest.mark.parametrize(("given", "used"), [(1, 1), (20, 20), (50, 50), (51, 50), (10_000, 50)])
def test_batch_size_is_at_most_fifty(tenant: Tenant, given: int, used: int) -> None:
    run = tenant.load(schema(), *companies(100), sync_mode="insert", batch_size_rows=given)
    assert run.exit_code == 0
    assert sizes(tenant.calls("insert")) == [used] * (100 // used)


def test_people_are_written_one_in_a_call(tenant: Tenant) -> None:
    people = [record("people", Email=f"p{n}@example.com", LastName=f"L{n}") for n in range(3)]
    run = tenant.load(schema("people", PERSON_COLUMNS, ["Email"]), *people, object_type="person")
    assert run.exit_code == 0
    assert kinds(tenant) == {"query": 1 + 1, "person": 3}
    written = sorted(tenant.calls("person"), key=lambda call: call.body["Email"])
    assert {(call.method, call.path) for call in written} == {("PUT", "/v1/peoplemgmt/v1.0/people")}
    assert [call.body for call in written] == [each["record"] for each in people]


def test_query_reads_keys_of_group_and_written_fields(tenant: Tenant) -> None:
    tenant.load(schema(), *companies(30, Employees=5), read_group_size=20, near_matches="ignore")
    first, second = tenant.calls("query")
    assert first.path == "/v1/data/objects/query/Company"
    assert set(first.body["select"]) == {"Gsid", "Name", "Employees"}
    [condition] = first.body["where"]["conditions"]
    assert (condition["name"], condition["operator"]) == ("Name", "IN")
    asked = [call.body["where"]["conditions"][0]["value"] for call in (first, second)]
    assert [len(values) for values in asked] == [20, 10]


def test_values_become_what_gainsight_takes(tenant: Tenant) -> None:
    columns = {
        "Name": TEXT,
        "ARR": {"type": "number"},
        "Employees": {"type": "integer"},
        "RenewalDate": {"type": "string", "format": "date"},
        "Stage": TEXT,
        "Tags": {"type": "array"},
    }
    run = tenant.load(
        schema(columns=columns),
        '{"type": "RECORD", "stream": "accounts", "record": {"Name": "Initech", "ARR": 1200.50,'
        ' "Employees": 12, "RenewalDate": "2026-12-31", "Stage": "Adopting", "Tags": ["Pilot"]}}',
    )
    assert (run.errors, run.exit_code) == ([], 0)
    [row] = tenant.rows()
    assert {name: row[name] for name in columns} == {
        "Name": "Initech",
        "ARR": 1200.5,
        "Employees": 12,
        "RenewalDate": "2026-12-31",
        "Stage": "Adopting",
        "Tags": ["Pilot"],
    }


def test_mapping_and_constants_fill_fields(tenant: Tenant) -> None:
    columns = {"account": TEXT, "sector": TEXT, "private": TEXT}
    run = tenant.load(
        schema(columns=columns, keys=["account"]),
        record(account="Initech", sector="software", private="p"),
        field_mapping={"account": "Name", "sector": "Industry"},
        constants={"Status": "Active"},
    )
    assert run.exit_code == 0
    [insert] = tenant.calls("insert")
    assert insert.body["records"] == [
        {"Name": "Initech", "Industry": "software", "Status": "Active"}
    ]
    assert (
        "stream 'accounts': these columns are not sent, because Company has no writable field for "
        "them: private"
    ) in run.warnings


@pytest.mark.parametrize("mode", ["insert", "upsert"])
@pytest.mark.parametrize("fields", [{"Name": None}, {"Name": ""}])
def test_company_without_name_is_rejected_before_any_write(
    tenant: Tenant, mode: str, fields: dict[str, object]
) -> None:
    run = tenant.load(schema(), record(**fields), record(Name="Initech"), sync_mode=mode)
    assert (run.exit_code, tenant.names(), len(run.rejects)) == (0, ["Initech"], 1)
    assert run.rejects[0]["gainsight_reject"]["field"] == "Name"
    assert sizes(tenant.calls("insert")) == [1]


@pytest.mark.parametrize(("object_type", "field"), [("company", "Name"), ("person", "Email")])
def test_required_fields_are_known_without_metadata(
    tenant: Tenant, object_type: str, field: str
) -> None:
    switches = tenant.sandbox.tenant.switches
    tenant.sandbox.tenant.switches = replace(switches, metadata_status=403)
    run = tenant.load(
        schema(columns={field: TEXT}, keys=[field]),
        record(**{field: None}),
        object_type=object_type,
        sync_mode="insert",
    )
    assert run.exit_code == 1
    assert run.rejects[0]["gainsight_reject"]["field"] == field
    assert tenant.calls("insert") == tenant.calls("person") == []


def test_company_with_only_an_id_is_not_created(tenant: Tenant) -> None:
    columns = {"SfdcAccountId": TEXT, "Name": TEXT, "Industry": TEXT}
    known, unknown = "001000000000001AAA", "001000000000002AAA"
    tenant.sandbox.tenant.seed("Company", [{"Name": "Initech", "SfdcAccountId": known}])
    run = tenant.load(
        schema(columns=columns, keys=["SfdcAccountId"]),
        record(SfdcAccountId=known, Industry="software"),
        record(SfdcAccountId=unknown, Industry="software"),
        lookup_keys=["SfdcAccountId"],
    )
    assert run.exit_code == 0
    assert [(row["Name"], row["Industry"]) for row in tenant.rows()] == [("Initech", "software")]
    [reject] = run.rejects
    assert reject["record"]["SfdcAccountId"] == unknown
    assert reject["gainsight_reject"]["field"] == "Name"


@pytest.mark.parametrize("email", [None, "", "no address"])
def test_person_without_email_is_rejected_before_any_call(
    tenant: Tenant, email: str | None
) -> None:
    run = tenant.load(
        schema("people", PERSON_COLUMNS, []),
        record("people", Email=email, LastName="Lee"),
        record("people", Email="ann@example.com", LastName="Lee"),
        object_type="person",
    )
    assert (run.exit_code, len(tenant.rows("Person")), len(run.rejects)) == (0, 1, 1)
    assert run.rejects[0]["gainsight_reject"]["field"] == "Email"
    assert [call.body["Email"] for call in tenant.calls("person")] == ["ann@example.com"]


def test_people_stream_without_email_stops_before_first_record(tenant: Tenant) -> None:
    people = schema(columns={"LastName": TEXT}, keys=[])
    run = tenant.load(people, object_type="person", sync_mode="insert")
    assert run.exit_code == 1
    assert "Email" in run.error
    assert kinds(tenant) == {}


def test_company_is_identified_by_name_if_given(tenant: Tenant) -> None:
    columns = {"SfdcAccountId": TEXT, "Name": TEXT}
    tenant.load(
        schema(columns=columns, keys=["SfdcAccountId"]),
        record(SfdcAccountId="001000000000001AAA", Name="Initech"),
    )
    query = tenant.calls("query")[0]
    assert [each["name"] for each in query.body["where"]["conditions"]] == ["Name"]


def test_else_the_key_properties_do(tenant: Tenant) -> None:
    columns = {"id": {"type": "integer"}, "buyer__gc": TEXT}
    tenant.load(
        schema("orders", columns, ["id", "buyer__gc"]),
        record("orders", id=7, buyer__gc="Initech"),
        field_mapping={"id": "orderId__gc"},
        **ORDERS,
    )
    query = tenant.calls("query")[0]
    named = [each["name"] for each in query.body["where"]["conditions"]]
    assert named == ["orderId__gc", "buyer__gc"]


@pytest.mark.parametrize("keys", [[], ["orderId__gc", "buyer__gc", "placedAt__gc", "sequence__gc"]])
def test_upsert_needs_one_to_three_keys_and_insert_none(tenant: Tenant, keys: list[str]) -> None:
    columns = {**ORDER_COLUMNS, "placedAt__gc": TEXT, "sequence__gc": {"type": "integer"}}
    fields = {"orderId__gc": 7, "buyer__gc": "x", "placedAt__gc": None, "sequence__gc": 1}
    messages = [schema("orders", columns, keys), record("orders", **fields)]
    refused = tenant.load(*messages, **ORDERS)
    assert refused.exit_code == 1
    assert "set lookup_keys to the 1 to 3 fields that identify a record" in refused.error
    assert tenant.load(*messages, **ORDERS, sync_mode="insert").exit_code == 0
    assert len(tenant.rows("Order__gc")) == 1


def test_lookup_keys_of_the_settings_are_asked_for(tenant: Tenant) -> None:
    columns = {**COMPANY_COLUMNS, "TickerSymbol": TEXT}
    tenant.load(
        schema(columns=columns),
        record(Name="Initech", TickerSymbol="INI"),
        lookup_keys="TickerSymbol,Name",
    )
    query = tenant.calls("query")[0]
    named = [each["name"] for each in query.body["where"]["conditions"]]
    assert named == ["TickerSymbol", "Name"]


def test_path_names_keys_once(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("Order__gc", [{"orderId__gc": 7}])
    tenant.load(
        schema("orders", ORDER_COLUMNS, ["orderId__gc"]),
        record("orders", orderId__gc=7, buyer__gc="Initech"),
        **ORDERS,
    )
    [update] = tenant.calls("update")
    assert parse_qs(urlsplit(update.path).query) == {"keys": ["Gsid"]}
