"""Section 1: M2M OAuth with expiring tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

TOKEN_PATH = "/v1/users/m2m/oauth/token"
CLIENT = ("initech-client", "s3cret")
FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def open_oauth(open_tenant: OpenTenant) -> Callable[..., Api]:
    """A tenant with an M2M OAuth client, spoken to without its key; keywords are its switches."""

    def start(limits: dict[str, int] | None = None, **switches: Any) -> Api:
        api = open_tenant(
            client_id=CLIENT[0], client_secret=CLIENT[1], switches=switches, limits=limits or {}
        )
        del api.session.headers["accesskey"]
        return api

    return start


def grant(api: Api, client: tuple[str, str] = CLIENT, **more: Any) -> requests.Response:
    return api.session.post(
        f"{api.running.base_url}{TOKEN_PATH}", auth=client, timeout=60, **{"data": FORM, **more}
    )


def status(api: Api, token: str, **headers: str) -> int:
    carried = {"Authorization": f"Bearer {token}", **headers}
    answer = api.call("GET", "/v1/meta/services/objects/list", headers=carried)
    if answer.status_code == 401:
        assert answer.json()["errorCode"] == "GS_APIG_2401"
    return answer.status_code


def test_client_gets_token_and_calls_with_it(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth()
    answer = grant(api)
    granted = answer.json()
    assert answer.status_code == 200
    assert set(granted) == {"access_token", "token_type", "expires_in"}
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 86_400)
    assert status(api, granted["access_token"]) == 200


@pytest.mark.parametrize(
    "more",
    [
        {"data": None},
        {"data": "", "headers": {"Content-Type": "application/json"}},
        {"data": None, "json": FORM},
    ],
    ids=["no-body", "nothing-as-json", "json"],
)
def test_form_may_be_omitted(open_oauth: Callable[..., Api], more: Any) -> None:
    assert grant(open_oauth(), **more).status_code == 200


def test_another_grant_is_refused(open_oauth: Callable[..., Api]) -> None:
    assert grant(open_oauth(), data={"grant_type": "password"}).status_code == 400


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Basic !!!", "Basic aW5pdGVjaA==", "Bearer initech-client:s3cret"],
)
def test_unknown_client_gets_no_token(
    open_oauth: Callable[..., Api], authorization: str | None
) -> None:
    api = open_oauth()
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = api.call("POST", TOKEN_PATH, headers=headers)
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "GS_APIG_2401")
    for wrong in (("initech-client", "wrong"), ("another", "s3cret"), ("", "")):
        assert grant(api, wrong).status_code == 401


def test_client_may_be_refused_in_oauth_format(open_oauth: Callable[..., Api]) -> None:
    answer = grant(open_oauth(client_refusal="oauth"), ("another", "s3cret"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_token_may_be_in_envelope(open_oauth: Callable[..., Api]) -> None:
    answer = grant(open_oauth(token_in_envelope=True)).json()
    assert answer["result"] is True
    assert answer["data"]["token_type"] == "Bearer"


def test_token_expires_after_its_lifetime(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth(token_seconds=100)
    granted = grant(api).json()
    assert granted["expires_in"] == 100
    api.clock.now += 99.9
    assert status(api, granted["access_token"]) == 200
    api.clock.now += 0.1
    assert status(api, granted["access_token"]) == 401
    assert status(api, grant(api).json()["access_token"]) == 200


def test_token_expires_after_calls(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth(token_calls=3)
    first, second = (grant(api).json()["access_token"] for _ in range(2))
    assert [status(api, first) for _ in range(5)] == [200, 200, 200, 401, 401]
    assert status(api, second) == 200


@pytest.mark.parametrize("token", ["", "made up", "sandbox"])
def test_unknown_token_is_refused(open_oauth: Callable[..., Api], token: str) -> None:
    assert status(open_oauth(), token) == 401


def test_token_beside_key_is_refused(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth()
    token = grant(api).json()["access_token"]
    assert status(api, token, accesskey="sandbox") == 400
    assert status(api, token) == 200


def test_asking_for_a_token_costs_no_quota(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth(limits={"calls_per_minute": 1})
    tokens = [grant(api).json()["access_token"] for _ in range(5)]
    assert [status(api, token) for token in tokens[:2]] == [200, 429]


def test_tokens_are_not_kept_in_the_call_log(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth()
    grant(api)
    [call] = api.tenant.calls()
    assert (call.kind, call.method, call.path) == ("token", "POST", TOKEN_PATH)
    assert (call.request, call.answer) == ("grant_type=client_credentials", None)


def test_client_is_created_once_per_file(open_tenant: OpenTenant) -> None:
    first, other = open_tenant(), open_tenant("other.db")
    made = (first.running.client_id, first.running.client_secret)
    assert grant(first, made).status_code == 200
    first.running.stop()
    again = open_tenant()
    assert (again.running.client_id, again.running.client_secret) == made
    assert made != (other.running.client_id, other.running.client_secret)
    assert grant(other, made).status_code == 401


def test_described_client_is_used(open_tenant: OpenTenant) -> None:
    open_tenant().running.stop()
    api = open_tenant(client_id="mine")
    assert api.running.client_id == "mine"
    assert grant(api, ("mine", api.running.client_secret)).status_code == 200


def test_faults_befall_the_token_call_as_any_other(open_oauth: Callable[..., Api]) -> None:
    api = open_oauth()
    api.tenant.faults.script(["server_error", "throttle_429", "wrong_shape"], path="*/token")
    assert [grant(api).status_code for _ in range(3)] == [500, 429, 200]
    assert "access_token" in grant(api).json()
