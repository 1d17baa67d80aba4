"""One stream of survey responses becomes five objects; a second run changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import requests
from nps_recipe import (
    NPS,
    WRITES,
    calls,
    changed,
    counts,
    load,
    outcomes,
    responses,
    settings_of,
    snapshot,
)
from singer_runs import Tenant

RESPONSES = responses()
COUNTS = {
    "company": 108,
    "person": 179,
    "company_person": 179,
    "CG_NPS_Response__gc": 240,
    "activity_timeline": 240,
    "call_to_action": 68,
}
FIRST_RUN = {
    "describe": 1,
    "cta names": 1,
    "query": 13,
    "insert": 8,
    "person": 179,
    "timeline": 5,
    "cta": 2,
}
SECOND_RUN = {"describe": 1, "cta names": 1, "query": 10}
UNHAPPY = "NPS-01016"
FIELDS = {
    "responseId__gc": "response_id",
    "personEmail__gc": "respondent_email",
    "surveyId__gc": "survey_id",
    "score__gc": "score",
    "comment__gc": "comment",
    "channel__gc": "channel",
    "touchpoint__gc": "touchpoint",
    "country__gc": "country",
    "product__gc": "product",
    "segment__gc": "segment",
    "caseLink__gc": "case_url",
}
SOME = RESPONSES[:40]


def by_id(rows: list[dict[str, Any]], name: str = "responseId__gc") -> dict[str, dict[str, Any]]:
    return {row[name]: row for row in rows}


def with_changes(response_id: str, **fields: Any) -> list[dict[str, Any]]:
    """The responses, one of them with other values."""
    assert any(each["response_id"] == response_id for each in RESPONSES)
    return [
        {**each, **fields} if each["response_id"] == response_id else each for each in RESPONSES
    ]


def test_response_becomes_five_records(tenant: Tenant) -> None:
    run = load(tenant, RESPONSES)
    assert (run.exit_code, run.rejects, run.states) == (0, [], [{"read": 240}])
    assert counts(tenant) == COUNTS
    assert calls(run) == FIRST_RUN
    companies = by_id(tenant.rows("company"), "External_ID__gc")
    assert {each["account_id"]: each["account_name"] for each in RESPONSES} == {
        external: row["Name"] for external, row in companies.items()
    }
    gsids = {external: row["Gsid"] for external, row in companies.items()}
    rows = by_id(tenant.rows("CG_NPS_Response__gc"))
    for each in RESPONSES:
        row = rows[each["response_id"]]
        assert row["companyId__gc"] == gsids[each["account_id"]]
        assert {field: row[field] for field in FIELDS} == {
            field: each[column] for field, column in FIELDS.items()
        }
        times = row["responseDatetime__gc"].replace("Z", "+00:00"), each["responded_at"]
        assert len({datetime.fromisoformat(time) for time in times}) == 1


def test_people_are_linked_to_the_company_they_answered_for(tenant: Tenant) -> None:
    load(tenant, SOME)
    people = {row["Gsid"]: row["Email"] for row in tenant.rows("person")}
    companies = {row["Gsid"]: row["External_ID__gc"] for row in tenant.rows("company")}
    links = {
        (people[row["Person_ID"]], companies[row["Company_ID"]])
        for row in tenant.rows("company_person")
    }
    assert links == {
        (each["respondent_email"], each["account_id"]) for each in SOME if each["respondent_email"]
    }


def test_activity_has_company_attendee_and_comment(tenant: Tenant) -> None:
    load(tenant, SOME)
    [activity] = tenant.rows("activity_timeline", ExternalId=f"nps-{UNHAPPY}")
    subject = (
        "NPS 4 (detractor) from Linnéa Öhrnell \N{EN DASH} 'Insights tappade bort 14 order i går.'"
    )
    assert activity["Subject"] == subject
    assert activity["TypeName"] == "Survey Response"
    [company] = tenant.rows("company", Gsid=activity["GsCompanyId"])
    assert company["Name"] == "Sjöholmen Finans AB"
    [person] = tenant.rows("person", Email="linnea.ohrnell@sjoholmen-finans-ab.example")
    assert activity["ExternalAttendees"] == [person["Gsid"]]
    [author] = tenant.rows("gsuser", Gsid=activity["AuthorId"])
    assert author["Email"] == "ada.park@ourcompany.example"


def test_anonymous_response_has_no_person(tenant: Tenant) -> None:
    anonymous = next(each for each in RESPONSES if each["respondent_email"] is None)
    load(tenant, [anonymous])
    assert tenant.rows("person") == []
    [row] = tenant.rows("CG_NPS_Response__gc")
    assert row["personEmail__gc"] is None
    [activity] = tenant.rows("activity_timeline")
    assert " from somebody" in activity["Subject"]
    assert not activity["ExternalAttendees"]


def test_only_detractors_get_a_cta(tenant: Tenant) -> None:
    load(tenant, SOME)
    ctas = by_id(tenant.rows("call_to_action"))
    assert set(ctas) == {each["response_id"] for each in SOME if each["score"] <= 6}
    cta = ctas[UNHAPPY]
    assert cta["Name"] == "NPS 4 from Linnéa Öhrnell"
    assert cta["Comments"] == "Insights tappade bort 14 order i går."
    [owner] = tenant.rows("gsuser", Gsid=cta["OwnerId"])
    assert owner["Email"] == "ada.park@ourcompany.example"
    [reason] = tenant.rows("cta_item", Gsid=cta["ReasonId"])
    assert reason["Name"] == "Low NPS"


def test_second_run_writes_nothing(tenant: Tenant) -> None:
    load(tenant, RESPONSES)
    before = snapshot(tenant)
    run = load(tenant, RESPONSES)
    assert snapshot(tenant) == before
    assert calls(run) == SECOND_RUN
    assert outcomes(run) == {
        "nps_companies": {"unchanged": 108, "merged": 132},
        "nps_people": {"unchanged": 179, "merged": 49},
        "nps_rows": {"unchanged": 240},
        "nps_activities": {"unchanged": 240},
        "nps_detractors": {"unchanged": 68},
    }


def test_changed_comment_updates_row_and_activity_only(tenant: Tenant) -> None:
    load(tenant, RESPONSES)
    before = snapshot(tenant)
    tenant.clock.advance(60)
    run = load(tenant, with_changes(UNHAPPY, comment="They called me. Better now."))
    assert [
        (prefix, fields - {"ModifiedDate", "ModifiedBy", "LastModifiedDate"})
        for prefix, fields in changed(before, snapshot(tenant))
    ] == [("15IV", {"comment__gc"}), ("1A01", {"Subject", "Notes"})]
    assert counts(tenant) == COUNTS
    writes = {kind: number for kind, number in calls(run).items() if kind in WRITES}
    assert writes == {"update": 1, "timeline": 1}
    assert outcomes(run)["nps_detractors"] == {"unchanged": 67, "skipped": 1}


def test_changes_of_a_csm_to_a_cta_are_kept(tenant: Tenant) -> None:
    load(tenant, SOME)
    raised = by_id(tenant.rows("call_to_action"))[UNHAPPY]
    close_cta(tenant, raised["Gsid"])
    run = load(tenant, with_changes(UNHAPPY, score=2)[:40])
    cta = by_id(tenant.rows("call_to_action"))[UNHAPPY]
    [status] = tenant.rows("cta_item", Gsid=cta["StatusId"])
    assert (status["Name"], cta["Name"]) == ("Closed Success", raised["Name"])
    assert outcomes(run)["nps_detractors"]["skipped"] == 1


def close_cta(tenant: Tenant, gsid: str) -> None:
    answer = requests.put(
        f"{tenant.sandbox.base_url}/v2/cockpit/cta/",
        json={"requests": [{"record": {"Gsid": gsid, "status": "Closed Success"}}]},
        headers={"accesskey": tenant.sandbox.access_key},
        timeout=60,
    )
    assert answer.json()["result"], answer.text


def test_score_that_falls_later_creates_one_cta(tenant: Tenant) -> None:
    load(tenant, SOME)
    raised = tenant.sandbox.tenant.count("call_to_action")
    promoter = next(each["response_id"] for each in SOME if each["score"] >= 9)
    for _ in range(2):
        load(tenant, with_changes(promoter, score=1)[:40])
    assert tenant.sandbox.tenant.count("call_to_action") == raised + 1
    assert by_id(tenant.rows("call_to_action"))[promoter]["Name"].startswith("NPS 1 from ")


@pytest.mark.parametrize("size", [1, 7, 100])
def test_parents_of_the_same_response_are_found_across_groups(tenant: Tenant, size: int) -> None:
    run = load(tenant, RESPONSES[:40], read_group_size=size)
    assert run.rejects == []
    assert counts(tenant)["CG_NPS_Response__gc"] == 40
    assert all(row["companyId__gc"] for row in tenant.rows("CG_NPS_Response__gc"))


def test_invalid_response_is_rejected_alone(tenant: Tenant) -> None:
    wrong = {"score": None, "response_id": "X-1"}, {"responded_at": "soon", "response_id": "X-2"}
    bad = [{**RESPONSES[0], **fields} for fields in wrong]
    run = load(tenant, [*bad, *RESPONSES[1:30]])
    assert {line["record"]["response_id"] for line in run.rejects} == {"X-1", "X-2"}
    rows = by_id(tenant.rows("CG_NPS_Response__gc"))
    assert set(rows) - {"X-1"} == {each["response_id"] for each in RESPONSES[1:30]}
    assert run.exit_code == 0


def test_backfill_writes_the_same_rows_as_calls(tenant: Tenant) -> None:
    load(tenant, SOME, loader="target-gainsight-nps-parents")
    done = load(tenant, SOME, loader="target-gainsight-nps-history")
    assert (done.exit_code, calls(done)) == (0, {"describe": 1, "upload": 1, "job status": 3})
    assert tenant.sandbox.tenant.count("CG_NPS_Response__gc") == 40
    assert tenant.rows("activity_timeline") + tenant.rows("call_to_action") == []
    run = load(tenant, SOME, stream_maps=since("2026-01-08"))
    assert outcomes(run)["nps_rows"] == {"unchanged": 40}
    recent = {f"nps-{each['response_id']}" for each in SOME if each["responded_at"] >= "2026-01-08"}
    assert {row["ExternalId"] for row in tenant.rows("activity_timeline")} == recent
    assert 0 < len(recent) < 40


def since(day: str) -> dict[str, Any]:
    """The recipe's stream maps, with activities and CTAs from a day on only, as on the page."""
    maps: dict[str, Any] = settings_of(NPS)["stream_maps"]
    activities, detractors = maps["nps_activities"], maps["nps_detractors"]
    later = f"responded_at >= '{day}'"
    return {
        **maps,
        "nps_activities": {**activities, "__filter__": later},
        "nps_detractors": {**detractors, "__filter__": f"score <= 6 and {later}"},
    }


def test_plan_finds_parents_that_it_would_create(tenant: Tenant) -> None:
    planned = load(tenant, RESPONSES, dry_run=True)
    assert (planned.exit_code, planned.states) == (0, [])
    assert set(counts(tenant).values()) == {0}
    assert outcomes(load(tenant, RESPONSES)) == outcomes(planned)
