"""Access to the page, its cost, and what it discloses."""

from __future__ import annotations

import pytest
import requests
from page_reading import open_page
from tenant_api import Api, OpenTenant

PAGES = ["/", "/rows?object=company", "/calls", "/page/style.css", "/page/icon.svg", "/favicon.ico"]
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", PAGES)
def test_page_needs_no_access_key(api: Api, path: str) -> None:
    assert requests.get(api.running.base_url + path, timeout=60).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/call?number=1", "/record?object=company&gsid=x"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_rebound_host_name_is_refused(api: Api, path: str, host: str) -> None:
    api.tenant.seed("company", [{"Name": "Acme"}])
    answer = requests.get(api.running.base_url + path, headers={"host": host}, timeout=60)
    assert answer.status_code == 403
    assert answer.text == "Host is not allowed"
    assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/rows?object=company", "/calls"])
def test_page_is_read_only(api: Api, method: str, path: str) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 404
    assert answer.json()["errorCode"] == "GS_APIG_1000"


@pytest.mark.parametrize("path", [*PAGES, "/rows?object=nothing", "/call?number=99"])
def test_policy_forbids_scripts_and_foreign_sources(api: Api, path: str) -> None:
    headers = requests.get(api.running.base_url + path, timeout=60).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/rows", "/calls", "/call", "/record", "/rows?object=x"])
def test_page_loads_own_stylesheet_and_icon_only(api: Api, path: str) -> None:
    api.query("company", select=["Name"])
    page = open_page(api, path)
    own = {"/page/style.css", "/page/icon.svg"}
    assert set(page.loaded) == own
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]


def test_looking_costs_no_quota_and_is_not_in_the_log(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1})
    for path in (*PAGES, "/rows?object=nothing", "/call?number=99"):
        open_page(api, path)
    assert api.tenant.calls() == []
    assert api.query("company", select=["Name"]).status_code == 200
    assert api.query("company", select=["Name"]).status_code == 429
    assert open_page(api).status == 200
    assert len(api.tenant.calls()) == 2


def test_faults_do_not_hit_the_page(open_tenant: OpenTenant) -> None:
    api = open_tenant(faults=[{"kind": "server_error"}])
    assert api.query("company", select=["Name"]).status_code == 500
    assert open_page(api).status == 200


def test_looking_changes_nothing_in_the_file(api: Api) -> None:
    api.tenant.seed("company", [{"Name": "Acme", "ARR": 1}])
    before = _schema(api)
    found = open_page(api, "/rows", object="company", field="Name", operator="is", text="Acme")
    assert found.column("Name") == ["Acme"]
    assert _schema(api) == before


def _schema(api: Api) -> list[object]:
    return api.tenant.store.rows("SELECT name, sql FROM sqlite_master ORDER BY name")


def test_failing_page_shows_no_internals(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        message = "secret inside"
        raise RuntimeError(message)

    monkeypatch.setattr("target_gainsight.sandbox.page.views.charts", fail)
    answer = requests.get(api.running.base_url, timeout=60)
    assert answer.status_code == 500
    assert answer.text == "The page failed"
    assert answer.headers["content-security-policy"] == POLICY
    assert "secret inside" in caplog.text
