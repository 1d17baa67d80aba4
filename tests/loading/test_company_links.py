"""A person is linked to companies by any of their fields, and written only for new links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from responses import TEXT, queries
from singer_messages import Message, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, wired

COLUMNS: Message = {
    "Email": TEXT,
    "FirstName": TEXT,
    "company": {"type": ["string", "array", "null"]},
    "title": {"type": ["string", "array", "null"]},
    "role": {"type": ["string", "array", "null"]},
    "primary": {"type": ["boolean", "array", "string", "null"]},
}
FIELDS = {"Title": "title", "Role": "role", "IsPrimaryCompany": "primary"}
PEOPLE = schema("people", COLUMNS, keys=["Email"])


def links(**further: Any) -> Message:
    return {"lookup": {"company": "Name"}, "fields": FIELDS, **further}


def person(email: str = "ann@x.io", **fields: Any) -> Message:
    return record("people", Email=email, **fields)


def load_people(
    tenant: Tenant, *lines: Message, company_links: Message | None = None, **settings: Any
) -> TargetRun:
    linked = links() if company_links is None else company_links
    return tenant.load(PEOPLE, *lines, object_type="person", company_links=linked, **settings)


def seed_companies(tenant: Tenant, *names: str) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": name} for name in names])


def linked(tenant: Tenant) -> list[tuple[str, str, str | None, str | None, bool | None]]:
    """Every link: email, company, title, role, whether it is the primary one."""
    people = {row["Gsid"]: row["Email"] for row in tenant.rows("person")}
    companies = {row["Gsid"]: row["Name"] for row in tenant.rows("company")}
    return sorted(
        (
            people[row["Person_ID"]],
            companies[row["Company_ID"]],
            row["Title"],
            row["Role"],
            row["IsPrimaryCompany"],
        )
        for row in tenant.rows("company_person")
    )


def test_person_is_linked_with_link_fields(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    run = load_people(tenant, person(company="Initech", title="CTO", role="Buyer", primary=True))
    assert run.outcomes("people") == {"created": 1}
    assert linked(tenant) == [("ann@x.io", "Initech", "CTO", "Buyer", True)]


def test_company_is_found_by_any_field(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": "Initech", "TickerSymbol": "INI", "Employees": 7}]
    )
    by_two = {"lookup": {"company": "TickerSymbol", "title": "Employees"}}
    line = person(company="INI", title="7")
    run = load_people(tenant, line, company_links=by_two, unknown_fields="drop")
    assert run.outcomes("people") == {"created": 1}
    assert linked(tenant) == [("ann@x.io", "Initech", None, None, None)]


def test_list_links_person_to_several_companies(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Globex")
    lists = {"company": ["Initech", "Globex"], "title": ["CTO", "Advisor"]}
    run = load_people(tenant, person(**lists, role="Buyer", primary=[True, False]))
    assert run.outcomes("people") == {"created": 1}
    assert linked(tenant) == [
        ("ann@x.io", "Globex", "Advisor", "Buyer", False),
        ("ann@x.io", "Initech", "CTO", "Buyer", True),
    ]
    assert tenant.count_calls()["person"] == 1


@pytest.mark.parametrize(
    ("company", "title"),
    [
        ("Acme, Inc.; Globex", "CTO; COO"),
        ("Acme, Inc.\nGlobex ", "CTO\nCOO"),
        ('["Acme, Inc.", "Globex"]', '["CTO", "COO"]'),
    ],
)
def test_text_may_list_companies(tenant: Tenant, company: str, title: str) -> None:
    seed_companies(tenant, "Acme, Inc.", "Globex")
    run = load_people(tenant, person(company=company, title=title))
    assert run.outcomes("people") == {"created": 1}
    assert linked(tenant) == [
        ("ann@x.io", "Acme, Inc.", "CTO", None, None),
        ("ann@x.io", "Globex", "COO", None, None),
    ]


@pytest.mark.parametrize(
    ("company", "title"),
    [
        (["Initech"], ["CTO", "COO"]),
        ("Initech", '["CTO", "COO"]'),
        (["Initech", "Globex"], ["CTO"]),
        (["Initech", "Globex"], []),
        (["Initech", None, "Globex"], ["CTO", "COO"]),
        (["Initech", "Initech"], ["CTO", "COO"]),
    ],
)
def test_person_whose_titles_do_not_fit_the_companies_is_rejected(
    tenant: Tenant, company: object, title: object
) -> None:
    seed_companies(tenant, "Initech", "Globex")
    run = load_people(tenant, person(company=company, title=title), person("bob@x.io"))
    assert run.codes == ["unaligned_lists"]
    advice = ("Send a list with one value per company, or a single value for all.", "list it once")
    assert run.log[0].endswith(advice)
    assert [row["Email"] for row in tenant.rows("person")] == ["bob@x.io"]


def test_value_that_does_not_convert_in_a_list_that_fits_is_named(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Globex")
    line = person(company=["Initech", "Globex"], primary=["perhaps, not", True])
    assert load_people(tenant, line).codes == ["not_a_boolean"]


@pytest.mark.parametrize("title", [["CTO"], '["CTO"]', "CTO"])
def test_one_title_may_be_a_list_for_one_company(tenant: Tenant, title: object) -> None:
    seed_companies(tenant, "Initech")
    load_people(tenant, person(company="Initech", title=title))
    assert linked(tenant) == [("ann@x.io", "Initech", "CTO", None, None)]


def test_lists_of_lookup_columns_of_different_lengths_reject_the_person(tenant: Tenant) -> None:
    by_two = links(lookup={"company": "Name", "title": "TickerSymbol"})
    lines = person(company=["Initech", "Globex"], title=["INI"])
    run = load_people(tenant, lines, company_links=by_two)
    assert run.codes == ["unaligned_lists"]


def test_single_title_applies_to_all_companies(tenant: Tenant) -> None:
    seed_companies(tenant, "Acme, Inc.", "Globex")
    run = load_people(tenant, person(company="Acme, Inc.; Globex", title="CTO; COO; CEO"))
    assert run.outcomes("people") == {"created": 1}
    assert [link[2] for link in linked(tenant)] == ["CTO; COO; CEO"] * 2


@pytest.mark.parametrize("numbers", ["7;1,234", "7, 1234", "7\n1234.0"])
def test_text_of_company_numbers_is_split_at_commas_too(tenant: Tenant, numbers: str) -> None:
    rows = [{"Name": name, "Employees": number} for name, number in (("A", 7), ("B", 1234))]
    tenant.sandbox.tenant.seed("company", rows)
    by_number = links(lookup={"company": "Employees"})
    run = load_people(tenant, person(company=numbers), company_links=by_number)
    assert run.outcomes("people") == {"created": 1}
    assert [link[1] for link in linked(tenant)] == ["A", "B"]


def test_missing_company_of_text_list_is_named_alone(tenant: Tenant) -> None:
    seed_companies(tenant, "Globex")
    run = load_people(tenant, person(company="Globex; Acme, Inc."))
    assert run.rejects[0]["gainsight_reject"]["value"] == "Acme, Inc."


def test_company_named_twice_is_linked_once(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    run = load_people(tenant, person(company=["Initech", "Initech", None]))
    assert run.outcomes("people") == {"created": 1}
    assert linked(tenant) == [("ann@x.io", "Initech", None, None, None)]


@pytest.mark.parametrize("nothing", [None, "", []])
def test_null_source_links_nothing(tenant: Tenant, nothing: object) -> None:
    run = load_people(tenant, person(company=nothing, FirstName="Ann"))
    assert run.outcomes("people") == {"created": 1}
    assert linked(tenant) == []


def test_missing_company_rejects_person_alone(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    lines = [person(company="Hooli"), person("bob@x.io", company="Initech")]
    run = load_people(tenant, *lines)
    assert run.outcomes("people") == {"created": 1, "rejected": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("lookup_no_match", "company_links")
    assert reject["message"] == "no row of company has Name = 'Hooli'"
    assert [row["Email"] for row in tenant.rows("person")] == ["bob@x.io"]


def test_leave_empty_writes_person_without_missing_company(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    lenient = links(on_no_match="leave_empty")
    run = load_people(tenant, person(company=["Hooli", "Initech"]), company_links=lenient)
    assert run.outcomes("people") == {"created": 1}
    assert [link[1] for link in linked(tenant)] == ["Initech"]


def delete_before_write(tenant: Tenant) -> requests.Session:
    """Delete the company Hooli after it was looked up and before the person is written."""

    def delete(call: Call) -> None:
        if call.method == "PUT":
            tenant.delete("company", Name="Hooli")

    return wired(delete)


def test_company_missing_at_write_rejects_person_with_advice(tenant: Tenant) -> None:
    seed_companies(tenant, "Hooli", "Initech")
    lines = [person(company="Hooli"), person("bob@x.io", company="Initech")]
    run = load_people(tenant, *lines, http=delete_before_write(tenant))
    assert run.outcomes("people") == {"created": 1, "rejected": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert reject["code"] == "GSOBJ_PEOPLE1001"
    assert reject["hint"].startswith("load the parent first")


@pytest.mark.parametrize(
    ("companies", "kept"), [("Hooli", []), (["Hooli", "Initech"], [("ann@x.io", "Initech")])]
)
def test_leave_empty_drops_only_links_to_companies_missing_at_write(
    tenant: Tenant, companies: Any, kept: list[Any]
) -> None:
    seed_companies(tenant, "Hooli", "Initech")
    lenient = links(on_no_match="leave_empty")
    http = delete_before_write(tenant)
    run = load_people(tenant, person(company=companies), company_links=lenient, http=http)
    assert run.outcomes("people") == {"created": 1}
    assert [link[:2] for link in linked(tenant)] == kept


def test_advice_for_unnamed_missing_company_is_to_load_it(tenant: Tenant) -> None:
    def delete(call: Call) -> None:
        if call.method == "PUT":
            tenant.delete("company", Name="Hooli")

    def hide_company(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        description = {"errorDesc": "A company does not exist"} if call.method == "PUT" else {}
        return status, {**envelope, **description}

    seed_companies(tenant, "Hooli", "Initech")
    lenient, http = links(on_no_match="leave_empty"), wired(delete, hide_company)
    run = load_people(
        tenant, person(company=["Hooli", "Initech"]), company_links=lenient, http=http
    )
    assert run.rejects[0]["gainsight_reject"]["hint"] == "load the parent first"


def test_ambiguous_company_name_rejects_person(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Initech")
    assert load_people(tenant, person(company="Initech")).codes == ["lookup_multi_match"]


def test_unconvertible_link_field_rejects_person(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    run = load_people(tenant, person(company="Initech", primary="perhaps"))
    assert run.outcomes("people") == {"rejected": 1}
    assert run.rejects[0]["gainsight_reject"]["field"] == "IsPrimaryCompany"


def test_second_run_writes_nothing(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Globex")
    lines = [
        person(company=["Initech", "Globex"], title=["CTO", None], primary=[True, False]),
        person("bob@x.io", company=None),
    ]
    load_people(tenant, *lines)
    tenant.count_calls()
    run = load_people(tenant, *lines)
    assert run.outcomes("people") == {"unchanged": 2}
    assert "person" not in tenant.count_calls()


def test_changed_title_writes_one_person(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    people = [person(f"p{number}@x.io", company="Initech", title="CTO") for number in range(5)]
    load_people(tenant, *people)
    tenant.count_calls()
    people[3] = person("p3@x.io", company="Initech", title="CEO")
    run = load_people(tenant, *people)
    assert run.outcomes("people") == {"unchanged": 4, "updated": 1}
    assert tenant.count_calls()["person"] == 1
    assert [link[2] for link in linked(tenant)] == ["CTO", "CTO", "CTO", "CEO", "CTO"]


def test_further_company_is_added(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Globex")
    load_people(tenant, person(company="Initech", title="CTO"))
    run = load_people(tenant, person(company="Globex", title="Advisor"))
    assert run.outcomes("people") == {"updated": 1}
    assert [link[1:3] for link in linked(tenant)] == [("Globex", "Advisor"), ("Initech", "CTO")]


def test_two_records_of_one_person_link_both_companies(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Globex")
    run = load_people(tenant, person(company="Initech"), person(company="Globex"))
    assert run.outcomes("people") == {"created": 1, "merged": 1}
    assert [link[1] for link in linked(tenant)] == ["Globex", "Initech"]


def test_email_is_compared_trimmed_and_without_case(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    load_people(tenant, person("ann@x.io", company="Initech"))
    run = load_people(tenant, person("  Ann@X.io ", company="Initech"))
    assert run.outcomes("people") == {"unchanged": 1}
    assert tenant.sandbox.tenant.count("person") == 1


def test_companies_of_group_take_one_query(tenant: Tenant) -> None:
    names = [f"C{number}" for number in range(10)]
    seed_companies(tenant, *names)
    run = load_people(tenant, *(person(f"p{n}@x.io", company=f"C{n % 10}") for n in range(30)))
    assert run.outcomes("people") == {"created": 30}
    assert queries(tenant, "company") == 1


def test_companies_of_same_run_precede_their_people(tenant: Tenant) -> None:
    lines = [schema("accounts"), PEOPLE]
    for number in range(10):
        lines += [record("accounts", Name=f"C{number}")]
        lines += [person(f"p{number}@x.io", company=f"C{number}")]
    streams = {
        "accounts": {"object_type": "company"},
        "people": {"object_type": "person", "company_links": links()},
    }
    run = tenant.load(*lines, state(done=1), streams=streams)
    assert run.outcomes("people") == {"created": 10}
    assert run.states == [{"done": 1}]
    assert [link[:2] for link in linked(tenant)] == [(f"p{n}@x.io", f"C{n}") for n in range(10)]


def test_person_of_rejected_company_names_reject(start_tenant: Callable[..., Tenant]) -> None:
    rule = {"object": "company", "field": "Name", "value": "Bad"}
    tenant = start_tenant(rules=[rule])
    streams = {
        "accounts": {"object_type": "company"},
        "people": {"object_type": "person", "company_links": links()},
    }
    lines = [schema("accounts"), PEOPLE, record("accounts", Name="Bad"), person(company="Bad")]
    run = tenant.load(*lines, streams=streams)
    assert "its parent was rejected in this run" in run.rejects[1]["gainsight_reject"]["hint"]


def test_unknown_link_field_stops_stream_with_suggestions(tenant: Tenant) -> None:
    wrong = links(fields={"Titel": "title"})
    run = load_people(tenant, person(company="Initech"), company_links=wrong)
    assert run.exit_code == 1
    assert "company_person has no field Titel that can be set. Did you mean Title?" in run.log[-1]
    assert tenant.sandbox.tenant.calls("PUT") == []


def test_unknown_match_field_stops_stream(tenant: Tenant) -> None:
    wrong = {"lookup": {"company": "Nane"}}
    run = load_people(tenant, person(company="Initech"), company_links=wrong)
    assert run.exit_code == 1
    assert "looked up by Nane, which company does not have. Did you mean Name?" in run.log[-1]


def test_insert_skips_known_and_repeated_people(tenant: Tenant) -> None:
    load_people(tenant, person("known@x.io", company=None))
    lines = [person(email, company=None) for email in ("known@x.io", "new@x.io", "NEW@x.io")]
    run = load_people(tenant, *lines, sync_mode="insert")
    assert run.outcomes("people") == {"created": 1, "skipped": 2}
    assert tenant.sandbox.tenant.count("person") == 2
