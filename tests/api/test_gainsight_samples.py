"""Every response that Gainsight documents or a tenant returned is read completely."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answering import TENANT, success

from target_gainsight.api import (
    CredentialError,
    GainsightClient,
    ObjectNotFoundError,
    RefusedError,
    is_in,
)

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "gainsight-samples"
META = f"{TENANT}/v1/meta/services"
QUERY = f"{TENANT}/v1/data/objects/query"
READ = {
    "cta_list_invalid_select.json",
    "cta_list_row.json",
    "describe_custom_object.json",
    "describe_not_found.json",
    "describe_picklists_recorded.json",
    "describe_request.json",
    "dropdown_category.json",
    "object_list.json",
    "query_company_no_data.json",
    "query_company_request.json",
    "query_company_response.json",
    "query_custom_object_empty.json",
    "query_custom_object_response.json",
    "query_nothing_matches.json",
    "query_timeline_request.json",
    "query_timeline_response.json",
    "unauthorized.json",
}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are kept elsewhere")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text("utf-8"))


def test_every_sample_has_a_test() -> None:
    assert {path.name for path in SAMPLES.glob("*.json")} == READ


def test_object_list(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(f"{META}/objects/list", json=sample("object_list.json"))
    listed = {each.name: each for each in client.metadata.list_objects()}
    assert len(listed) == 11
    standard = ("company", "company_person", "relationship", "gsuser")
    assert [listed[name].volume for name in standard] == [None] * 4
    assert listed["obj1__gc"].volume == "low"


def test_description_of_custom_object(client: GainsightClient, requests_mock: Any) -> None:
    asked = requests_mock.post(
        f"{META}/objects/describe", json=sample("describe_custom_object.json")
    )
    [schema] = client.metadata.describe_several(["CustomObj__gc"]).values()
    assert set(asked.last_request.json()) == set(sample("describe_request.json"))
    name, created_by = schema.field("Name__gc"), schema.field("CreatedBy")
    assert (schema.name, schema.object_type, schema.volume) == ("customobj__gc", "CUSTOM", "low")
    assert name
    assert (name.data_type, name.length, name.insertable, name.updatable) == (
        *("STRING", 500),
        *(True, True),
    )
    assert created_by
    assert (created_by.insertable, created_by.lookup_objects) == (False, ("gsuser",))


def test_recorded_picklists(client: GainsightClient, requests_mock: Any) -> None:
    described = {"objectName": "company", "fields": sample("describe_picklists_recorded.json")}
    requests_mock.get(f"{META}/objects/company/describe", json=success([described]))
    schema = client.metadata.describe("company")
    company_type, tags = schema.field("CompanyType"), schema.field("Tags")
    assert company_type
    assert [(each.label, each.active) for each in company_type.options] == [
        ("Customer", True),
        ("Former Customer", True),
        ("Prospect", False),
    ]
    assert tags
    assert tags.options == ()


def test_dropdown_category(client: GainsightClient, requests_mock: Any) -> None:
    answer = sample("dropdown_category.json")
    category = answer["data"]["categoryDetails"]["gsid"]
    requests_mock.get(f"{META}/dropdowns/{category}", json=answer)
    properties = {"PICKLIST_CATEGORY_ID": category}
    tags = {"fieldName": "Tags", "dataType": "PICKLIST", "meta": {"properties": properties}}
    described = {"result": True, "data": {"objectName": "x", "fields": [tags]}}
    requests_mock.get(f"{META}/objects/x/describe", json=described)
    items = client.metadata.describe("x").fields[0].load_options()
    assert [item.label for item in items] == [
        *("Viewer", "Full", "External", "Internal_Collaborator", "Viewer_Analytics")
    ]
    assert all(item.active and item.gsid.startswith("1I00") for item in items)


def test_unknown_object(client: GainsightClient, requests_mock: Any) -> None:
    answer = sample("describe_not_found.json")
    requests_mock.get(f"{META}/objects/x/describe", status_code=404, json=answer)
    requests_mock.post(f"{META}/objects/describe", status_code=404, json=answer)
    with pytest.raises(ObjectNotFoundError):
        client.metadata.describe("x")
    assert client.metadata.describe_several(["x", "y"]) == {}


def test_companies(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.post(f"{QUERY}/Company", json=sample("query_company_response.json"))
    select = sample("query_company_request.json")["select"]
    rows = list(client.records.query("Company", select=select))
    assert [row["Name"] for row in rows] == ["Initech", "ABC Inc.", "XYZ Inc."]
    assert all(set(row) == set(select) for row in rows)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("query_company_no_data.json", 200),
        ("query_company_no_data.json", 400),
        ("query_custom_object_empty.json", 200),
    ],
)
def test_no_rows(client: GainsightClient, requests_mock: Any, name: str, status: int) -> None:
    requests_mock.post(f"{QUERY}/Company", status_code=status, json=sample(name))
    assert list(client.records.query("Company", select=["Gsid"])) == []


def test_no_match(client: GainsightClient, requests_mock: Any) -> None:
    answer = sample("query_nothing_matches.json")
    requests_mock.post(f"{QUERY}/Company", status_code=answer["httpStatus"], json=answer["body"])
    assert list(client.records.query("Company", select=["Gsid"])) == []


def test_rows_of_a_custom_object(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.post(f"{QUERY}/x__gc", json=sample("query_custom_object_response.json"))
    path = "Company_ID__gr.Csm__gr.Name"
    rows = list(client.records.query("x__gc", select=["Company_Name__gc", path]))
    assert [row[path] for row in rows] == ["Ann Doe", "Bo Roe"]


def test_activities(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.post(f"{QUERY}/activity_timeline", json=sample("query_timeline_response.json"))
    asked = sample("query_timeline_request.json")
    where = is_in("ExternalId", asked["where"]["conditions"][0]["value"])
    [row] = client.records.query("activity_timeline", select=asked["select"], where=where)
    assert (row["contextname"], row["Ant__CustomNumber__c"]) == ("Relationship", 300)


def test_listed_cta(client: GainsightClient, requests_mock: Any) -> None:
    row = sample("cta_list_row.json")
    requests_mock.post(f"{QUERY}/call_to_action", json=success([row]))
    [read] = client.records.query("call_to_action", select=["Gsid", "ReasonId__gr.Name"])
    assert read == row


def test_invalid_select(client: GainsightClient, requests_mock: Any) -> None:
    answer = sample("cta_list_invalid_select.json")
    requests_mock.post(f"{QUERY}/call_to_action", json=answer)
    with pytest.raises(RefusedError, match="gsidasdf"):
        list(client.records.query("call_to_action", select=["gsidasdf"]))


def test_unauthorized_call(client: GainsightClient, requests_mock: Any) -> None:
    answer = sample("unauthorized.json")
    requests_mock.get(f"{META}/objects/list", status_code=401, json=answer["body"])
    with pytest.raises(CredentialError) as caught:
        client.metadata.list_objects()
    assert caught.value.request_id == answer["body"]["requestId"]
