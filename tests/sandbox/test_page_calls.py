"""The page's calls and its chart of their rate."""

from __future__ import annotations

import pytest
from page_reading import Page, open_page
from tenant_api import Api, OpenTenant

from target_gainsight.sandbox import Call

_HOSTILE = "</code></pre><script>alert(1)</script>"
_MINUTE = 60.0


def _log(api: Api, **given: object) -> None:
    plain = {
        "at": api.clock(),
        "method": "POST",
        "path": "/v1/x",
        "kind": "query",
        "records": 0,
        "status": 200,
        "code": None,
        "milliseconds": 1.0,
    }
    api.tenant.record(Call(**{**plain, **given}))  # type: ignore[arg-type]


def _first_call(api: Api, **query: str) -> Page:
    calls = open_page(api, "/calls", **query)
    return open_page(api, next(each for each in calls.links.values() if "/call?" in each))


def test_latest_calls_come_first_with_request_and_response(api: Api) -> None:
    api.insert("Company", {"Name": "Acme"})
    api.update("Company", "Name", {"Name": "Nobody", "ARR": 1})
    page = open_page(api, "/calls")
    assert page.column("Call") == [
        "PUT /v1/data/objects/Company?keys=Name",
        "POST /v1/data/objects/Company",
    ]
    assert page.column("Answer") == ["400 GSOBJ_1011", "200"]
    assert page.column("At") == ["2026-05-28 20:27:00.000"] * 2
    assert page.column("Records")[1] == "1"
    call = open_page(api, page.links["POST /v1/data/objects/Company"])
    assert '"Name": "Acme"' in call.html.replace("&#34;", '"')
    assert '"result": true' in call.html.replace("&#34;", '"')


def test_overview_shows_ten_latest_calls(api: Api) -> None:
    for number in range(12):
        _log(api, path=f"/v1/{number}")
    page = open_page(api)
    assert page.column("Call", table=-1) == [f"POST /v1/{number}" for number in range(11, 1, -1)]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ({"kind": "insert"}, ["/a"]),
        ({"text": "/B"}, ["/b"]),
        ({"outcome": "ok"}, ["/a"]),
        ({"outcome": "refused"}, ["/reset", "/late", "/b"]),
        ({"outcome": "throttled"}, ["/late"]),
        ({"outcome": "nonsense", "kind": "' OR 1=1"}, []),
        ({}, ["/reset", "/late", "/b", "/a"]),
    ],
)
def test_calls_are_filtered(api: Api, query: dict[str, str], paths: list[str]) -> None:
    _log(api, path="/a", kind="insert")
    _log(api, path="/b", status=400, code="GSOBJ_1002")
    _log(api, path="/late", status=429, code="GU_2400")
    _log(api, path="/reset", status=None)
    page = open_page(api, "/calls", **query)
    found = page.column("Call") if page.tables else []
    assert found == [f"POST {path}" for path in paths]


def test_reset_connection_is_named(api: Api) -> None:
    _log(api, status=None)
    assert open_page(api, "/calls").column("Answer") == ["connection reset"]


def test_older_calls_are_a_link_away_with_the_filters_kept(api: Api) -> None:
    for number in range(230):
        _log(api, path=f"/{number}", kind="insert" if number % 2 else "query")
    seen: list[str] = []
    page = open_page(api, "/calls", kind="insert")
    while True:
        seen += page.column("Call")
        if "Older" not in page.links:
            break
        page = open_page(api, page.links["Older"])
    assert seen == [f"POST /{number}" for number in range(229, 0, -2)]
    assert open_page(api, page.links["Latest"]).column("Call")[0] == "POST /229"


@pytest.mark.parametrize("number", ["", "x", "0", "999", "-1", "9" * 30])
def test_call_missing_in_log_is_reported(api: Api, number: str) -> None:
    page = open_page(api, "/call", number=number)
    assert page.status == 404
    assert "The log does not have this call" in page.text


def test_dropped_bodies_are_reported(api: Api) -> None:
    _log(api)
    assert _first_call(api).text.count("Not kept any more") == 2


def test_markup_in_paths_and_bodies_is_text(api: Api) -> None:
    api.call("POST", f"/v1/data/objects/{_HOSTILE}?{_HOSTILE}", {"records": [{"a": _HOSTILE}]})
    _log(api, path=_HOSTILE, kind=_HOSTILE, code=_HOSTILE, method=_HOSTILE, answer=_HOSTILE)
    for page in (open_page(api), open_page(api, "/calls"), _first_call(api)):
        assert "script" not in page.tags
        assert _HOSTILE in page.text


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token":"hunter2!","token_type":"Bearer"}',
        '{"client_secret": "hunter2!',
        '{"a": {"AccessKey" : "hunter2!"}}',
        '{"password":"a\\"hunter2!"}',
        "grant_type=client_credentials&client_secret=hunter2!&x=1",
        '{"note": "Authorization: Basic aHVudGVyMg==hunter2!"}',
        '["Bearer eyJhbGciOi.hunter2!"]',
        '{"note": "the key of the tenant is hunter2!"}',
    ],
)
def test_secret_in_body_is_hidden(open_tenant: OpenTenant, body: str) -> None:
    api = open_tenant(access_key="hunter2!")
    _log(api, path="/v1/x?access_key=hunter2!", request=body, answer=body)
    for page in (open_page(api), open_page(api, "/calls"), _first_call(api)):
        assert "hunter2" not in page.html
        assert "•••" in page.text


def test_access_key_is_not_on_page(open_tenant: OpenTenant) -> None:
    api = open_tenant(access_key="f00dcafe-key")
    api.insert("Company", {"Name": "f00dcafe-key"})
    for page in (open_page(api), open_page(api, "/calls"), _first_call(api)):
        assert "f00dcafe" not in page.html


def test_token_call_is_listed_without_token_or_secret(open_tenant: OpenTenant) -> None:
    api = open_tenant(client_id="mine", client_secret="n0t-to-be-seen")
    answer = api.session.post(
        f"{api.running.base_url}/v1/users/m2m/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=("mine", "n0t-to-be-seen"),
        headers={"accesskey": None},
        timeout=60,
    )
    assert answer.status_code == 200
    api.insert("Company", {"Name": "n0t-to-be-seen"})
    for page in (open_page(api), open_page(api, "/calls", kind="token"), _first_call(api)):
        assert answer.json()["access_token"] not in page.html
        assert "n0t-to-be-seen" not in page.html
    assert open_page(api, "/calls", kind="token").column("Kind") == ["token"]


def test_limits_are_shown_with_usage(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 2, "calls_per_day": 0})
    for _ in range(3):
        api.query("company", select=["Name"])
    page = open_page(api)
    assert "synchronous, this minute 2 of 2 calls" in page.text
    assert "synchronous, this day 2 calls, unlimited" in page.text
    api.clock.now += _MINUTE
    assert "synchronous, this minute 0 of 2 calls" in open_page(api).text


def test_rate_is_drawn_by_minute_against_limit(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 2})
    for calls in (1, 0, 3):
        for _ in range(calls):
            api.query("company", select=["Name"])
        api.clock.now += _MINUTE
    page = open_page(api)
    assert page.tables[2] == [  # below the two of the objects
        ["From", "Within the limit", "Above it"],
        ["20:27", "1", "0"],
        ["20:29", "2", "1"],
    ]
    assert "Calls per minute, synchronous: at most 3 in one, the limit is 2" in page.text
    assert "20:29: 2 within the limit, 1 above it" in page.html
    assert page.html.count('<line class="limit"') == 1
    assert page.html.count('<rect class="served" x=') == 2


def test_calls_that_never_reached_a_limit_are_not_in_the_rate(api: Api) -> None:
    api.call("GET", "/v1/meta/services/objects/list", headers={"accesskey": "wrong"})
    api.call("GET", "/v1/meta/services/objects/list", headers={"host": "evil.example"})
    assert "No call has come yet." in open_page(api).text


def test_unlimited_tenant_has_chart_without_limit_line(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 0})
    api.query("company", select=["Name"])
    page = open_page(api)
    assert "no limit" in page.text
    assert '<line class="limit"' not in page.html
    assert "above the limit" not in page.text


def test_old_rate_is_still_drawn(api: Api) -> None:
    api.query("company", select=["Name"])
    api.clock.now += 7 * 86_400
    assert open_page(api).tables[2][1:] == [["20:27", "1", "0"]]
