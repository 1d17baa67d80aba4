"""Section 5: describe and list."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

LIST = "/v1/meta/services/objects/list"


def _describe(api: Api, name: str, query: str = "?ic=false&cl=0&idd=true") -> requests.Response:
    return api.call("GET", f"/v1/meta/services/objects/{name}/describe{query}")


def _fields(api: Api, name: str) -> dict[str, Any]:
    described = _describe(api, name).json()["data"][0]
    return {field["fieldName"]: field for field in described["fields"]}


def test_describe_answers_one_object_with_its_fields(api: Api) -> None:
    body = _describe(api, "Company").json()
    assert body["result"] is True
    assert body["requestId"]
    (described,) = body["data"]
    assert {name: described[name] for name in described if name != "fields"} == {
        "objectName": "company",
        "label": "Company",
        "objectType": "STANDARD",
        "transactional": False,
    }


@pytest.mark.parametrize("query", ["", "?ic=true&cl=2&idd=true"])
def test_describe_needs_no_parameters(api: Api, query: str) -> None:
    assert _describe(api, "company", query).status_code == 200


def _names(answer: requests.Response) -> list[str]:
    return [each["objectName"] for each in answer.json()["data"]]


def test_children_come_first_where_they_are_asked_for(api: Api) -> None:
    assert _names(_describe(api, "relationship", "?ic=true&cl=2&idd=true")) == [
        *("gsuser", "company", "relationship_type"),
        "relationship",
    ]


def _describe_several(api: Api, *names: str) -> requests.Response:
    body = {"objectNames": list(names), "includeChilds": "true", "childLevels": "0"}
    return api.call("POST", "/v1/meta/services/objects/describe", body)


def test_several_objects_are_described_in_one_call(api: Api) -> None:
    answer = _describe_several(api, "gsuser", "Company")
    assert _names(answer) == ["gsuser", "company"]
    assert all(each["fields"] for each in answer.json()["data"])


def test_unknown_object_refuses_describe_of_several(api: Api) -> None:
    answer = _describe_several(api, "company", "Nothing__gc")
    assert answer.status_code == 404
    assert answer.json()["title"] == "OBJECT_NOT_FOUND"


@pytest.mark.parametrize("status", [400, 404, 405])
def test_describing_several_objects_may_not_be_served(open_tenant: OpenTenant, status: int) -> None:
    api = open_tenant(switches={"describe_several": status})
    assert _describe_several(api, "company").status_code == status
    assert _describe(api, "company").status_code == 200


def test_flags_may_come_as_text(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"flags_as_text": True, "standard_transactional": True})
    described = _describe(api, "company").json()["data"][0]
    assert described["transactional"] == "true"
    assert _fields(api, "company")["Name"]["meta"]["nillable"] == "false"


def test_shape_of_field(api: Api) -> None:
    assert _fields(api, "company")["Name"] == {
        "fieldName": "Name",
        "label": "Name",
        "dataType": "STRING",
        "meta": {
            "required": True,
            "nillable": False,
            "createable": True,
            "updateable": True,
            "readOnly": False,
            "formulaField": False,
            "hasLookup": False,
            "length": 255,
            "decimalPlaces": 0,
            "fieldGroupType": "STANDARD",
        },
    }


def test_shape_of_lookup(api: Api) -> None:
    meta = _fields(api, "company")["Csm"]["meta"]
    assert meta["hasLookup"] is True
    assert meta["lookupDetail"] == {"lookupObjects": [{"objectName": "gsuser"}]}


def test_picklist_options(api: Api) -> None:
    options = _fields(api, "company")["Stage"]["options"]
    assert [option["label"] for option in options] == [
        "New Customer",
        "Kicked Off",
        "Launched",
        "Adopting",
        "Will Churn",
        "Churn",
        "Trial",
    ]
    assert [option["active"] for option in options] == [True] * 6 + [False]
    assert options[0]["systemName"] == "NEW_CUSTOMER"
    assert [option["displayOrder"] for option in options] == list(range(1, 8))
    assert all(re.fullmatch("1I00[0-9A-Z]{32}", option["value"]) for option in options)


def _category(api: Api, field: dict[str, Any]) -> requests.Response:
    category = field["meta"]["properties"]["PICKLIST_CATEGORY_ID"]
    return api.call("GET", f"/v1/meta/services/dropdowns/{category}")


def test_picklist_items_may_be_listed_by_category_only(open_tenant: OpenTenant) -> None:
    listed = _fields(open_tenant(), "company")["Stage"]
    api = open_tenant(path="other.db", switches={"picklist_options": "by_category"})
    stage = _fields(api, "company")["Stage"]
    assert stage["options"] == []
    data = _category(api, stage).json()["data"]
    assert data["categoryDetails"]["count"] == len(listed["options"])
    assert [(each["gsid"], each["name"]) for each in data["childItems"]] == [
        (each["value"], each["label"]) for each in listed["options"]
    ]


def test_picklist_may_lack_items_and_category(open_tenant: OpenTenant) -> None:
    stage = _fields(open_tenant(switches={"picklist_options": "unlisted"}), "company")["Stage"]
    assert stage["options"] == []
    assert "properties" not in stage["meta"]


def test_unknown_category_is_not_found(api: Api) -> None:
    assert api.call("GET", "/v1/meta/services/dropdowns/1I00X").status_code == 404


def test_items_keep_their_gsids_over_a_restart(open_tenant: OpenTenant) -> None:
    first = _fields(open_tenant(), "company")["Stage"]
    assert _fields(open_tenant(path="other.db"), "company")["Stage"] == first


def test_fields_without_options_have_none(api: Api) -> None:
    assert "options" not in _fields(api, "company")["Name"]


@pytest.mark.parametrize(
    "name",
    [
        *("Name", "Employees", "ARR", "Mrr", "Industry", "IndustryNew", "Stage", "Status"),
        *("RenewalDate", "OriginalContractDate", "BillingAddress", "Summary", "CompanyType"),
        *("Csm", "ParentCompany", "CustomerlifetimeInMonths", "LifecycleInWeeks", "ManagedAs"),
        *("Tags", "TickerSymbol", "Users", "SfdcAccountId", "CurrencyIsoCode"),
    ],
)
def test_standard_company_fields_are_writable(api: Api, name: str) -> None:
    meta = _fields(api, "company")[name]["meta"]
    assert meta["createable"]
    assert meta["updateable"]
    assert not meta["readOnly"]
    assert not meta["formulaField"]


def test_fields_of_the_server_are_not_writable(api: Api) -> None:
    for name in ("Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy", "Nps"):
        meta = _fields(api, "company")[name]["meta"]
        assert not meta["createable"]
        assert not meta["updateable"]
        assert meta["readOnly"]


def test_custom_objects_show_what_the_administrator_declared(api: Api) -> None:
    fields = _fields(api, "CG_NPS_Response__gc")
    assert {"Gsid", "Name", "CreatedDate"} <= set(fields)
    assert fields["responseId__gc"]["meta"]["required"] is True
    assert fields["responseId__gc"]["meta"]["length"] == 100
    assert fields["responseId__gc"]["meta"]["fieldGroupType"] == "CUSTOM"
    assert fields["Name"]["meta"]["required"] is False
    assert _fields(api, "Types__gc")["formula__gc"]["meta"]["formulaField"] is True
    assert _describe(api, "Usage__gc").json()["data"][0]["transactional"] is False


def test_custom_fields_of_standard_objects_are_declared_too(open_tenant: OpenTenant) -> None:
    fields = {"Region__gc": {"type": "PICKLIST", "options": ["North", "South"]}}
    api = open_tenant(objects={"company": {"fields": fields}})
    assert len(_fields(api, "Company")["Region__gc"]["options"]) == 2
    assert api.insert("Company", {"Name": "A", "Region__gc": "North"}).status_code == 200


def test_unknown_object_is_not_found(api: Api) -> None:
    answer = _describe(api, "Nothing__gc")
    assert answer.status_code == 404
    body = answer.json()
    assert body["title"] == "OBJECT_NOT_FOUND"
    assert body["errorDesc"] == "Requested object not found."
    assert body["result"] is False
    assert body["requestId"]


def test_list_shows_objects_and_low_volume_flag(api: Api) -> None:
    listed = {each["objectName"]: each for each in api.call("GET", LIST).json()["data"]}
    assert {"company", "person", "company_person", "relationship", "gsuser"} <= set(listed)
    assert listed["CG_NPS_Response__gc"] == {
        "objectName": "CG_NPS_Response__gc",
        "label": "NPS Response",
        "objectType": "CUSTOM",
        "transactional": True,
    }
    assert listed["Usage__gc"]["transactional"] is False


@pytest.mark.parametrize("status", [403, 500])
def test_metadata_that_cannot_be_read_is_a_switch(open_tenant: OpenTenant, status: int) -> None:
    api = open_tenant(switches={"metadata_status": status})
    assert _describe(api, "Company").status_code == status
    assert api.call("GET", LIST).status_code == status
    assert api.insert("Company", {"Name": "A"}).status_code == 200
