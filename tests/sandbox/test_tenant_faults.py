"""Injected faults: what the client receives and what the tenant keeps."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant
from watched_sandbox import Watch

from target_gainsight.sandbox import Fault, ServerRule
from target_gainsight.sandbox.config.faults import FaultPlan
from target_gainsight.sandbox.server.app import make_app
from target_gainsight.sandbox.server.server import ServerThread

POST = {"method": "POST", "path": "/v1/data/objects/company"}


def _insert(api: Api) -> requests.Response:
    return api.insert("Company", {"Name": "Acme"})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle_429", 429, "GU_2400"),
        ("throttle_200", 200, "GU_2400"),
        ("server_error", 500, "GU_1101"),
        ("unavailable", 503, "GU_1101"),
    ],
)
def test_refusing_fault_writes_nothing(api: Api, kind: str, status: int, code: str) -> None:
    api.tenant.faults.add(Fault(kind, times=1))
    answer = _insert(api)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.json()["result"] is False
    assert "retry-after" not in answer.headers
    assert api.tenant.count("company") == 0
    assert _insert(api).status_code == 200


@pytest.mark.parametrize("kind", ["throttle_429", "unavailable"])
def test_refusal_may_have_retry_after(api: Api, kind: str) -> None:
    api.tenant.faults.add(Fault(kind, retry_after=2.5))
    assert _insert(api).headers["retry-after"] == "2.5"


def test_throttling_may_have_gateway_code(api: Api) -> None:
    api.tenant.faults.add(Fault("throttle_200", code="GS_APIG_2404"))
    assert _insert(api).json()["errorCode"] == "GS_APIG_2404"


def test_bad_gateway_is_html(api: Api) -> None:
    api.tenant.faults.add(Fault("bad_gateway"))
    answer = _insert(api)
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert api.tenant.count("company") == 0


@pytest.mark.parametrize("kind", ["server_error", "unavailable", "bad_gateway", "throttle_429"])
def test_refusal_may_follow_commit(api: Api, kind: str) -> None:
    api.tenant.faults.add(Fault(kind, committed=True))
    assert _insert(api).status_code >= 429
    assert api.tenant.count("company") == 1


@pytest.mark.parametrize(("kind", "rows"), [("reset_before_commit", 0), ("reset_after_commit", 1)])
def test_reset_before_or_after_commit(api: Api, kind: str, rows: int) -> None:
    api.tenant.faults.add(Fault(kind, times=1))
    with pytest.raises(requests.ConnectionError):
        _insert(api)
    assert api.tenant.count("company") == rows
    call = api.tenant.calls()[-1]
    assert (call.status, call.kind) == (None, "insert")
    assert _insert(api).status_code == 200


def test_truncated_body_breaks_connection(api: Api) -> None:
    api.tenant.faults.add(Fault("truncated_body", times=1))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _insert(api)
    assert api.tenant.count("company") == 1
    assert _insert(api).status_code == 200


@pytest.mark.parametrize("kind", ["cut_json", "empty_body", "html_body"])
def test_body_that_is_no_json(api: Api, kind: str) -> None:
    api.tenant.faults.add(Fault(kind))
    answer = _insert(api)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert api.tenant.count("company") == 1


def test_body_of_another_shape(api: Api) -> None:
    api.tenant.faults.add(Fault("wrong_shape"))
    assert _insert(api).json()["data"] == ["unexpected"]
    assert api.tenant.count("company") == 1


class Pauses:
    """The pauses of a tenant, which end on request."""

    def __init__(self) -> None:
        self.seconds = SimpleQueue[float]()
        self._over = threading.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.put(seconds)
        await asyncio.to_thread(self._over.wait)

    def end(self) -> None:
        self._over.set()


class PausedTenant:
    """A tenant that is served once more, with pauses of the test's own."""

    def __init__(self, api: Api) -> None:
        self.faults = api.tenant.faults
        self.pauses = Pauses()
        self.watch = Watch(make_app(api.tenant, pause=self.pauses))
        self.server = ServerThread(self.watch, 0)
        self._api = api
        self._pool = ThreadPoolExecutor()

    def insert(self) -> Future[requests.Response]:
        """Send a record, and do not wait for the response."""
        return self._pool.submit(self._post, "Company", {"records": [{"Name": "Acme"}]})

    def query(self) -> requests.Response:
        return self._post("query/Company", {"select": ["Name"]})

    def _post(self, path: str, body: dict[str, Any]) -> requests.Response:
        url = f"http://127.0.0.1:{self.server.port}/v1/data/objects/{path}"
        headers = {"accesskey": self._api.running.access_key}
        return requests.post(url, json=body, headers=headers, timeout=60)

    def close(self) -> None:
        self.pauses.end()
        self._pool.shutdown()
        self.server.stop()


@pytest.fixture
def paused(api: Api) -> Iterator[PausedTenant]:
    tenant = PausedTenant(api)
    yield tenant
    tenant.close()


def test_late_commit_comes_after_its_pause(api: Api, paused: PausedTenant) -> None:
    paused.faults.add(Fault("late_commit", seconds=90))
    response = paused.insert()
    assert paused.pauses.seconds.get(timeout=60) == 90
    assert api.tenant.count("company") == 0
    paused.pauses.end()
    assert response.result().status_code == 200
    assert api.tenant.count("company") == 1


def test_late_commit_comes_although_the_client_has_gone(api: Api, paused: PausedTenant) -> None:
    paused.faults.add(Fault("late_commit", seconds=90))
    with socket.create_connection(("127.0.0.1", paused.server.port)) as client:
        body = b'{"records":[{"Name":"Acme"}]}'
        head = (
            f"POST /v1/data/objects/Company HTTP/1.1\r\nHost: localhost\r\n"
            f"accesskey: {api.running.access_key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        client.sendall(head.encode() + body)
        assert paused.pauses.seconds.get(timeout=60) == 90
    paused.pauses.end()
    paused.watch.until(lambda: api.tenant.count("company") == 1)


def test_stopping_cancels_a_late_commit(api: Api) -> None:
    pausing = threading.Event()

    async def pause(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    server = ServerThread(make_app(api.tenant, pause=pause), 0)
    api.tenant.faults.add(Fault("late_commit", seconds=90))
    with ThreadPoolExecutor() as pool:
        url = f"http://127.0.0.1:{server.port}/v1/data/objects/Company"
        headers = {"accesskey": api.running.access_key}
        body = {"records": [{"Name": "Acme"}]}
        response = pool.submit(requests.post, url, json=body, headers=headers, timeout=60)
        assert pausing.wait(60)
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(timeout=60)
        assert not stopping.is_alive()
        assert response.result().status_code == 500
    assert api.tenant.count("company") == 0


def test_latency_comes_after_the_commit_and_may_be_a_range(api: Api, paused: PausedTenant) -> None:
    paused.faults.add(Fault("latency", seconds=(30, 60)))
    response = paused.insert()
    assert 30 <= paused.pauses.seconds.get(timeout=60) <= 60
    assert api.tenant.count("company") == 1
    assert not response.done()
    paused.pauses.end()
    assert response.result().status_code == 200


def test_latency_combines_with_another_fault(api: Api, paused: PausedTenant) -> None:
    paused.faults.add(Fault("latency", seconds=30), Fault("server_error"))
    response = paused.insert()
    assert paused.pauses.seconds.get(timeout=60) == 30
    paused.pauses.end()
    assert response.result().status_code == 500
    assert api.tenant.faults.fired == {"latency": 1, "server_error": 1}


def test_other_calls_are_served_while_one_is_late(paused: PausedTenant) -> None:
    paused.faults.add(Fault("late_commit", **POST, seconds=5))
    response = paused.insert()
    assert paused.pauses.seconds.get(timeout=60) == 5
    assert paused.query().status_code == 200
    assert not response.done()


def test_fault_applies_to_its_method_and_path_only(api: Api) -> None:
    api.tenant.faults.add(Fault("server_error", **POST))
    assert api.query("Company", select=["Name"]).status_code == 200
    assert api.update("Company", "Name", {"Name": "x"}).status_code == 400
    assert _insert(api).status_code == 500
    api.tenant.faults.clear()
    api.tenant.faults.add(Fault("server_error", path="*/query/*"))
    assert _insert(api).status_code == 200
    assert api.query("Company", select=["Name"]).status_code == 500


def test_after_and_times_bound_a_fault(api: Api) -> None:
    api.tenant.faults.add(Fault("server_error", after=1, times=2))
    assert [_insert(api).status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_script_applies_one_step_per_call(api: Api) -> None:
    steps = ["pass", "server_error", Fault("throttle_429", retry_after=1), "late_commit"]
    api.tenant.faults.script(steps, **POST)
    assert api.query("Company", select=["Name"]).status_code == 200
    assert [_insert(api).status_code for _ in range(6)] == [200, 500, 429, 200, 200, 200]


def test_scripted_faults_precede_random_ones(api: Api) -> None:
    api.tenant.faults.add(Fault("server_error"))
    api.tenant.faults.script(["pass", "latency", "unavailable"])
    assert [_insert(api).status_code for _ in range(4)] == [200, 200, 503, 500]


def test_probabilities_are_repeatable() -> None:
    def drawn(seed: Any) -> list[bool]:
        plan = FaultPlan([Fault("server_error", probability=0.3)])
        plan.seed(seed)
        return [plan.pick("GET", "/").fault is not None for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 30 < sum(drawn(1)) < 90


def test_unknown_fault_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="server_error"):
        Fault("server_eror")


def test_fault_counts_against_limits_only_if_it_takes_effect(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1})
    api.tenant.faults.add(Fault("server_error", times=3))
    assert [_insert(api).status_code for _ in range(5)] == [500, 500, 500, 200, 429]


def test_hidden_rule_refuses_value_allowed_by_metadata(api: Api) -> None:
    api.tenant.faults.rules.append(
        ServerRule("Company", "Name", "Poison", code="GSOBJ_1008", message="Not this one")
    )
    answer = api.insert("Company", {"Name": "Good"}, {"Name": "Poison"})
    assert answer.status_code == 400
    error = answer.json()["data"]["errors"][0][0]["errors"][0]
    assert error == {
        "errorMessage": "Not this one",
        "errorCode": "GSOBJ_1008",
        "fieldName": "Name",
        "invalidValue": "Poison",
    }
    assert api.tenant.count("company") == 0
    assert api.insert("CG_NPS_Response__gc", {"responseId__gc": "Poison"}).status_code == 200


def test_hidden_rule_for_people(api: Api) -> None:
    api.tenant.faults.rules.append(ServerRule("person", "FirstName", "Poison"))
    assert api.person(Email="a@b.example", FirstName="Poison").status_code == 400
    assert api.person(Email="a@b.example", FirstName="Ada").status_code == 200


def test_faults_and_rules_in_the_config(open_tenant: OpenTenant) -> None:
    api = open_tenant(
        faults=[{"kind": "latency", "seconds": [0.01, 0.02], "method": "PUT"}],
        rules=[{"object": "company", "field": "Name", "value": "Poison", "code": "GSOBJ_9999"}],
        fault_seed=7,
    )
    assert api.insert("Company", {"Name": "Poison"}).json()["errorCode"] == "GSOBJ_9999"
    assert api.person(Email="a@b.example").status_code == 200
    assert api.tenant.faults.fired == {"latency": 1}
