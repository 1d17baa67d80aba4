"""Section 3: insert, update, read one, delete one, and the shape of refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

NPS = "CG_NPS_Response__gc"


def _errors(answer: requests.Response) -> Any:
    assert answer.status_code == 400, answer.text
    return answer.json()["data"]["errors"]


def _codes(answer: requests.Response) -> list[list[str]]:
    return [[field["errors"][0]["errorCode"] for field in record] for record in _errors(answer)]


def test_insert_answers_the_sent_fields_and_the_gsid_in_order(api: Api) -> None:
    records = [{"Name": f"C{number}", "Employees": number} for number in range(50)]
    data = api.insert("Company", *records).json()["data"]
    assert data["count"] == 50
    assert data["errors"] is None
    assert [{**record, "Gsid": None} for record in records] == [
        {**record, "Gsid": None} for record in data["records"]
    ]
    assert [row["Gsid"] for row in api.tenant.rows("company")] == [
        record["Gsid"] for record in data["records"]
    ]


@pytest.mark.parametrize("name", ["Company", "company", "COMPANY"])
def test_object_names_in_the_path_know_no_case(api: Api, name: str) -> None:
    assert api.insert(name, {"Name": "Acme"}).status_code == 200
    assert len(api.found(name, ["Name"])) == 1


def test_field_names_in_writes_are_case_sensitive(api: Api) -> None:
    assert _codes(api.insert("Company", {"Name": "Acme", "arr": 1})) == [["GSOBJ_1002"]]


def test_gsids_are_36_alphanumerics_that_identify_object(api: Api) -> None:
    prefixes = {
        "company": api.inserted("Company", {"Name": "Acme"})[0],
        "gsuser": api.tenant.rows("gsuser")[0]["Gsid"],
    }
    api.person(Email="a@b.example", companies=[{"Company_ID": prefixes["company"]}])
    prefixes["company_person"] = api.tenant.rows("company_person")[0]["Gsid"]
    relationship = {"Name": "R", "CompanyId": prefixes["company"]}
    prefixes["relationship"] = api.inserted("Relationship", relationship)[0]
    expected = {
        "company": "1P02",
        "gsuser": "1P01",
        "company_person": "1C01",
        "relationship": "1P05",
    }
    assert {name: gsid[:4] for name, gsid in prefixes.items()} == expected
    assert all(re.fullmatch("[0-9A-Z]{36}", gsid) for gsid in prefixes.values())


def test_low_volume_custom_objects_are_written_like_companies(api: Api) -> None:
    gsid = api.inserted(NPS, {"responseId__gc": "1", "score__gc": 9})[0]
    assert api.update(NPS, "responseId__gc", {"responseId__gc": "1", "score__gc": 3}).ok
    row = api.tenant.rows(NPS)[0]
    assert (row["Gsid"], row["score__gc"]) == (gsid, 3)


@pytest.mark.parametrize("name", ["Usage__gc", "Person", "company_person", "gsuser"])
def test_high_volume_and_people_objects_have_another_api(api: Api, name: str) -> None:
    for answer in (
        api.insert(name, {"Name": "x"}),
        api.update(name, "Gsid", {"Gsid": "1" * 36}),
        api.call("DELETE", f"/v1/data/objects/{name}/{'1' * 36}"),
    ):
        assert answer.status_code == 400
        assert answer.json()["errorCode"] == "GSOBJ_1023"


def test_unknown_object_is_refused(api: Api) -> None:
    for answer in (
        api.insert("Nothing__gc", {"Name": "x"}),
        api.update("Nothing__gc", "Name", {"Name": "x"}),
        api.query("Nothing__gc", select=["Name"]),
        api.call("GET", f"/v1/data/objects/Nothing__gc/{'1' * 36}"),
    ):
        assert answer.status_code == 404
        assert answer.json()["errorCode"] == "OBJECT_NOT_FOUND"


def test_bad_value_fails_whole_insert(api: Api) -> None:
    answer = api.insert("Company", {"Name": "Good"}, {"Name": "Bad", "ARR": "much"})
    assert _codes(answer) == [["GSOBJ_1002"]]
    assert answer.json()["data"]["count"] == 0
    assert answer.json()["data"]["records"] is None
    assert api.tenant.count("company") == 0


def test_bad_value_fails_whole_update(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "ARR": 1}, {"Name": "B", "ARR": 1})
    answer = api.update("Company", "Name", {"Name": "A", "ARR": 2}, {"Name": "B", "ARR": "x"})
    assert answer.status_code == 400
    assert [row["ARR"] for row in api.tenant.rows("company")] == [1, 1]


def test_envelope_names_first_bad_field_and_value(api: Api) -> None:
    answer = api.insert("Company", {"Name": "A", "Stage": "Nope", "ARR": "much"}).json()
    assert answer["errorCode"] == "GSOBJ_1012"
    assert answer["errorDesc"].endswith(" (Stage = Nope).")


def test_errors_are_listed_by_record_and_field_without_index(api: Api) -> None:
    answer = api.insert(
        "Company",
        {"Name": "A", "Stage": "Nope", "ARR": "much"},
        {"Name": "Good"},
        {"Name": "C", "RenewalDate": "tomorrow"},
    )
    assert _errors(answer) == [
        [
            _listed("Stage", "Nope", "GSOBJ_1012", ["Nope"]),
            _listed("ARR", "much", "GSOBJ_1002", "much"),
        ],
        [_listed("RenewalDate", "tomorrow", "GSOBJ_1006", "tomorrow")],
    ]


def _listed(field: str, value: Any, code: str, invalid: Any) -> dict[str, Any]:
    messages = {
        "GSOBJ_1012": "Invalid or inactive picklist value",
        "GSOBJ_1002": "Invalid value for CURRENCY field",
        "GSOBJ_1006": "Invalid date format",
    }
    detail = {
        "errorMessage": messages[code],
        "errorCode": code,
        "fieldName": field,
        "invalidValue": invalid,
    }
    return {"success": False, "parsedValue": value, "errors": [detail]}


_TWO_BAD = ({"Name": "A", "Stage": "No", "ARR": "x"}, {"Name": "B", "Stage": "Never"})


@pytest.mark.parametrize(
    ("switch", "fields"),
    [
        ("nested", [["Stage", "ARR"], ["Stage"]]),
        ("flat", ["Stage", "ARR", "Stage"]),
        ("first_only", [["Stage"]]),
        ("missing", None),
    ],
)
def test_error_listing_is_a_switch(open_tenant: OpenTenant, switch: str, fields: Any) -> None:
    api = open_tenant(switches={"error_listing": switch})
    listed = _errors(api.insert("Company", *_TWO_BAD))

    def names(item: Any) -> Any:
        return [names(each) for each in item] if isinstance(item, list) else _field(item)

    assert (None if listed is None else names(listed)) == fields


def _field(item: Any) -> str:
    return item["errors"][0]["fieldName"]


def test_update_never_inserts(api: Api) -> None:
    answer = api.update("Company", "Name", {"Name": "Unknown", "ARR": 1})
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "GSOBJ_1011"
    assert api.tenant.count("company") == 0


def test_unmatched_key_fails_whole_update(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "ARR": 1})
    answer = api.update("Company", "Name", {"Name": "A", "ARR": 2}, {"Name": "B", "ARR": 2})
    assert _codes(answer) == [["GSOBJ_1011"]]
    assert api.tenant.rows("company")[0]["ARR"] == 1


def test_leaving_out_unmatched_records_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"put_without_match": "ignore"})
    api.inserted("Company", {"Name": "A", "ARR": 1})
    data = api.update("Company", "Name", {"Name": "B", "ARR": 2}, {"Name": "A", "ARR": 2}).json()
    assert data["result"] is True
    assert data["data"]["count"] == 1
    assert [record["Name"] for record in data["data"]["records"]] == ["A"]
    assert api.tenant.count("company") == 1


def test_partial_write_of_refused_update_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(
        switches={
            "put_without_match": "error_others_written",
            "put_without_match_code": "GSOBJ_9999",
        }
    )
    api.inserted("Company", {"Name": "A"})
    answer = api.update("Company", "Name", {"Name": "B", "ARR": 2}, {"Name": "A", "ARR": 2})
    assert _codes(answer) == [["GSOBJ_9999"]]
    assert [(row["Name"], row["ARR"]) for row in api.tenant.rows("company")] == [("A", 2)]


def test_company_names_are_not_unique(api: Api) -> None:
    api.inserted("Company", {"Name": "Twin"}, {"Name": "Twin"})
    api.inserted("Company", {"Name": "Twin"})
    assert api.tenant.count("company") == 3


def test_keys_that_match_several_rows_update_them_all(api: Api) -> None:
    gsids = api.inserted("Company", {"Name": "Twin"}, {"Name": "Twin"})
    answer = api.update("Company", "Name", {"Name": "Twin", "ARR": 5}).json()
    assert answer["data"]["count"] == 1
    assert answer["data"]["records"][0]["Gsid"] == gsids[0]
    assert [row["ARR"] for row in api.tenant.rows("company")] == [5, 5]


def test_refusing_keys_that_match_several_rows_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"put_multi_match": "error"})
    api.inserted("Company", {"Name": "Twin"}, {"Name": "Twin"})
    assert api.update("Company", "Name", {"Name": "Twin", "ARR": 5}).status_code == 400
    assert [row["ARR"] for row in api.tenant.rows("company")] == [None, None]


def test_updating_the_first_of_several_rows_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"put_multi_match": "update_first"})
    api.inserted("Company", {"Name": "Twin"}, {"Name": "Twin"})
    assert api.update("Company", "Name", {"Name": "Twin", "ARR": 5}).status_code == 200
    assert [row["ARR"] for row in api.tenant.rows("company")] == [5, None]


def test_refusing_a_record_without_one_of_the_keys_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"put_missing_key_code": "GSOBJ_9999"})
    api.inserted("Company", {"Name": "A", "Industry": "x"})
    answer = api.update("Company", "Name,Industry", {"Name": "A", "ARR": 7})
    assert _codes(answer) == [["GSOBJ_9999"]]
    api.running.stop()
    lenient = open_tenant(switches={"put_missing_key": "ignore"})
    assert lenient.update("Company", "Name,Industry", {"Name": "A", "ARR": 7}).status_code == 200
    assert lenient.update("Company", "Name", {"ARR": 8}).status_code == 400
    assert [row["ARR"] for row in lenient.tenant.rows("company")] == [7]


@pytest.mark.parametrize(("switch", "held"), [("kept", ""), ("cleared", None)])
def test_clearing_a_field_by_empty_text_is_a_switch(
    open_tenant: OpenTenant, switch: str, held: str | None
) -> None:
    api = open_tenant(switches={"empty_text_written": switch})
    api.inserted("Company", {"Name": "A", "Summary": ""})
    assert [row["Summary"] for row in api.tenant.rows("company")] == [held]


def test_codes_of_too_many_records_and_keys_are_switches(open_tenant: OpenTenant) -> None:
    codes = {"too_many_records_code": "GSOBJ_8888", "too_many_keys_code": "GSOBJ_9999"}
    api = open_tenant(switches=codes)
    answers = [
        api.insert("Company", *({"Name": f"C{number}"} for number in range(51))),
        api.update("Company", "Name,Name,Name,Name", {"Name": "A"}),
    ]
    assert [answer.json()["errorCode"] for answer in answers] == ["GSOBJ_8888", "GSOBJ_9999"]
    assert api.tenant.count("company") == 0


def test_several_keys_are_anded(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "Industry": "x"}, {"Name": "A", "Industry": "y"})
    record = {"Name": "A", "Industry": "y", "ARR": 7}
    assert api.update("Company", "Name,Industry", record).status_code == 200
    assert [row["ARR"] for row in api.tenant.rows("company")] == [None, 7]


def test_record_updated_twice_in_call_keeps_later_values(api: Api) -> None:
    api.inserted("Company", {"Name": "A"})
    api.update(
        "Company",
        "Name",
        {"Name": "A", "ARR": 1, "Employees": 1},
        {"Name": "A", "ARR": 2},
        {"Name": "A", "ARR": 3, "Users": 9},
    )
    row = api.tenant.rows("company")[0]
    assert (row["ARR"], row["Employees"], row["Users"]) == (3, 1, 9)


@pytest.mark.parametrize("keys", ["Name", "Employees", "Gsid"])
def test_string_number_and_gsid_may_be_keys(api: Api, keys: str) -> None:
    gsid = api.inserted("Company", {"Name": "A", "Employees": 5})[0]
    value = {"Name": "A", "Employees": 5, "Gsid": gsid}[keys]
    assert api.update("Company", keys, {keys: value, "ARR": 1}).status_code == 200
    assert api.tenant.rows("company")[0]["ARR"] == 1


def test_email_key_ignores_case(api: Api) -> None:
    api.inserted("Types__gc", {"email__gc": "Ada@x.example", "needed__gc": "a"})
    answer = api.update("Types__gc", "email__gc", {"email__gc": "ada@X.example", "number__gc": 1})
    assert answer.status_code == 200
    row = api.tenant.rows("Types__gc")[0]
    assert (row["number__gc"], row["email__gc"]) == (1, "Ada@x.example")


@pytest.mark.parametrize("keys", ["Stage", "RenewalDate", "ARR", "Csm", "Nothing", "name", ""])
def test_other_types_and_unknown_fields_cannot_be_keys(api: Api, keys: str) -> None:
    answer = api.update("Company", keys, {"Name": "A", "Stage": "Launched"})
    assert answer.status_code == 400


def test_refusing_gsid_as_a_key_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"keys_gsid_refused": True})
    gsid = api.inserted("Company", {"Name": "A"})[0]
    assert api.update("Company", "Gsid", {"Gsid": gsid, "ARR": 1}).status_code == 400


@pytest.mark.parametrize("record", [{"ARR": 1}, {"Name": None, "ARR": 1}])
def test_records_need_every_key(api: Api, record: Any) -> None:
    api.inserted("Company", {"Name": "A"})
    answer = api.update("Company", "Name", {"Name": "A", "ARR": 2}, record)
    assert _codes(answer) == [["GSOBJ_1007"]]


def test_key_of_wrong_type_is_refused(api: Api) -> None:
    assert _codes(api.update("Company", "Employees", {"Employees": "5"})) == [["GSOBJ_1002"]]


def test_insert_is_not_idempotent(api: Api) -> None:
    for _ in range(2):
        api.inserted("Company", {"Name": "Acme"})
    assert api.tenant.count("company") == 2


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"TickerSymbol": "x" * 21}, "GSOBJ_1001"),
        ({"Nothing": 1}, "GSOBJ_1002"),
        ({"Csm": "ada"}, "GSOBJ_1002"),
        ({"RenewalDate": "31.01.2026"}, "GSOBJ_1006"),
        ({"Name": None}, "GSOBJ_1007"),
        ({"Stage": "Nope"}, "GSOBJ_1012"),
        ({"Stage": "Trial"}, "GSOBJ_1012"),
    ],
)
def test_error_codes_of_a_bad_value(api: Api, value: Any, code: str) -> None:
    answer = api.insert("Company", {"Name": "A", **value})
    assert answer.json()["errorCode"] == code


@pytest.mark.parametrize(
    ("value", "code"),
    [({"moment__gc": "2026-01-31"}, "GSOBJ_1005"), ({"flag__gc": "yes"}, "GSOBJ_1008")],
)
def test_error_codes_of_a_bad_datetime_or_boolean(api: Api, value: Any, code: str) -> None:
    assert api.insert("Types__gc", {"needed__gc": "x", **value}).json()["errorCode"] == code


def test_required_field_is_required_on_insert_only(api: Api) -> None:
    assert _codes(api.insert("Company", {"ARR": 1})) == [["GSOBJ_1007"]]
    gsid = api.inserted("Company", {"Name": "A"})[0]
    assert api.update("Company", "Gsid", {"Gsid": gsid, "ARR": 1}).status_code == 200


@pytest.mark.parametrize(
    "field", ["Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy", "Nps", "Csat"]
)
def test_server_fields_are_not_writable(api: Api, field: str) -> None:
    assert _codes(api.insert("Company", {"Name": "A", field: None})) == [["GSOBJ_1002"]]
    api.inserted("Company", {"Name": "A"})
    assert _codes(api.update("Company", "Name", {"Name": "A", field: None})) == [["GSOBJ_1002"]]


def test_formula_and_non_createable_fields_are_not_written(api: Api) -> None:
    base = {"needed__gc": "n", "text__gc": "k"}
    assert _codes(api.insert("Types__gc", {**base, "formula__gc": 1})) == [["GSOBJ_1002"]]
    assert api.insert("Types__gc", {**base, "fixed__gc": "x"}).status_code == 200
    changed = {"text__gc": "k", "fixed__gc": "y"}
    assert _codes(api.update("Types__gc", "text__gc", changed)) == [["GSOBJ_1002"]]


def test_server_sets_created_and_modified(api: Api) -> None:
    api.clock.now = 1_780_000_000.0
    api.inserted("Company", {"Name": "A"})
    api.clock.now += 3_600
    api.update("Company", "Name", {"Name": "A", "ARR": 1})
    row = api.tenant.rows("company")[0]
    assert row["CreatedDate"] == "2026-05-28T20:26:40.000Z"
    assert row["ModifiedDate"] == "2026-05-28T21:26:40.000Z"
    assert row["CreatedBy"] == row["ModifiedBy"] == api.tenant.rows("gsuser")[0]["Gsid"]


@pytest.mark.parametrize(
    "body", [None, [], {}, {"records": []}, {"records": {}}, {"records": [1]}, {"records": [{}]}]
)
def test_body_without_records_is_refused(api: Api, body: Any) -> None:
    assert api.call("POST", "/v1/data/objects/Company", body).status_code == 400
    assert api.call("PUT", "/v1/data/objects/Company?keys=Name", body).status_code == 400


def test_record_is_read_by_gsid(api: Api) -> None:
    gsid = api.inserted("Company", {"Name": "A", "Stage": "Launched"})[0]
    data = api.call("GET", f"/v1/data/objects/Company/{gsid}").json()["data"]
    assert (data["Name"], data["Gsid"], data["RenewalDate"]) == ("A", gsid, "")
    assert data["Stage"].startswith("1I00")


def test_record_is_deleted_by_gsid(api: Api) -> None:
    gsids = api.inserted("Company", {"Name": "A"}, {"Name": "B"})
    assert api.call("DELETE", f"/v1/data/objects/Company/{gsids[0]}").status_code == 200
    assert [row["Name"] for row in api.tenant.rows("company")] == ["B"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("gsid", ["1P02" + "A" * 32, "nothing"])
def test_unknown_gsid_is_1011(api: Api, method: str, gsid: str) -> None:
    answer = api.call(method, f"/v1/data/objects/Company/{gsid}")
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "GSOBJ_1011"


def test_row_that_others_refer_to_is_not_deleted(api: Api) -> None:
    (parent,) = api.inserted("Company", {"Name": "A"})
    (child,) = api.inserted("Company", {"Name": "B", "ParentCompany": parent})
    answer = api.call("DELETE", f"/v1/data/objects/Company/{parent}")
    assert (answer.status_code, answer.json()["errorCode"]) == (500, "GSOBJ_1003")
    assert api.call("DELETE", f"/v1/data/objects/Company/{child}").status_code == 200
    assert api.call("DELETE", f"/v1/data/objects/Company/{parent}").status_code == 200


def test_deleting_rows_that_others_refer_to_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"delete_referenced": "deleted"})
    (parent,) = api.inserted("Company", {"Name": "A"})
    api.inserted("Company", {"Name": "B", "ParentCompany": parent})
    assert api.call("DELETE", f"/v1/data/objects/Company/{parent}").status_code == 200


@pytest.mark.parametrize(
    ("missing", "status", "code"),
    [("delete_failed", 500, "GSOBJ_1003"), ("not_found", 404, "GSOBJ_1011")],
)
def test_refusal_to_delete_a_missing_row_is_a_switch(
    open_tenant: OpenTenant, missing: str, status: int, code: str
) -> None:
    api = open_tenant(switches={"delete_missing": missing})
    answer = api.call("DELETE", f"/v1/data/objects/Company/1P02{'A' * 32}")
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def test_names_that_differ_in_case_only_are_two_fields(open_tenant: OpenTenant) -> None:
    objects = {"X__gc": {"fields": {"ARR": {"type": "NUMBER"}, "Arr": {"type": "NUMBER"}}}}
    api = open_tenant(objects=objects)
    api.inserted("X__gc", {"ARR": 1, "Arr": 2})
    row = api.tenant.rows("X__gc")[0]
    assert (row["ARR"], row["Arr"]) == (1, 2)
    assert api.found("X__gc", ["Arr"], ("ARR", "EQ", [1])) == [{"Arr": 2}]
