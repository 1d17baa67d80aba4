"""Section 4: people."""

from __future__ import annotations

from typing import Any

import pytest
from tenant_api import Api, OpenTenant


def test_person_is_upserted_by_email(api: Api) -> None:
    first = api.person(Email="ada@x.example", FirstName="Ada", LastName="Park").json()
    again = api.person(Email="ada@x.example", LastName="Park-Lee").json()
    assert first["data"]["Gsid"] == again["data"]["Gsid"]
    rows = api.tenant.rows("person")
    assert [(row["FirstName"], row["LastName"]) for row in rows] == [("Ada", "Park-Lee")]


def test_emails_are_compared_without_case(api: Api) -> None:
    api.person(Email="Ada@x.example")
    api.person(Email="ada@X.EXAMPLE", FirstName="Ada")
    assert [row["Email"] for row in api.tenant.rows("person")] == ["Ada@x.example"]


def test_emails_are_compared_without_case_whatever_queries_do(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"query_ignores_case": "none"})
    api.person(Email="Ada@x.example")
    api.person(Email="ada@x.example")
    assert api.tenant.count("person") == 1


@pytest.mark.parametrize("path", ["/v1/peoplemgmt/v1.0/people", "/v1.0/api/people"])
def test_legacy_path_is_served(api: Api, path: str) -> None:
    assert api.call("PUT", path, {"Email": "ada@x.example"}).status_code == 200


@pytest.mark.parametrize("fields", [{"FirstName": "Ada"}, {"Email": None}, {"Email": 5}])
def test_email_is_mandatory(api: Api, fields: Any) -> None:
    answer = api.person(**fields)
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "GSOBJ_VDTEMAIL1001"


def test_companies_link_to_companies_that_exist(api: Api) -> None:
    one, two = api.inserted("Company", {"Name": "One"}, {"Name": "Two"})
    links = [
        {"Company_ID": one, "Title": "CTO", "Role": "Decision maker", "IsPrimaryCompany": True},
        {"Company_ID": two},
    ]
    gsid = api.person(Email="ada@x.example", companies=links).json()["data"]["Gsid"]
    rows = api.tenant.rows("company_person", Person_ID=gsid)
    fields = ("Company_ID", "Title", "Role", "IsPrimaryCompany")
    assert [tuple(row[name] for name in fields) for row in rows] == [
        (one, "CTO", "Decision maker", True),
        (two, None, None, None),
    ]


def test_repeated_link_is_updated(api: Api) -> None:
    company = api.inserted("Company", {"Name": "One"})[0]
    for title in ("CTO", "CEO"):
        api.person(Email="ada@x.example", companies=[{"Company_ID": company, "Title": title}])
    assert [row["Title"] for row in api.tenant.rows("company_person")] == ["CEO"]


def test_links_that_are_not_sent_stay(api: Api) -> None:
    company = api.inserted("Company", {"Name": "One"})[0]
    api.person(Email="ada@x.example", companies=[{"Company_ID": company}])
    api.person(Email="ada@x.example")
    assert api.tenant.count("company_person") == 1


def test_missing_company_refuses_person(api: Api) -> None:
    answer = api.person(Email="ada@x.example", companies=[{"Company_ID": "1P02" + "A" * 32}])
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "GSOBJ_PEOPLE1001"
    assert api.tenant.count("person") == 0


@pytest.mark.parametrize(
    ("companies", "code"),
    [
        ("acme", "GSOBJ_VCRUDR1002"),
        ([1], "GSOBJ_VCRUDR1002"),
        ([{"Company_ID": "acme"}], "GSOBJ_VDTGSID1001"),
        ([{"Company_ID": None}], "GSOBJ_VDTGSID1001"),
        ([{"Title": "CTO"}], "GSOBJ_PEOPLE1001"),
        ([{"Nope": 1}], "GSOBJ_VCRUDR1002"),
    ],
)
def test_invalid_link_refuses_person(api: Api, companies: Any, code: str) -> None:
    answer = api.person(Email="ada@x.example", companies=companies)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert api.tenant.count("person") == 0


def test_person_fields(api: Api) -> None:
    sent = {
        "Email": "ada@x.example",
        "Name": "Ada M. Park",
        "FirstName": "Ada",
        "MiddleName": "M.",
        "LastName": "Park",
        "LinkedinUrl": "https://linkedin.example/ada",
        "Location": "Oslo",
        "Timezone": "Europe/Oslo",
        "Comments": "n/a",
        "EmailOptOut": False,
        "ExternalRecordID__gc": "42",
    }
    assert api.person(**sent).status_code == 200
    row = api.tenant.rows("person")[0]
    assert {name: row[name] for name in sent} == sent


def test_name_is_composed_of_its_parts(api: Api) -> None:
    api.person(Email="ada@x.example", FirstName="Ada", LastName="Park")
    api.person(Email="ben@x.example")
    assert [row["Name"] for row in api.tenant.rows("person")] == ["Ada Park", None]


def test_null_clears_and_omitted_stays(api: Api) -> None:
    api.person(Email="ada@x.example", Location="Oslo", Comments="x")
    api.person(Email="ada@x.example", Location=None)
    row = api.tenant.rows("person")[0]
    assert (row["Location"], row["Comments"]) == (None, "x")


@pytest.mark.parametrize("body", [None, {}, [], [{"Email": "a@b.example"}]])
def test_empty_row_is_refused(api: Api, body: Any) -> None:
    answer = api.call("PUT", "/v1/peoplemgmt/v1.0/people", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GSOBJ_VCRUDR1001")


def test_unknown_fields_are_refused(api: Api) -> None:
    answer = api.person(Email="ada@x.example", Nope=1, Gone=2)
    assert answer.json()["errorCode"] == "GSOBJ_VCRUDR1002"
    assert "Nope, Gone" in answer.json()["errorDesc"]


_FIELDS = {
    "number__gc": {"type": "NUMBER"},
    "amount__gc": {"type": "CURRENCY"},
    "share__gc": {"type": "PERCENTAGE"},
    "flag__gc": {"type": "BOOLEAN"},
    "day__gc": {"type": "DATE"},
    "choice__gc": {"type": "PICKLIST", "options": ["A"]},
    "choices__gc": {"type": "MULTISELECTDROPDOWNLIST", "options": ["A"]},
    "text__gc": {"type": "STRING", "length": 3},
    "owner__gc": {"type": "LOOKUP", "object": "gsuser"},
}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("Email", "ada", "VDTEMAIL1001"),
        ("number__gc", "x", "VDTNUM1001"),
        ("amount__gc", "1,000", "VDTCURREN1001"),
        ("share__gc", "x", "VDTPERCENT1001"),
        ("flag__gc", "x", "VDTBOOL1001"),
        ("day__gc", "x", "VDTDATIME1001"),
        ("choice__gc", "x", "VDTPKLST1001"),
        ("choices__gc", ["x"], "VDTPKLST1002"),
        ("text__gc", "long", "VDTBSTR1001"),
        ("owner__gc", "x", "VDTGSID1001"),
    ],
)
def test_errors_have_a_code_per_type(
    open_tenant: OpenTenant, field: str, value: Any, code: str
) -> None:
    api = open_tenant(objects={"person": {"fields": _FIELDS}})
    answer = api.person(**{"Email": "ada@x.example", field: value})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, f"GSOBJ_{code}")
    assert answer.json()["errorDesc"].endswith(f"({field} = {value}).")
    assert api.tenant.count("person") == 0


@pytest.mark.parametrize("switch", ["gsid", "empty", "echo"])
def test_success_body_is_a_switch(open_tenant: OpenTenant, switch: str) -> None:
    api = open_tenant(switches={"people_answer": switch})
    data = api.person(Email="ada@x.example").json()["data"]
    gsid = api.tenant.rows("person")[0]["Gsid"]
    assert (
        data
        == {
            "gsid": {"Gsid": gsid},
            "empty": None,
            "echo": {"Email": "ada@x.example", "Gsid": gsid},
        }[switch]
    )


def test_people_and_their_links_are_read_by_query(api: Api) -> None:
    company = api.inserted("Company", {"Name": "One"})[0]
    gsid = api.person(Email="ada@x.example", companies=[{"Company_ID": company}]).json()["data"][
        "Gsid"
    ]
    assert api.found("person", ["Gsid", "Email"]) == [{"Gsid": gsid, "Email": "ada@x.example"}]
    link = api.found("company_person", ["Person_ID__gr.Email", "Company_ID__gr.Name"])
    assert link == [{"Person_ID__gr.Email": "ada@x.example", "Company_ID__gr.Name": "One"}]
    assert api.found("relationship_person", ["Gsid"]) == []
