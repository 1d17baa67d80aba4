"""Timeline and Cockpit report an outcome per record; every form of it is read."""

from __future__ import annotations

from typing import Any

import pytest
from answering import TENANT, failure, success

from target_gainsight.api import (
    CallEvent,
    FieldFailure,
    GainsightClient,
    PayloadTooLargeError,
    PerRecordResponse,
    RefusedError,
    UnknownOutcomeError,
    is_duplicate,
)

ACTIVITIES = f"{TENANT}/v1/ant/es/activity"
CTAS = f"{TENANT}/v2/cockpit/cta/"
CALL = {"ExternalId": "c-1", "Subject": "Call"}
CTA = {"Name": "Low NPS", "type": "Risk"}
REFUSED = FieldFailure(None, None, "X", "no")
DUPLICATE = FieldFailure(None, None, "GS_TL_10_0207", "Duplicate ExternalId")


def test_insert_posts_activities_and_reads_outcomes_by_external_id(
    client: GainsightClient, requests_mock: Any, events: list[CallEvent]
) -> None:
    data = {
        "success": {"c-1": [{"activityId": "1A01"}]},
        "failures": {"c-2": [{"errorCode": "GS_TL_10_0207", "message": "Duplicate ExternalId"}]},
    }
    requests_mock.post(ACTIVITIES, json=success(data))
    answer = client.timeline.save([CALL, {"ExternalId": "c-2"}], create=True)
    assert answer == PerRecordResponse({"c-1": "1A01"}, {"c-2": DUPLICATE}, "request-1")
    sent = requests_mock.last_request.json()
    assert sent == {"records": [CALL, {"ExternalId": "c-2"}]}
    assert [event.call.group for event in events] == ["timeline"]


def test_update_sends_identifier_externalid(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.put(ACTIVITIES, json=success({"success": {"c-1": []}, "failures": {}}))
    answer = client.timeline.save([CALL], create=False)
    assert requests_mock.last_request.query == "identifier=externalid"
    assert answer.written == {"c-1": None}


@pytest.mark.parametrize(
    "data",
    [
        {"success": {"a": [{"activityId": "G"}]}, "failures": {"b": [{"message": "no"}]}},
        {"success": {"a": {"gsid": "G"}}, "failure": {"b": "no"}},
        {"success": [{"a": "G"}], "failure": [{"b": "no"}]},
        {"success": [{"a": "G"}, {}], "failure": [{"b": ["no"]}]},
        {"success": {"a": "G", "b": "H"}, "failures": {"b": [{"errorDesc": "no"}]}},
    ],
)
def test_every_form_of_outcomes_by_reference_is_read(
    client: GainsightClient, requests_mock: Any, data: Any
) -> None:
    requests_mock.post(ACTIVITIES, json=success(data))
    answer = client.timeline.save([CALL], create=True)
    assert answer.written == {"a": "G"}
    assert answer.refused == {"b": FieldFailure(None, None, "", "no")}


@pytest.mark.parametrize("status", [200, 400])
def test_refusal_with_outcomes_is_a_response(
    client: GainsightClient, requests_mock: Any, status: int
) -> None:
    data = {"success": {"c-1": "G"}, "failures": {"c-2": [{"errorCode": "X", "message": "no"}]}}
    body = failure("GS_TL_10_0200", "Some records failed", data)
    requests_mock.post(ACTIVITIES, status_code=status, json=body)
    answer = client.timeline.save([CALL], create=True)
    assert answer == PerRecordResponse({"c-1": "G"}, {"c-2": REFUSED}, "request-2")


def test_refusal_without_outcomes_is_an_error(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.post(ACTIVITIES, status_code=400, json=failure("GSOBJ_1008", "Bad body"))
    with pytest.raises(RefusedError, match="Bad body"):
        client.timeline.save([CALL], create=True)


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 500},
        {"json": success({"count": 1})},
        {"status_code": 400, "text": '{"result": false, "data": {"succ'},
        {"status_code": 400, "text": ""},
        {"status_code": 400, "json": failure("GSOBJ_1008", "Some failed", ["unexpected"])},
    ],
)
def test_lost_insert_has_unknown_outcome(
    acquainted: GainsightClient, requests_mock: Any, answer: Any
) -> None:
    requests_mock.post(ACTIVITIES, **answer)
    requests_mock.post(CTAS, **answer)
    with pytest.raises(UnknownOutcomeError):
        acquainted.timeline.save([CALL], create=True)
    with pytest.raises(UnknownOutcomeError):
        acquainted.cockpit.save({"1": CTA}, create=True)


def test_update_is_retried(acquainted: GainsightClient, requests_mock: Any) -> None:
    answered = {"json": success({"success": [{"1": "G"}], "failure": []})}
    requests_mock.put(ACTIVITIES, [{"status_code": 500}, answered])
    requests_mock.put(CTAS, [{"status_code": 500}, answered])
    assert acquainted.timeline.save([CALL], create=False).written == {"1": "G"}
    assert acquainted.cockpit.save({"1": {"Gsid": "G"}}, create=False).written == {"1": "G"}


def test_insert_sends_ctas_as_requests_with_references(
    client: GainsightClient, requests_mock: Any
) -> None:
    data = {"success": [{"1": "1S01"}], "failure": [{"2": "Invalid reason"}]}
    requests_mock.post(CTAS, json=success(data))
    answer = client.cockpit.save({"1": CTA, "2": {**CTA, "reason": "?"}}, create=True)
    assert answer.written == {"1": "1S01"}
    assert answer.refused == {"2": FieldFailure(None, None, "", "Invalid reason")}
    assert requests_mock.last_request.json() == {
        "requests": [
            {"record": {"referenceId": "1", **CTA}},
            {"record": {"referenceId": "2", **CTA, "reason": "?"}},
        ],
    }


@pytest.mark.parametrize("count", [0, 51])
def test_call_takes_one_to_fifty_records(client: GainsightClient, count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 50 records, not {count}"):
        client.timeline.save([CALL] * count, create=True)
    with pytest.raises(ValueError, match=f"1 to 50 records, not {count}"):
        client.cockpit.save({str(number): CTA for number in range(count)}, create=False)


@pytest.mark.parametrize(
    ("refusal", "duplicate"),
    [
        (DUPLICATE, True),
        (FieldFailure(None, None, "", "ExternalId already exists"), True),
        (FieldFailure(None, None, "GS_TL_10_0206", "Missing field: TypeName"), False),
    ],
)
def test_duplicate_is_known_by_code_or_message(refusal: FieldFailure, duplicate: bool) -> None:
    assert is_duplicate(refusal) is duplicate


def test_too_large_insert_is_refused(client: GainsightClient, requests_mock: Any) -> None:
    sent = requests_mock.post(ACTIVITIES, status_code=413, text="<html>413</html>")
    with pytest.raises(PayloadTooLargeError):
        client.timeline.save([{"ExternalId": "a"}], create=True)
    assert sent.call_count == 1
