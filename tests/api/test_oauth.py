"""Calls as an M2M OAuth client: the token is fetched, renewed and never seen."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests
from answering import TENANT, MakeClient, failure, success
from fake_clock import FakeClock
from scripted_server import ScriptedServer, cut_short, reset_after_reading

from target_gainsight.api import (
    AccessDeniedError,
    AmbiguousResponseError,
    Call,
    CallBudgetExceededError,
    CallEvent,
    ClientCredentials,
    CredentialError,
    GainsightClient,
    GainsightError,
    RateLimiter,
    RateLimits,
    RedirectedError,
    StoppedError,
    StopRunError,
    UnavailableError,
    UnknownRouteError,
    UnreachableError,
)

CLIENT = "initech-client"
SECRET = "s3cret-of-the-client"
BASIC = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
TOKEN = "t0ken-of-the-tenant"
TOKEN_URL = f"{TENANT}/v1/users/m2m/oauth/token"
URL = f"{TENANT}/v1/thing"
REFUSED = {"status_code": 401, "json": failure("GS_APIG_2401", "Unauthorized")}


def granted(number: int = 1, **more: Any) -> dict[str, Any]:
    """The response that grants a token."""
    return {
        "access_token": f"{TOKEN}-{number}",
        "token_type": "Bearer",
        "expires_in": 86_400,
        **more,
    }


@pytest.fixture
def oauth(make_client: MakeClient) -> GainsightClient:
    """A client that authenticates by tokens."""
    return make_client(authentication=ClientCredentials(CLIENT, SECRET))


@pytest.fixture
def office(requests_mock: Any) -> Any:
    """Grants one token after the other."""
    numbers = iter(range(1, 100))
    return requests_mock.post(TOKEN_URL, json=lambda *_: granted(next(numbers)))


def get(client: GainsightClient, **more: Any) -> Any:
    return client.send(Call("GET", "/v1/thing", kind="thing", **more))


def sent_tokens(requests_mock: Any) -> list[str]:
    """The tokens that the calls for things showed, in order."""
    return [
        request.headers["Authorization"].removeprefix(f"Bearer {TOKEN}-")
        for request in requests_mock.request_history
        if request.url == URL
    ]


def chain_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def is_secret_free(text: str) -> bool:
    return not any(secret in text for secret in (SECRET, BASIC[:-1], TOKEN))


def test_token_request_has_documented_form(
    oauth: GainsightClient, office: Any, requests_mock: Any
) -> None:
    requests_mock.get(URL, json=success())
    get(oauth)
    get(oauth)
    assert office.call_count == 1
    asked, first, second = requests_mock.request_history
    assert asked.headers["Authorization"] == f"Basic {BASIC}"
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.text == "grant_type=client_credentials"
    assert first.headers["Authorization"] == f"Bearer {TOKEN}-1"
    for request in (asked, first, second):
        assert "accesskey" not in request.headers
        assert request.timeout
        assert request.verify


@pytest.mark.parametrize("status", [400, 406, 411, 415])
@pytest.mark.parametrize("body", [{"text": "<html></html>"}, {"json": failure("X", "No form")}])
def test_refused_form_is_replaced_by_json_without_body(
    oauth: GainsightClient,
    requests_mock: Any,
    clock: FakeClock,
    status: int,
    body: dict[str, Any],
) -> None:
    answers = [{"status_code": status, **body}, {"json": granted(1)}, {"json": granted(2)}]
    office = requests_mock.post(TOKEN_URL, answers)
    requests_mock.get(URL, json=success())
    get(oauth)
    clock.advance(86_400)
    get(oauth)
    form, bodiless, renewal = office.request_history
    assert form.text == "grant_type=client_credentials"
    for request in (bodiless, renewal):
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Content-Length"] == "0"
        assert request.headers["Authorization"] == f"Basic {BASIC}"
        assert not request.body


def test_creating_client_makes_no_call(oauth: GainsightClient, requests_mock: Any) -> None:
    oauth.close()
    assert requests_mock.call_count == 0


def test_token_is_renewed_before_it_expires(
    oauth: GainsightClient, office: Any, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, json=success())
    for _ in range(3):
        get(oauth)
        clock.advance(86_400 - 59)
    assert office.call_count == 3
    assert sent_tokens(requests_mock) == ["1", "2", "3"]


def test_refused_token_is_replaced_and_call_retried(
    oauth: GainsightClient, office: Any, requests_mock: Any, events: list[CallEvent]
) -> None:
    requests_mock.get(URL, [{"json": success()}, REFUSED, {"json": success("done")}])
    get(oauth)
    assert get(oauth).data == "done"
    assert sent_tokens(requests_mock) == ["1", "1", "2"]
    assert [(event.call.kind, type(event.error), event.attempt) for event in events] == [
        ("token", type(None), 1),
        ("thing", type(None), 1),
        ("thing", CredentialError, 1),
        ("token", type(None), 1),
        ("thing", type(None), 2),
    ]
    assert office.call_count == 2


def test_unrepeatable_call_is_resent_after_refused_token(
    oauth: GainsightClient, requests_mock: Any, office: Any
) -> None:
    """A refused call had no effect, so its outcome is known."""
    requests_mock.post(URL, [REFUSED, {"json": success("written")}])
    answer = oauth.send(Call("POST", "/v1/thing", kind="insert", json={}, repeatable=False))
    assert answer.data == "written"
    assert office.call_count == 2


def test_refused_fresh_token_stops_run(
    oauth: GainsightClient, office: Any, requests_mock: Any
) -> None:
    requests_mock.get(URL, **REFUSED)
    with pytest.raises(CredentialError, match="client_id and client_secret") as caught:
        get(oauth)
    assert office.call_count == 2
    assert sent_tokens(requests_mock) == ["1", "2"]
    assert "access_key" not in str(caught.value)
    assert caught.value.status == 401


def test_endpoint_that_refuses_every_token_stops_run(
    oauth: GainsightClient, office: Any, requests_mock: Any
) -> None:
    def refuse(_request: Any, context: Any) -> Any:
        get(oauth)
        context.status_code = 401
        return failure("GS_APIG_2401", "Unauthorized")

    requests_mock.get(URL, json=success())
    refused = requests_mock.post(URL, json=refuse)
    with pytest.raises(CredentialError, match="HTTP 401"):
        oauth.send(Call("POST", "/v1/thing", kind="insert", json={}))
    assert refused.call_count == 5


def test_refused_records_do_not_count_against_token(
    oauth: GainsightClient, office: Any, requests_mock: Any
) -> None:
    refused = {"status_code": 400, "json": failure("GSOBJ_1002", "Bad value (Arr = x).")}
    requests_mock.get(URL, [refused, REFUSED, refused, REFUSED, {"json": success("done")}])
    for _ in range(2):
        with pytest.raises(GainsightError, match="GSOBJ_1002"):
            get(oauth)
    assert get(oauth).data == "done"
    assert office.call_count == 3


def test_token_in_envelope_is_accepted(oauth: GainsightClient, requests_mock: Any) -> None:
    requests_mock.post(TOKEN_URL, json=success(granted(expires_in="3600")))
    requests_mock.get(URL, json=success("done"))
    assert get(oauth).data == "done"


NOT_GRANTED: list[Any] = [
    {"status_code": 401, "json": failure("GS_APIG_2401", "Unauthorized")},
    {"status_code": 401, "json": {"error": "invalid_client"}},
    {"status_code": 401, "text": ""},
    {"status_code": 400, "json": {"error": "unauthorized_client", "message": f"{SECRET} is bad"}},
    {"status_code": 400, "json": {"error": "bad header", "message": f"Basic {BASIC[:-1]}%3D"}},
    {"status_code": 400, "text": "<html>Bad request</html>"},
    {"status_code": 422, "json": failure("X", "No")},
    {"status_code": 200, "json": failure("GS_APIG_2401")},
    {"status_code": 200, "json": failure(None, "no such client")},
    {"status_code": 200, "json": success()},
    {"status_code": 200, "json": {"token": "under another name"}},
    {"status_code": 200, "json": {"access_token": "two words"}},
    {"status_code": 200, "json": {"access_token": None}},
]


@pytest.mark.parametrize("answer", NOT_GRANTED)
def test_refused_client_stops_run_with_advice(
    oauth: GainsightClient, requests_mock: Any, answer: dict[str, Any]
) -> None:
    office = requests_mock.post(TOKEN_URL, **answer)
    with pytest.raises(CredentialError, match=r"Administration > Connectors 2\.0") as caught:
        get(oauth)
    tries = 2 if answer["status_code"] == 400 else 1
    assert (office.call_count, requests_mock.call_count) == (tries, tries)
    assert "POST /v1/users/m2m/oauth/token" in str(caught.value)
    assert is_secret_free(chain_of(caught.value))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status_code": 403, "json": failure("GS_APIG_2402")}, AccessDeniedError),
        ({"status_code": 404, "json": failure("GS_APIG_1000")}, UnknownRouteError),
        ({"status_code": 302, "headers": {"Location": "https://login.example"}}, RedirectedError),
        ({"text": "<html>Welcome</html>"}, UnreachableError),
    ],
)
def test_other_token_error_stops_run_with_own_reason(
    oauth: GainsightClient, requests_mock: Any, answer: dict[str, Any], kind: type[GainsightError]
) -> None:
    office = requests_mock.post(TOKEN_URL, **answer)
    with pytest.raises(kind) as caught:
        get(oauth)
    assert isinstance(caught.value, StopRunError)
    assert office.call_count == (3 if kind is UnreachableError else 1)


@pytest.mark.parametrize(
    "passing",
    [
        {"status_code": 500, "json": failure("GU_1101")},
        {"status_code": 502, "text": "<html>Bad gateway</html>"},
        {"status_code": 429, "json": failure("GU_2400")},
        {"status_code": 200, "json": failure("GS_APIG_2404")},
        {"exc": requests.ConnectionError("reset")},
        {"exc": requests.ConnectTimeout},
        {"exc": requests.ReadTimeout},
        {"text": '{"access_token": "cut sh'},
        {"text": ""},
    ],
)
def test_token_request_is_retried_without_permit(
    make_client: MakeClient, requests_mock: Any, clock: FakeClock, passing: dict[str, Any]
) -> None:
    one = RateLimits(per_window=1, per_day=1, quota_percent=100)
    client = make_client(
        authentication=ClientCredentials(CLIENT, SECRET),
        rate_limiter=RateLimiter({"synchronous": one}, clock=clock, max_calls=1),
    )
    office = requests_mock.post(TOKEN_URL, [passing, passing, {"json": granted()}])
    requests_mock.get(URL, json=success("done"))
    assert get(client).data == "done"
    assert office.call_count == 3
    assert len(clock.waits) == 2
    assert max(clock.waits) <= 60
    with pytest.raises(CallBudgetExceededError):
        get(client)


def test_token_request_waits_for_retry_after(
    oauth: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    later = {"status_code": 429, "json": failure("GU_2400"), "headers": {"Retry-After": "17"}}
    requests_mock.post(TOKEN_URL, [later, {"json": granted()}])
    requests_mock.get(URL, json=success())
    get(oauth)
    assert clock.waits == [pytest.approx(17, abs=0.5)]


def test_unavailable_token_makes_call_unavailable(
    make_client: MakeClient, requests_mock: Any, clock: FakeClock
) -> None:
    client = make_client(authentication=ClientCredentials(CLIENT, SECRET), max_retry_seconds=100)
    requests_mock.post(TOKEN_URL, status_code=503)
    thing = requests_mock.post(URL, json=success())
    with pytest.raises(UnavailableError) as caught:
        client.send(Call("POST", "/v1/thing", kind="insert", json={}, repeatable=False))
    assert isinstance(caught.value.__cause__, AmbiguousResponseError)
    assert caught.value.path == "/v1/users/m2m/oauth/token"
    assert sum(clock.waits) <= 100.001
    assert thing.call_count == 0


def test_unreachable_tenant_is_named_on_token_request(
    oauth: GainsightClient, requests_mock: Any
) -> None:
    office = requests_mock.post(TOKEN_URL, exc=requests.ConnectionError("no route"))
    with pytest.raises(UnreachableError, match=r"initech\.gainsightcloud\.com is not reachable"):
        get(oauth)
    assert office.call_count == 3


def test_stopped_client_requests_no_token(
    oauth: GainsightClient, office: Any, requests_mock: Any
) -> None:
    requests_mock.get(URL, json=success())
    oauth.stop()
    with pytest.raises(StoppedError):
        get(oauth)
    assert office.call_count == 0


def test_stop_ends_wait_for_token(
    oauth: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    def stop(*_: Any) -> str:
        oauth.stop()
        return ""

    office = requests_mock.post(TOKEN_URL, status_code=503, text=stop)
    with pytest.raises(StoppedError):
        get(oauth)
    assert office.call_count == 1
    assert clock.waits == []


def test_web_page_after_token_is_not_a_wrong_domain(
    oauth: GainsightClient, office: Any, requests_mock: Any
) -> None:
    requests_mock.get(URL, [{"text": "<html>Busy</html>"}, {"json": success("done")}])
    assert get(oauth).data == "done"
    assert office.call_count == 1


QUOTED = [
    {"status_code": 401, "json": failure("GS_APIG_2401", f"Invalid access token: {TOKEN}-1")},
    {"status_code": 403, "json": failure(None, f"bad key=value in header: 'Bearer {TOKEN}-1'")},
    {"status_code": 400, "json": failure("GSOBJ_1024", f"Authorization: Bearer {TOKEN}-1")},
]


@pytest.mark.parametrize("answer", QUOTED)
def test_quoted_token_is_redacted(
    oauth: GainsightClient,
    requests_mock: Any,
    caplog: pytest.LogCaptureFixture,
    answer: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    requests_mock.post(TOKEN_URL, json=granted())
    requests_mock.get(URL, **answer)
    with pytest.raises(StopRunError) as caught:
        get(oauth)
    assert is_secret_free(chain_of(caught.value) + caplog.text + repr(vars(caught.value)))


def test_quoted_access_key_is_redacted(client: GainsightClient, requests_mock: Any) -> None:
    answer = failure(None, "accesskey 's3cret-access-key' may not do this")
    requests_mock.get(URL, status_code=403, json=answer)
    with pytest.raises(AccessDeniedError, match=r"accesskey '\*\*\*' may not") as caught:
        get(client)
    assert "s3cret-access-key" not in chain_of(caught.value)


def test_connection_faults_show_no_secret(
    caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    """Over a real connection, with everything that requests and urllib3 have to say."""
    caplog.set_level(logging.DEBUG)
    with ScriptedServer([reset_after_reading, cut_short, cut_short]) as server:
        client = GainsightClient(
            f"http://127.0.0.1:{server.port}",
            ClientCredentials(CLIENT, SECRET),
            clock=clock,
        )
        with pytest.raises(GainsightError) as caught:
            get(client)
        client.close()
    assert "DEBUG" in {record.levelname for record in caplog.records}
    assert is_secret_free(chain_of(caught.value) + caplog.text)


def test_repr_shows_no_secret(
    oauth: GainsightClient, office: Any, requests_mock: Any, events: list[CallEvent]
) -> None:
    requests_mock.get(URL, json=success())
    get(oauth)
    assert office.call_count == 1
    assert is_secret_free(repr(vars(oauth)) + repr(events))


def test_refused_access_key_is_not_retried(
    client: GainsightClient, requests_mock: Any, warnings: Callable[[], list[str]]
) -> None:
    refused = requests_mock.get(URL, **REFUSED)
    with pytest.raises(CredentialError, match="access_key is the tenant's current key"):
        get(client)
    assert refused.call_count == 1
    assert warnings() == []
