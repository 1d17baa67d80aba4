"""The README's first command, as far as Meltano does it: examples/ ends up in the tenant."""

from __future__ import annotations

from pathlib import Path

import pytest
from meltano_project import MeltanoProject

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def demo(checkout_copy: Path) -> MeltanoProject:
    project = MeltanoProject(checkout_copy)
    project.meltano("install")
    project.meltano("run", "--full-refresh", "load-examples")
    return project


def test_every_example_record_is_in_the_tenant(demo: MeltanoProject) -> None:
    assert counts(demo) == {
        "Company": 200,
        "Person": 600,
        "company_person": 600,
        "CG_NPS_Response__gc": 1500,
    }


def test_a_company_arrives_field_by_field(demo: MeltanoProject) -> None:
    [company] = [row for row in demo.rows("Company") if row["Name"] == "Peçanha Pousadas"]
    assert company["Industry"] == "Hospitality"
    assert company["ARR"] == pytest.approx(5566.65)
    assert company["Employees"] == 32
    assert company["RenewalDate"].startswith("2026-03-14")


def test_a_person_is_found_by_email(demo: MeltanoProject) -> None:
    people = {row["Email"]: row for row in demo.rows("Person")}
    person = people["alicia.omalley@kettle-creek-tooling.example"]
    assert (person["FirstName"], person["LastName"]) == ("Alicia", "O'Malley")


def test_people_and_responses_are_linked_to_their_companies(demo: MeltanoProject) -> None:
    companies = {row["Gsid"]: row["Name"] for row in demo.rows("Company")}
    people = {row["Gsid"]: row["Email"] for row in demo.rows("Person")}
    links = {
        people[row["Person_ID"]]: (companies[row["Company_ID"]], row["Title"])
        for row in demo.rows("company_person")
    }
    email = "alicia.omalley@kettle-creek-tooling.example"
    assert links[email] == ("Kettle Creek Tooling", "VP Operations")
    for response in demo.rows("CG_NPS_Response__gc"):
        assert companies[response["companyId__gc"]] == links[response["personEmail__gc"]][0]


def test_a_response_keeps_its_comment_to_the_letter(demo: MeltanoProject) -> None:
    responses = {row["responseId__gc"]: row for row in demo.rows("CG_NPS_Response__gc")}
    comments = {row["comment__gc"] for row in responses.values()}
    assert 'Lost a morning\'s work; "sync error" is all it said.' in comments
    assert any(comment and "\nSecond request" in comment for comment in comments)
    assert responses["NPS-00001"]["score__gc"] == 10


def test_check_takes_its_settings_from_meltano(demo: MeltanoProject) -> None:
    output = demo.meltano("invoke", "target-gainsight:check")
    assert "company by Name" in output
    assert "All checks passed." in output


def test_a_second_run_adds_nothing(demo: MeltanoProject) -> None:
    before = counts(demo)
    demo.meltano("run", "--full-refresh", "load-examples")
    assert counts(demo) == before


def counts(project: MeltanoProject) -> dict[str, int]:
    objects = ("Company", "Person", "company_person", "CG_NPS_Response__gc")
    return {name: len(project.rows(name)) for name in objects}
