"""Section 3, query: select, where, expression, order, paging, traversal."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

from target_gainsight.sandbox.storage.filter_expression import ExpressionError, joined_conditions


@pytest.fixture
def filled(api: Api) -> Api:
    """Four companies; Beta and Delta lack most fields."""
    ada = api.tenant.rows("gsuser")[0]["Gsid"]
    api.inserted(
        "Company",
        {
            "Name": "Alpha",
            "ARR": 100,
            "Employees": 5,
            "Stage": "Launched",
            "Tags": ["Pilot", "Reference"],
            "RenewalDate": "2026-01-31",
            "Csm": ada,
        },
        {"Name": "Beta", "ARR": 200},
        {"Name": "alpha 100%_", "ARR": 300, "Stage": "Churn", "Tags": ["Pilot"]},
        {"Name": "Delta", "Employees": 7, "RenewalDate": "2027-01-31"},
    )
    return api


def _names(api: Api, *conditions: Any, **more: Any) -> list[str]:
    return [row["Name"] for row in api.found("Company", ["Name"], *conditions, **more)]


def _refused(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    assert answer.json()["result"] is False
    return answer.json()["errorCode"]


def test_select_names_the_fields_of_the_answer(filled: Api) -> None:
    rows = filled.found("Company", ["Gsid", "ARR"])
    assert {tuple(row) for row in rows} == {("Gsid", "ARR")}
    assert len(rows) == 4


@pytest.mark.parametrize("select", [None, [], "Name", {"Name": 1}])
def test_select_is_mandatory_and_there_is_no_select_all(api: Api, select: Any) -> None:
    assert _refused(api.query("Company", select=select)) == "GSOBJ_1008"


def test_unknown_field_is_refused_everywhere(filled: Api) -> None:
    where = {
        "conditions": [{"name": "Nope", "alias": "A", "value": [1], "operator": "EQ"}],
        "expression": "A",
    }
    for body in (
        {"select": ["Nope"]},
        {"select": ["*"]},
        {"select": ["name"]},
        {"select": ["Name"], "where": where},
        {"select": ["Name"], "orderBy": {"Nope": "asc"}},
        {"select": ["Nope__gr.Name"]},
        {"select": ["Csm__gr.Nope"]},
    ):
        assert _refused(filled.query("Company", **body)) == "GSOBJ_1002"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("Name", "EQ", ["Beta"]), ["Beta"]),
        (("Name", "NE", ["Beta"]), ["Alpha", "alpha 100%_", "Delta"]),
        (("ARR", "NE", [100]), ["Beta", "alpha 100%_", "Delta"]),
        (("ARR", "GT", [200]), ["alpha 100%_"]),
        (("ARR", "GTE", [200]), ["Beta", "alpha 100%_"]),
        (("ARR", "LT", [200]), ["Alpha"]),
        (("ARR", "LTE", [200]), ["Alpha", "Beta"]),
        (("ARR", "BTW", [150, 300]), ["Beta", "alpha 100%_"]),
        (("RenewalDate", "BTW", ["2026-01-01", "2026-12-31"]), ["Alpha"]),
        (("Name", "IN", ["Alpha", "Delta", "Nobody"]), ["Alpha", "Delta"]),
        (("Name", "IN", []), []),
        (("Name", "NOT_IN", ["Alpha", "Delta"]), ["Beta", "alpha 100%_"]),
        (("ARR", "NOT_IN", [100, 200]), ["alpha 100%_", "Delta"]),
        (("Name", "CONTAINS", ["elt"]), ["Delta"]),
        (("Name", "CONTAINS", ["100%_"]), ["alpha 100%_"]),
        (("Name", "CONTAINS", ["e%a"]), []),
        (("Name", "DOES_NOT_CONTAINS", ["elt"]), ["Alpha", "Beta", "alpha 100%_"]),
        (("Name", "STARTS_WITH", ["Be"]), ["Beta"]),
        (("Name", "ENDS_WITH", ["ta"]), ["Beta", "Delta"]),
        (("ARR", "IS_NULL", []), ["Delta"]),
        (("ARR", "IS_NOT_NULL", []), ["Alpha", "Beta", "alpha 100%_"]),
        (("Tags", "INCLUDES", ["Reference"]), ["Alpha"]),
        (("Tags", "INCLUDES", ["Reference", "Pilot"]), ["Alpha", "alpha 100%_"]),
        (("Tags", "EXCLUDES", ["Reference"]), ["Beta", "alpha 100%_", "Delta"]),
        (("Stage", "IN", ["Launched", "Churn"]), ["Alpha", "alpha 100%_"]),
    ],
)
def test_operators(filled: Api, condition: Any, expected: Any) -> None:
    assert _names(filled, condition) == expected


def test_is_null_needs_no_value(filled: Api) -> None:
    where = {
        "conditions": [{"name": "ARR", "alias": "A", "operator": "IS_NULL"}],
        "expression": "A",
    }
    answer = filled.query("Company", select=["Name"], where=where)
    assert answer.json()["data"] == [{"Name": "Delta"}]


@pytest.mark.parametrize(
    "condition",
    [
        {"name": "Name", "alias": "A", "value": "Alpha", "operator": "EQ"},
        {"name": "Name", "alias": "A", "operator": "EQ"},
        {"name": "Name", "alias": "A", "value": ["a", "b"], "operator": "EQ"},
        {"name": "ARR", "alias": "A", "value": [1], "operator": "BTW"},
        {"name": "Name", "alias": "A", "value": ["a"], "operator": "LIKE"},
        {"name": "Name", "alias": "A", "value": ["a"], "operator": "eq"},
        {"name": "Name", "alias": "A", "value": ["a"]},
        {"name": "Name", "alias": "B", "value": ["a"], "operator": "EQ"},
        {"alias": "A", "value": ["a"], "operator": "EQ"},
        {"name": "ARR", "alias": "A", "value": ["much"], "operator": "EQ"},
        {"name": "RenewalDate", "alias": "A", "value": ["soon"], "operator": "GT"},
        "A",
    ],
)
def test_invalid_condition_is_refused(filled: Api, condition: Any) -> None:
    where = {"conditions": [condition], "expression": "A"}
    _refused(filled.query("Company", select=["Name"], where=where))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("A AND B", []),
        ("A OR B", ["Alpha", "Beta"]),
        ("A OR B AND C", ["Alpha", "Beta"]),
        ("(A OR B) AND C", ["Beta"]),
        ("C and (A or B)", ["Beta"]),
        ("((A) OR (B))", ["Alpha", "Beta"]),
        ("A AND A", ["Alpha"]),
        ("C", ["Beta", "alpha 100%_"]),
    ],
)
def test_expression_joins_aliases(filled: Api, expression: str, expected: Any) -> None:
    conditions = (("Name", "EQ", ["Alpha"]), ("Name", "EQ", ["Beta"]), ("ARR", "GT", [150]))
    assert _names(filled, *conditions, expression=expression) == expected


@pytest.mark.parametrize(
    "expression",
    ["", "A B", "A AND", "(A", "A)", "AND A", "A & A", "Z", "()", "(" * 200 + "A" + ")" * 200],
)
def test_invalid_expression_is_refused(filled: Api, expression: str) -> None:
    where = {
        "conditions": [{"name": "Name", "alias": "A", "value": ["x"], "operator": "EQ"}],
        "expression": expression,
    }
    assert _refused(filled.query("Company", select=["Name"], where=where)) == "GSOBJ_1008"
    with pytest.raises(ExpressionError):
        joined_conditions(expression, {"A": ("1", [])})


def test_two_conditions_cannot_share_an_alias(filled: Api) -> None:
    condition = {"name": "Name", "alias": "A", "value": ["x"], "operator": "EQ"}
    where = {"conditions": [condition, condition], "expression": "A"}
    _refused(filled.query("Company", select=["Name"], where=where))


@pytest.mark.parametrize("where", [[], "A", {"conditions": []}, {"conditions": {}}, {}])
def test_where_without_conditions_is_refused(filled: Api, where: Any) -> None:
    _refused(filled.query("Company", select=["Name"], where=where))


def test_order_by(filled: Api) -> None:
    assert _names(filled, orderBy={"Name": "desc"}) == ["alpha 100%_", "Delta", "Beta", "Alpha"]
    assert _names(filled, orderBy={"RenewalDate": "asc", "ARR": "desc"}) == [
        "alpha 100%_",
        "Beta",
        "Alpha",
        "Delta",
    ]
    _refused(filled.query("Company", select=["Name"], orderBy={"Name": "upwards"}))
    _refused(filled.query("Company", select=["Name"], orderBy=["Name"]))


def test_default_limit_is_hundred_rows(api: Api) -> None:
    api.tenant.seed("company", ({"Name": f"C{number}"} for number in range(150)))
    assert len(api.found("Company", ["Name"])) == 100


def test_paging_by_offset_gives_every_row_once(api: Api) -> None:
    api.tenant.seed("company", ({"Name": f"C{number}"} for number in range(25)))
    pages = [_names(api, limit=10, offset=offset) for offset in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert {name for page in pages for name in page} == {f"C{number}" for number in range(25)}


def test_paging_by_the_last_gsid_gives_every_row_once(api: Api) -> None:
    gsids = api.tenant.seed("company", ({"Name": f"C{number}"} for number in range(25)))
    seen, last = [], "0"
    while page := api.found(
        "Company", ["Gsid"], ("Gsid", "GT", [last]), orderBy={"Gsid": "asc"}, limit=10
    ):
        seen += [row["Gsid"] for row in page]
        last = seen[-1]
    assert seen == sorted(gsids)


@pytest.mark.parametrize("page", [{"limit": -1}, {"limit": "10"}, {"offset": 1.5}, {"limit": True}])
def test_limit_and_offset_are_whole_numbers(api: Api, page: Any) -> None:
    _refused(api.query("Company", select=["Name"], **page))


def test_no_rows_give_empty_list(api: Api) -> None:
    answer = api.query("Company", select=["Name"])
    assert answer.status_code == 200
    assert answer.json()["data"] == {"records": []}


@pytest.mark.parametrize(
    ("no_rows", "status", "result", "data"),
    [
        ("records", 200, True, {"records": []}),
        ("list", 200, True, []),
        ("nothing_matches", 400, False, None),
        ("no_data", 200, False, None),
        ("no_data_400", 400, False, None),
    ],
)
def test_empty_result_form_is_a_switch(
    open_tenant: OpenTenant, no_rows: str, status: int, result: bool, data: Any
) -> None:
    api = open_tenant(switches={"no_rows": no_rows})
    answer = api.query("Company", select=["Name"])
    body = answer.json()
    assert (answer.status_code, body["result"], body["data"]) == (status, result, data)


def test_rows_under_records_are_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"query_answer": "records"})
    api.inserted("Company", {"Name": "A"})
    assert api.query("Company", select=["Name"]).json()["data"] == {"records": [{"Name": "A"}]}


@pytest.mark.parametrize(
    ("spelling", "key"), [("selected", "Name"), ("lower", "name"), ("upper", "NAME")]
)
def test_spelling_of_row_keys_is_a_switch(open_tenant: OpenTenant, spelling: str, key: str) -> None:
    api = open_tenant(switches={"row_keys": spelling})
    api.inserted("Company", {"Name": "A"})
    assert api.query("Company", select=["Name"]).json()["data"] == [{key: "A"}]


def test_unreadable_field_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"unreadable_field": "Industry"})
    answer = api.query("Company", select=["Name", "Industry"])
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "P_5005"
    assert answer.json()["errorDesc"] == "Column t1.Industry does not exist"
    assert api.query("Company", select=["Name"]).status_code == 200


def test_unreadable_object_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"query_error_object": "GsUser"})
    assert api.query("gsuser", select=["Name"]).status_code == 500
    assert api.query("Company", select=["Name"]).status_code == 200


def test_filter_of_wrong_type_is_refused_or_ignored(open_tenant: OpenTenant) -> None:
    where = {
        "conditions": [{"name": "Employees", "alias": "A", "value": ["many"], "operator": "IN"}],
        "expression": "A",
    }
    _refused(open_tenant().query("Company", select=["Name"], where=where))
    api = open_tenant(path="other.db", switches={"ignores_wrong_filter": True})
    api.inserted("Company", {"Name": "A"}, {"Name": "B", "Employees": 7})
    found = api.query("Company", select=["Name"], where=where).json()["data"]
    assert found == [{"Name": "A"}, {"Name": "B"}]


@pytest.mark.parametrize(
    ("switch", "name", "email"), [("email", 0, 1), ("all", 1, 1), ("none", 0, 0)]
)
def test_case_insensitive_comparison_is_a_switch(
    open_tenant: OpenTenant, switch: str, name: int, email: int
) -> None:
    api = open_tenant(switches={"query_ignores_case": switch})
    api.inserted("Company", {"Name": "Acme"})
    api.person(Email="Ada@x.example")
    assert len(api.found("company", ["Name"], ("Name", "IN", ["ACME"]))) == name
    assert len(api.found("person", ["Email"], ("Email", "EQ", ["ada@X.example"]))) == email


def test_conditions_on_picklists_by_label_are_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"query_picklist_by_label": False})
    api.inserted("Company", {"Name": "A", "Stage": "Launched"})
    item = api.found("Company", ["Stage"])[0]["Stage"]
    assert _names(api, ("Stage", "EQ", ["Launched"])) == []
    assert _names(api, ("Stage", "EQ", [item])) == ["A"]


def test_maximum_query_values_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"query_max_values": 3})
    assert _names(api, ("Name", "IN", ["a", "b", "c"])) == []
    where = {
        "conditions": [{"name": "Name", "alias": "A", "value": list("abcd"), "operator": "IN"}],
        "expression": "A",
    }
    _refused(api.query("Company", select=["Name"], where=where))


def test_maximum_query_size_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"query_max_bytes": 100})
    assert api.query("Company", select=["Name"]).status_code == 200
    _refused(api.query("Company", select=["Name"] * 50))


def test_five_thousand_values_in_one_condition(api: Api) -> None:
    api.tenant.seed("company", ({"Name": f"C{number}"} for number in range(10)))
    assert len(_names(api, ("Name", "IN", [f"C{number}" for number in range(5_000)]))) == 10


def test_lookups_are_traversed_with_gr(filled: Api) -> None:
    row = filled.found("Company", ["Name", "Csm__gr.Email"], ("Csm__gr.Name", "EQ", ["Ada Park"]))
    assert row == [{"Name": "Alpha", "Csm__gr.Email": "ada.park@ourcompany.example"}]
    everyone = filled.found("Company", ["Csm__gr.Email"], orderBy={"Csm__gr.Email": "desc"})
    assert [each["Csm__gr.Email"] for each in everyone] == [
        "ada.park@ourcompany.example",
        None,
        None,
        None,
    ]


def test_traversal_goes_on_through_custom_lookups(filled: Api) -> None:
    company = filled.tenant.rows("company", Name="Alpha")[0]["Gsid"]
    name = "CG_NPS_Response__gc"
    filled.inserted(name, {"responseId__gc": "1", "companyId__gc": company})
    select = ["companyId__gr.Csm__gr.Name", "companyId__gr.RenewalDate", "companyId__gr.Name"]
    assert filled.found(name, select) == [
        {
            "companyId__gr.Csm__gr.Name": "Ada Park",
            "companyId__gr.RenewalDate": 1_769_817_600_000,
            "companyId__gr.Name": "Alpha",
        }
    ]


def test_conditions_on_keys_use_an_index(api: Api) -> None:
    api.tenant.seed("company", ({"Name": f"C{number}"} for number in range(50)))
    _names(api, ("Name", "IN", ["C1"]))
    plan = api.tenant.store.rows(
        'EXPLAIN QUERY PLAN SELECT t."Gsid" FROM "company" AS t WHERE t."Name" COLLATE BINARY'
        " IN (SELECT value FROM json_each(?)) ORDER BY t.rowid LIMIT 10",
        ['["C1"]'],
    )
    assert any("USING INDEX company:" in row[3] for row in plan)


@pytest.mark.parametrize("body", [None, [], "x", {"select": ["Name"], "where": "A"}])
def test_body_that_is_no_query_is_refused(api: Api, body: Any) -> None:
    _refused(api.call("POST", "/v1/data/objects/query/Company", body))
