"""Behavior that the target relies on and no sandbox switch simulates: exit status 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests_mock as mocking
from click.testing import CliRunner
from fake_clock import FakeClock

from target_gainsight.cli import main

HOST = "initech.us2.gainsightcloud.com"
NAMES = "/picklist/lite"
ITEM = "1I00" + "A" * 32
FIELDS = [
    {"fieldName": "Gsid", "dataType": "GSID"},
    {"fieldName": "Name", "dataType": "STRING"},
    {"fieldName": "RenewalDate", "dataType": "DATE"},
    {"fieldName": "Stage", "dataType": "PICKLIST", "options": [{"value": ITEM, "label": "New"}]},
]
DESCRIBED = [{"objectName": "company", "objectType": "STANDARD", "fields": FIELDS}]
COMPANY = {"Gsid": "1P02A", "Name": "Initech", "RenewalDate": "2027-02-28", "Stage": ITEM}
USERS = [
    {"Gsid": name, "Name": name, "Email": f"{name}@x.io", "CreatedDate": 1_767_268_800_000}
    for name in ("ada", "ben")
]


class ScriptedTenant:
    """Answers reads of one company and two users.

    Attributes:
        company: The row of the company.
        found: The rows that every filter finds.
        headers: Headers of every response.
        redirected: The end of the path of calls that are redirected.
        most_fields: The number of fields above which a query is refused.
        refused_operator: The operator that no filter may have.
    """

    def __init__(self) -> None:
        self.company: dict[str, Any] = dict(COMPANY)
        self.found: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}
        self.redirected = ""
        self.most_fields = 100
        self.refused_operator = ""

    def respond(self, request: Any, context: Any) -> dict[str, Any]:
        context.headers.update(self.headers)
        if self.redirected and request.path.endswith(self.redirected):
            context.status_code = 307
        if "/query/" in request.path and self._refuses(request.json()):
            context.status_code = 400
            return {"result": False, "errorCode": "Initech", "errorDesc": "Initech"}
        return {"result": True, "requestId": "r", "data": self._data(request)}

    def _refuses(self, query: Any) -> bool:
        conditions = query.get("where", {}).get("conditions", ())
        operators = {condition["operator"] for condition in conditions}
        return len(query["select"]) > self.most_fields or self.refused_operator in operators

    def _data(self, request: Any) -> Any:
        if request.path.endswith(NAMES):
            return {}
        if "/meta/" in request.path:
            return DESCRIBED
        if "where" in request.json():
            return self.found
        return {"company": [self.company], "gsuser": USERS}.get(request.path.split("/")[-1], [])


@pytest.fixture
def probed(
    tmp_path: Path, requests_mock: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[ScriptedTenant], tuple[int, dict[str, dict[str, str]]]]:
    """Probe a tenant; returns the exit status and the questions."""
    monkeypatch.setattr("target_gainsight.cli.tenant.Clock", FakeClock)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"domain": HOST, "access_key": "k3y"}))

    def probe(tenant: ScriptedTenant) -> tuple[int, dict[str, dict[str, str]]]:
        requests_mock.request(mocking.ANY, mocking.ANY, json=tenant.respond)
        result = CliRunner().invoke(main, ["probe", "--format", "json", "--config", str(config)])
        assert "initech" not in result.output.lower()
        return result.exit_code, json.loads(result.output)["questions"]

    return probe


def test_expected_tenant_exits_0(probed: Any) -> None:
    code, questions = probed(ScriptedTenant())
    assert code == 0
    assert questions["host"]["observed"] == "under gainsightcloud.com; redirected calls: none"
    assert questions["limit_headers"]["observed"] == "none"
    assert questions["date_read"]["position"] == "iso"


@pytest.mark.parametrize(
    ("question", "company"),
    [
        ("row_keys", {"id": "1P02A", "name": "Initech"}),
        ("row_fields", {"Gsid": "1P02A", "RenewalDate": "", "Stage": ""}),
        ("date_read", {**COMPANY, "RenewalDate": "28/02/2027"}),
        ("picklist_read", {**COMPANY, "Stage": "New"}),
    ],
)
def test_rows_that_no_load_can_read_are_not_handled(
    probed: Any, question: str, company: dict[str, Any]
) -> None:
    tenant = ScriptedTenant()
    tenant.company = company
    code, questions = probed(tenant)
    assert (code, questions[question]["verdict"]) == (1, "not handled")
    assert "position" not in questions[question]


def test_refused_filter_by_keys_is_not_handled(probed: Any) -> None:
    tenant = ScriptedTenant()
    tenant.refused_operator = "IN"
    code, questions = probed(tenant)
    assert (code, questions["query_max_values"]["verdict"]) == (1, "not handled")
    assert questions["no_rows"]["position"] == "list"


def test_ignored_filter_is_not_handled(probed: Any) -> None:
    tenant = ScriptedTenant()
    tenant.found = [dict(COMPANY)]
    code, questions = probed(tenant)
    assert (code, questions["filters_hold"]["verdict"]) == (1, "not handled")
    assert questions["ignores_wrong_filter"]["position"] is True


def test_redirected_call_is_not_handled(probed: Any) -> None:
    tenant = ScriptedTenant()
    tenant.headers, tenant.redirected = {"Location": "https://initech.example/"}, NAMES
    code, questions = probed(tenant)
    assert (code, questions["host"]["verdict"]) == (1, "not handled")
    assert "redirected calls: cta names" in questions["host"]["observed"]


def test_fewer_fields_are_read_if_all_are_refused(probed: Any) -> None:
    tenant = ScriptedTenant()
    tenant.most_fields = len(FIELDS) - 1
    tenant.company = {"Gsid": "1P02A", "Name": "Initech"}
    _, questions = probed(tenant)
    assert questions["reads_company"]["verdict"] == "as assumed"
    refusal = "a query for all fields is refused"
    assert questions["unreadable_field"]["observed"] == f"open: {refusal}"


def test_interrupted_probe_exits_130(probed: Any, requests_mock: Any, tmp_path: Path) -> None:
    requests_mock.request(mocking.ANY, mocking.ANY, exc=KeyboardInterrupt)
    result = CliRunner().invoke(main, ["probe", "--config", str(tmp_path / "config.json")])
    assert (result.exit_code, result.output) == (130, "Stopped; nothing was written.\n")


def test_numbers_of_limit_headers_are_shown(probed: Any) -> None:
    tenant = ScriptedTenant()
    tenant.headers = {
        "X-RateLimit-Remaining": "97",
        "X-RateLimit-Policy": "initech",
        "X-Initech-Quota": "5",
        "Via": "initech",
    }
    code, questions = probed(tenant)
    assert code == 0
    shown = "x-ratelimit-policy, x-ratelimit-remaining: 97"
    assert questions["limit_headers"]["observed"] == shown


def test_filter_that_matches_nothing_has_no_position(probed: Any) -> None:
    code, questions = probed(ScriptedTenant())
    assert code == 0
    assert questions["ignores_wrong_filter"]["observed"] == "0 rows, HTTP 200"
    assert "position" not in questions["ignores_wrong_filter"]
