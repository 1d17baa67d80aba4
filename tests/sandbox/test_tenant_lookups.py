"""Section 3, lookups: foreign keys resolved inside the write."""

from __future__ import annotations

from typing import Any

import pytest
from tenant_api import Api, OpenTenant


def _lookup(
    target: str = "Csm", name: str = "gsuser", fields: Any = None, **more: Any
) -> dict[str, Any]:
    return {
        target: {
            "fields": fields or {"CsmEmail": "Email"},
            "lookupField": "Gsid",
            "objectName": name,
            "multiMatchOption": "FIRSTMATCH",
            "onNoMatch": "ERROR",
            **more,
        }
    }


ADA = "ada.park@ourcompany.example"


def test_lookup_column_need_not_be_a_field(api: Api) -> None:
    ada = api.tenant.rows("gsuser", Email=ADA)[0]["Gsid"]
    answer = api.insert("Company", {"Name": "A", "CsmEmail": ADA}, lookups=_lookup())
    assert answer.status_code == 200, answer.text
    assert api.tenant.rows("company")[0]["Csm"] == ada
    record = answer.json()["data"]["records"][0]
    assert record["Csm"] == ada
    assert "CsmEmail" not in record


def test_lookups_apply_to_every_record_and_to_updates(api: Api) -> None:
    api.inserted("Company", {"Name": "A"}, {"Name": "B"})
    records = [{"Name": "A", "CsmEmail": ADA}, {"Name": "B", "CsmEmail": ADA}]
    assert api.update("Company", "Name", *records, lookups=_lookup()).status_code == 200
    assert {row["Csm"] for row in api.tenant.rows("company")} == {
        api.tenant.rows("gsuser", Email=ADA)[0]["Gsid"]
    }


def test_object_names_in_lookups_know_no_case(api: Api) -> None:
    answer = api.insert("Company", {"Name": "A", "CsmEmail": ADA}, lookups=_lookup(name="GsUser"))
    assert answer.status_code == 200


def test_column_that_is_lookup_target_is_kept(api: Api) -> None:
    parent = api.inserted("Company", {"Name": "Parent"})[0]
    lookups = _lookup("ParentCompany", "company", {"ParentCompany": "Name"})
    api.insert("Company", {"Name": "Child", "ParentCompany": "Parent"}, lookups=lookups)
    assert api.tenant.rows("company", Name="Child")[0]["ParentCompany"] == parent


def test_several_fields_are_anded(api: Api) -> None:
    api.inserted(
        "Company", {"Name": "A", "Industry": "x"}, {"Name": "A", "Industry": "y", "ARR": 2}
    )
    lookups = _lookup(
        "companyId__gc",
        "company",
        {"account": "Name", "branch": "Industry"},
        multiMatchOption="MARKASERROR",
    )
    record = {"responseId__gc": "1", "account": "A", "branch": "y"}
    assert api.insert("CG_NPS_Response__gc", record, lookups=lookups).status_code == 200
    gsid = api.tenant.rows("CG_NPS_Response__gc")[0]["companyId__gc"]
    assert api.tenant.rows("company", Gsid=gsid)[0]["ARR"] == 2


def test_several_matches_take_the_first_or_are_an_error(api: Api) -> None:
    first, _ = api.inserted("Company", {"Name": "Twin"}, {"Name": "Twin"})
    record = {"responseId__gc": "1", "account": "Twin"}
    fields = {"account": "Name"}
    lookups = _lookup("companyId__gc", "company", fields, multiMatchOption="MARKASERROR")
    refused = api.insert("CG_NPS_Response__gc", record, lookups=lookups)
    assert refused.status_code == 400
    lookups = _lookup("companyId__gc", "company", fields)
    assert api.insert("CG_NPS_Response__gc", record, lookups=lookups).status_code == 200
    assert api.tenant.rows("CG_NPS_Response__gc")[0]["companyId__gc"] == first


def test_no_match_as_error_refuses_call(api: Api) -> None:
    answer = api.insert(
        "Company",
        {"Name": "A", "CsmEmail": ADA},
        {"Name": "B", "CsmEmail": "nobody@x.example"},
        lookups=_lookup(),
    )
    assert answer.status_code == 400
    error = answer.json()["data"]["errors"][0][0]["errors"][0]
    assert (error["fieldName"], error["invalidValue"]) == ("Csm", "nobody@x.example")
    assert api.tenant.count("company") == 0


def test_code_of_failed_lookup_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"lookup_error_code": "GSOBJ_1011"})
    answer = api.insert("Company", {"Name": "A", "CsmEmail": "x@y.example"}, lookups=_lookup())
    assert answer.json()["errorCode"] == "GSOBJ_1011"


@pytest.mark.parametrize(("option", "kept"), [("NULLABLE", False), ("DEFAULTVALUE", True)])
def test_no_match_keeps_null_or_current_value(api: Api, option: str, kept: bool) -> None:
    ada = api.tenant.rows("gsuser", Email=ADA)[0]["Gsid"]
    api.inserted("Company", {"Name": "A", "Csm": ada})
    record = {"Name": "A", "CsmEmail": "nobody@x.example"}
    answer = api.update("Company", "Name", record, lookups=_lookup(onNoMatch=option))
    assert answer.status_code == 200
    assert api.tenant.rows("company")[0]["Csm"] == (ada if kept else None)


@pytest.mark.parametrize("value", [None, 5])
def test_column_that_cannot_match_is_no_match(api: Api, value: Any) -> None:
    record = {"Name": "A", "CsmEmail": value}
    assert api.insert("Company", record, lookups=_lookup()).status_code == 400
    assert api.insert("Company", record, lookups=_lookup(onNoMatch="NULLABLE")).status_code == 200


def test_record_without_lookup_column_is_unaffected(api: Api) -> None:
    assert api.insert("Company", {"Name": "A"}, lookups=_lookup()).status_code == 200
    assert api.tenant.rows("company")[0]["Csm"] is None


def test_another_field_than_the_gsid_may_be_taken(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "Industry": "Software"})
    lookups = _lookup(
        "Industry", "company", {"like": "Name"}, lookupField="Industry", onNoMatch="NULLABLE"
    )
    api.insert("Company", {"Name": "B", "like": "A"}, lookups=lookups)
    assert api.tenant.rows("company", Name="B")[0]["Industry"] == "Software"


@pytest.mark.parametrize(
    "lookups",
    [
        [1],
        {"Csm": {}},
        {"Csm": "Email"},
        _lookup(fields={"CsmEmail": "Nope"}),
        _lookup(lookupField="Nope"),
        _lookup(onNoMatch="NOTHING"),
        _lookup(multiMatchOption="ALL"),
        _lookup(name="Nope"),
    ],
)
def test_wrongly_described_lookup_is_refused(api: Api, lookups: Any) -> None:
    answer = api.insert("Company", {"Name": "A", "CsmEmail": ADA}, lookups=lookups)
    assert answer.status_code in {400, 404}
    assert api.tenant.count("company") == 0
