"""Section 1: host, authentication, envelope."""

from __future__ import annotations

from typing import Any

import pytest
from tenant_api import Api, OpenTenant


def test_one_host_serves_every_endpoint_family(api: Api) -> None:
    assert api.query("company", select=["Name"]).status_code == 200
    assert api.person(Email="a@b.example").status_code == 200
    assert api.call("GET", "/v1/meta/services/objects/list").status_code == 200


@pytest.mark.parametrize("name", ["accesskey", "AccessKey", "ACCESSKEY"])
def test_access_key_header_may_have_any_case(api: Api, name: str) -> None:
    del api.session.headers["accesskey"]
    answer = api.call("GET", "/v1/meta/services/objects/list", headers={name: "sandbox"})
    assert answer.status_code == 200


@pytest.mark.parametrize("headers", [{"accesskey": None}, {"accesskey": "wrong"}])
def test_missing_or_wrong_key_is_401_without_data(api: Api, headers: Any) -> None:
    answer = api.call("GET", "/v1/meta/services/objects/list", headers=headers)
    assert answer.status_code == 401
    body = answer.json()
    assert body["result"] is False
    assert body["errorCode"] == "GS_APIG_2401"
    assert body["errorDesc"] == "Unauthorized"
    assert "data" not in body


def test_refused_key_costs_no_quota(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1})
    for _ in range(3):
        answer = api.call("GET", "/v1/meta/services/objects/list", headers={"accesskey": "wrong"})
        assert answer.status_code == 401
    assert api.call("GET", "/v1/meta/services/objects/list").status_code == 200


def test_key_is_configurable(open_tenant: OpenTenant) -> None:
    api = open_tenant(access_key="another")
    assert api.running.access_key == "another"
    assert api.query("company", select=["Name"]).status_code == 200


def test_envelope_of_success(api: Api) -> None:
    body = api.insert("Company", {"Name": "Acme"}).json()
    assert set(body) == {"result", "errorCode", "errorDesc", "requestId", "data", "message"}
    assert body["result"] is True
    assert body["errorCode"] is None
    assert body["errorDesc"] is None


def test_request_id_is_new_and_also_a_header(api: Api) -> None:
    answers = [api.query("company", select=["Name"]) for _ in range(2)]
    for answer in answers:
        assert answer.headers["x-gs-request-id"] == answer.json()["requestId"]
    assert answers[0].json()["requestId"] != answers[1].json()["requestId"]


def test_date_header_is_time_of_tenant(api: Api) -> None:
    api.clock.now = 0.0
    answer = api.query("company", select=["Name"])
    assert answer.headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_success_is_200_for_every_verb(api: Api) -> None:
    gsid = api.inserted("Company", {"Name": "Acme"})[0]
    assert api.update("Company", "Gsid", {"Gsid": gsid, "ARR": 1}).status_code == 200
    assert api.call("GET", f"/v1/data/objects/Company/{gsid}").status_code == 200
    assert api.call("DELETE", f"/v1/data/objects/Company/{gsid}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2"), ("POST", "/v2/other"), ("PATCH", "/v1/data/objects/Company")],
)
def test_unknown_route_is_404(api: Api, method: str, path: str) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 404
    assert answer.json()["errorCode"] == "GS_APIG_1000"
    assert answer.json()["result"] is False


def test_server_error_is_500_without_internals(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        message = "secret inside"
        raise RuntimeError(message)

    monkeypatch.setattr(api.tenant, "named_object", fail)
    answer = api.person(Email="a@b.example")
    assert answer.status_code == 500
    assert answer.json()["errorCode"] == "GU_1101"
    assert "secret" not in answer.text
    assert "secret inside" in caplog.text


@pytest.mark.parametrize("body", ["{", "[1, 2", '{"records": NaN}', "\xff", "[" * 100_000])
def test_body_that_is_no_json_is_refused(api: Api, body: Any) -> None:
    answer = api.session.post(
        f"{api.running.base_url}/v1/data/objects/Company", data=body.encode("latin-1"), timeout=60
    )
    assert answer.status_code == 400
    assert answer.json()["result"] is False


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_non_loopback_host_is_refused(api: Api, host: str) -> None:
    answer = api.call("GET", "/v1/meta/services/objects/list", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["errorCode"] == "GS_APIG_2402"


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "localhost", "[::1]:80"])
def test_any_loopback_host_is_served(api: Api, host: str) -> None:
    answer = api.call("GET", "/v1/meta/services/objects/list", headers={"host": host})
    assert answer.status_code == 200
