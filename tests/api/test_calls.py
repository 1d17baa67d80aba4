"""The parts of a request, and the result or error of a response."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from answering import KEY, TENANT, MakeClient, failure, success
from fake_clock import FakeClock

from target_gainsight.api import (
    AccessDeniedError,
    AccessKey,
    AmbiguousResponseError,
    Call,
    CallEvent,
    CredentialError,
    FieldFailure,
    GainsightClient,
    GainsightError,
    NotFoundError,
    ObjectNotFoundError,
    RedirectedError,
    RefusedError,
    StopRunError,
    ThrottledError,
    UnknownRouteError,
    UnreachableError,
    UnsuitableObjectError,
)

URL = f"{TENANT}/v1/thing"


def get(client: GainsightClient) -> Any:
    return client.send(Call("GET", "/v1/thing", kind="thing"))


def test_call_sends_key_version_and_json(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.put(URL, json=success())
    client.send(Call("PUT", "/v1/thing", kind="thing", json={"a": Decimal("1.10")}))
    sent = requests_mock.last_request
    assert sent.headers["accesskey"] == KEY
    assert sent.headers["User-Agent"].startswith("target-gainsight/")
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.body == b'{"a":1.10}'
    assert sent.timeout
    assert sent.verify


def test_response_holds_data_ids_and_server_time(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(
        URL,
        text='{"result": true, "requestId": "r-9", "data": {"Arr": 0.10}, "localizedMessage": "x"}',
        headers={"Date": "Thu, 01 Jan 2026 12:00:05 GMT"},
    )
    answer = get(client)
    assert answer.data == {"Arr": Decimal("0.10")}
    assert str(answer.data["Arr"]) == "0.10"
    assert answer.request_id == "r-9"
    assert answer.status == 200
    assert answer.server_time == datetime(2026, 1, 1, 12, 0, 5, tzinfo=timezone.utc)
    assert answer.body["localizedMessage"] == "x"
    assert answer.headers["date"] == "Thu, 01 Jan 2026 12:00:05 GMT"


def test_request_id_is_read_from_header(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(URL, json={"result": True}, headers={"x-gs-request-id": "r-10"})
    assert get(client).request_id == "r-10"


@pytest.mark.parametrize(
    ("status", "code", "kind", "advice"),
    [
        (401, "GS_APIG_2401", CredentialError, "access_key"),
        (401, None, CredentialError, "access_key"),
        (400, "GSOBJ_1024", CredentialError, "access_key"),
        (403, "GS_APIG_2402", AccessDeniedError, "IP address"),
        (403, None, AccessDeniedError, "administrator"),
        (404, "GS_APIG_1000", UnknownRouteError, "domain"),
        (400, "GSOBJ_1023", UnsuitableObjectError, "bulk"),
    ],
)
def test_final_refusal_stops_run_with_advice(
    client: GainsightClient,
    requests_mock: Any,
    status: int,
    code: str | None,
    kind: type[GainsightError],
    advice: str,
) -> None:
    requests_mock.get(URL, status_code=status, json=failure(code))
    with pytest.raises(kind, match=advice) as caught:
        get(client)
    assert isinstance(caught.value, StopRunError)
    assert requests_mock.call_count == 1


def test_error_names_call_and_response(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(URL, status_code=400, json=failure("GSOBJ_1002", "Bad\nvalue (Arr = x)."))
    with pytest.raises(RefusedError) as caught:
        get(client)
    error = caught.value
    assert (error.method, error.path, error.status) == ("GET", "/v1/thing", 400)
    assert (error.code, error.request_id) == ("GSOBJ_1002", "request-2")
    assert error.description == "Bad\nvalue (Arr = x)."
    assert str(error) == (
        "Gainsight refuses the call (GET /v1/thing, HTTP 400, GSOBJ_1002, "
        "Bad\\nvalue (Arr = x)., request id request-2)"
    )


def test_result_false_with_http_200_is_refusal(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(URL, json=failure("GSOBJ_1007", "Name cannot be null (Name = null)."))
    with pytest.raises(RefusedError):
        get(client)


@pytest.mark.parametrize("status", [400, 405, 409, 413, 422])
def test_refused_call_is_not_repeated(
    acquainted: GainsightClient, requests_mock: Any, status: int
) -> None:
    refused = requests_mock.get(URL, status_code=status, text="<html>no reason</html>")
    with pytest.raises(RefusedError):
        get(acquainted)
    assert refused.call_count == 1


def test_missing_record_is_not_a_missing_object(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(URL, status_code=404, json=failure("GSOBJ_1011", "no such record"))
    with pytest.raises(NotFoundError) as caught:
        get(client)
    assert not isinstance(caught.value, ObjectNotFoundError)


def test_web_page_as_first_response_means_wrong_domain(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(URL, text="\n<!doctype html><html>Welcome</html>")
    with pytest.raises(UnreachableError, match="is not reachable: the response is a web page"):
        get(client)
    assert requests_mock.call_count == 3


def test_web_page_with_404_means_an_unknown_route(
    acquainted: GainsightClient, requests_mock: Any
) -> None:
    page = requests_mock.get(URL, status_code=404, text="<html>not found</html>")
    with pytest.raises(UnknownRouteError, match="check that the domain is a Gainsight CS"):
        get(acquainted)
    assert page.call_count == 1


def test_redirect_is_not_followed_and_target_is_named(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(URL, status_code=302, headers={"Location": "https://elsewhere.example/"})
    elsewhere = requests_mock.get("https://elsewhere.example/", json=success())
    with pytest.raises(RedirectedError, match=r"redirects to https://elsewhere\.example/"):
        get(client)
    assert elsewhere.call_count == 0


def test_access_key_is_in_no_error_log_or_repr(
    make_client: MakeClient, requests_mock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requests_mock.get(URL, [{"status_code": 503}, {"status_code": 401, "json": failure(None)}])
    client = make_client()
    with pytest.raises(CredentialError) as caught:
        get(client)
    shown = [str(caught.value), repr(caught.value), repr(client), repr(AccessKey(KEY))]
    assert all(KEY not in text for text in [*shown, caplog.text])


@pytest.mark.parametrize("key", ["", "two words", "line\n", "schlüssel"])
def test_invalid_access_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="copy it again") as caught:
        AccessKey(key)
    assert not key or key not in str(caught.value)


def test_netrc_is_ignored_and_proxies_are_used(
    client: GainsightClient, requests_mock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    requests_mock.get(URL, json=success())
    get(client)
    assert "Authorization" not in requests_mock.last_request.headers
    assert requests_mock.last_request.proxies["https"] == "http://proxy.example:3128"


def test_cookies_are_not_kept(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(URL, json=success(), headers={"Set-Cookie": "node=7"})
    get(client)
    get(client)
    assert "Cookie" not in requests_mock.last_request.headers


@pytest.mark.parametrize(
    "base_url",
    ["initech.gainsightcloud.com", "ftp://initech.example", "https://", "https://me:pw@host"],
)
def test_invalid_base_url_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match=r"https://mycompany\.gainsightcloud\.com") as caught:
        GainsightClient(base_url, AccessKey(KEY))
    assert "pw" not in str(caught.value)


def test_tls_verification_cannot_be_switched_off() -> None:
    with requests.Session() as session:
        session.verify = False
        with pytest.raises(ValueError, match="TLS"):
            GainsightClient(TENANT, AccessKey(KEY), session=session)


class ClosingSession(requests.Session):
    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


def test_given_session_is_used_and_not_closed(requests_mock: Any) -> None:
    session = ClosingSession()
    session.headers["X-Team"] = "revops"
    requests_mock.get(URL, json=success())
    with GainsightClient(TENANT, AccessKey(KEY), session=session) as client:
        get(client)
    assert requests_mock.last_request.headers["X-Team"] == "revops"
    assert not session.closed
    session.close()


def test_base_url_can_have_path_and_trailing_slash(
    make_client: MakeClient, requests_mock: Any
) -> None:
    requests_mock.get("https://proxy.example/gainsight/v1/thing", json=success())
    get(make_client("https://proxy.example/gainsight/"))
    assert requests_mock.call_count == 1


def test_observer_gets_every_attempt(
    acquainted: GainsightClient,
    requests_mock: Any,
    events: list[CallEvent],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backoff.full_jitter", lambda value: value)

    def slow(_request: Any, context: Any) -> Any:
        clock.advance(0.25)
        context.status_code = next(statuses)
        return success() if context.status_code == 200 else failure(None)

    statuses = iter([500, 429, 200, 400])
    requests_mock.get(URL, json=slow)
    events.clear()
    get(acquainted)
    with pytest.raises(RefusedError):
        get(acquainted)
    assert [
        (type(event.error), event.status, event.attempt, event.seconds, event.waited)
        for event in events
    ] == [
        (AmbiguousResponseError, 500, 1, 0.25, 0.0),
        (ThrottledError, 429, 2, 0.25, 0.5),
        (type(None), 200, 3, 0.25, pytest.approx(60.0)),
        (RefusedError, 400, 1, 0.25, 0.0),
    ]
    assert {(event.call.kind, event.call.method, event.call.path) for event in events} == {
        ("thing", "GET", "/v1/thing")
    }


NESTED = [
    [
        {
            "success": False,
            "parsedValue": None,
            "errors": [
                {
                    "errorMessage": "Invalid picklist value",
                    "errorCode": "GSOBJ_1012",
                    "fieldName": "Industry",
                    "invalidValue": ["Sofware"],
                },
                {
                    "errorMessage": "Invalid date",
                    "errorCode": "GSOBJ_1006",
                    "fieldName": "RenewalDate",
                    "invalidValue": "soon",
                },
            ],
        }
    ],
    [
        {
            "success": False,
            "errors": [
                {"errorMessage": "Too long", "errorCode": "GSOBJ_1001", "fieldName": "Name"}
            ],
        }
    ],
]
INDUSTRY = FieldFailure("Industry", ["Sofware"], "GSOBJ_1012", "Invalid picklist value")
RENEWAL = FieldFailure("RenewalDate", "soon", "GSOBJ_1006", "Invalid date")
NAME = FieldFailure("Name", None, "GSOBJ_1001", "Too long")


@pytest.mark.parametrize(
    ("errors", "failures"),
    [
        (NESTED, (INDUSTRY, RENEWAL, NAME)),
        ([NESTED[0][0], NESTED[1][0]], (INDUSTRY, RENEWAL, NAME)),
        ([*NESTED[0][0]["errors"], *NESTED[1][0]["errors"]], (INDUSTRY, RENEWAL, NAME)),
        ([None, [], [{"success": True, "errors": None}]], ()),
    ],
    ids=["nested", "an entry a record", "an entry a field", "nothing in it"],
)
def test_listed_field_failures_are_read_in_every_form(
    client: GainsightClient, requests_mock: Any, errors: Any, failures: Any
) -> None:
    data = {"count": 0, "records": None, "errors": errors}
    requests_mock.get(URL, status_code=400, json=failure("GSOBJ_1012", "No", data))
    with pytest.raises(RefusedError) as caught:
        get(client)
    assert caught.value.failures == failures


@pytest.mark.parametrize("data", [None, {}, {"errors": None}, {"errors": []}, []])
def test_unlisted_field_failure_is_read_from_description(
    client: GainsightClient, requests_mock: Any, data: Any
) -> None:
    description = "Invalid value (see docs) given (Custom__gc = a (b) = c)."
    requests_mock.get(URL, status_code=400, json=failure("GSOBJ_1002", description, data))
    with pytest.raises(RefusedError) as caught:
        get(client)
    assert caught.value.failures == (
        FieldFailure("Custom__gc", "a (b) = c", "GSOBJ_1002", "Invalid value (see docs) given"),
    )


@pytest.mark.parametrize("description", [None, "", "Something went wrong", "odd (a b = c"])
def test_refusal_without_fields_has_no_failures(
    client: GainsightClient, requests_mock: Any, description: str | None
) -> None:
    requests_mock.get(URL, status_code=400, json=failure("GSOBJ_1008", description))
    with pytest.raises(RefusedError) as caught:
        get(client)
    assert caught.value.failures == ()
