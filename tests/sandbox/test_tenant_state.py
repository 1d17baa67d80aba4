"""The tenant itself: its file, its helpers, its call log, objects made on first use."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

from target_gainsight.sandbox import TenantFile
from target_gainsight.sandbox.storage import calls


def _log(api: Api) -> list[Any]:
    return [(call.method, call.kind, call.records, call.status) for call in api.tenant.calls()]


def test_rows_survive_restart(open_tenant: OpenTenant) -> None:
    first = open_tenant()
    first.inserted("Company", {"Name": "Acme", "Stage": "Launched", "Tags": ["Pilot"]})
    before = first.tenant.rows("company")
    first.running.stop()
    assert open_tenant().tenant.rows("company") == before


def test_users_are_seeded_once(open_tenant: OpenTenant) -> None:
    users = [{"Name": "Ada", "Email": "ada@x.example"}]
    open_tenant(users=users).running.stop()
    again = open_tenant(users=[*users, {"Name": "Ben", "Email": "ben@x.example"}])
    assert [row["Name"] for row in again.tenant.rows("gsuser")] == ["Ada", "Ben"]


def test_three_users_when_none_are_named(api: Api) -> None:
    emails = [row["Email"] for row in api.tenant.rows("gsuser")]
    assert len(emails) == 3
    assert all(email.endswith(".example") for email in emails)


def test_rows_of_the_config_fill_an_empty_object_once(open_tenant: OpenTenant) -> None:
    rows = {"Company": [{"Name": "Acme", "Stage": "Churn"}], "person": [{"Email": "a@b.example"}]}
    first = open_tenant(rows=rows)
    first.call("DELETE", f"/v1/data/objects/company/{first.tenant.rows('company')[0]['Gsid']}")
    first.inserted("Company", {"Name": "Other"})
    first.running.stop()
    again = open_tenant(rows=rows)
    assert [row["Name"] for row in again.tenant.rows("company")] == ["Other"]
    assert again.tenant.count("person") == 1


def test_fields_and_objects_that_the_file_holds_stay(open_tenant: OpenTenant) -> None:
    objects = {
        "company": {"fields": {"Old__gc": {"type": "NUMBER"}}},
        "Gone__gc": {"fields": {"x__gc": {}}},
    }
    first = open_tenant(objects=objects)
    first.inserted("Company", {"Name": "A", "Old__gc": 1})
    first.inserted("Gone__gc", {"x__gc": "kept"})
    first.running.stop()
    changed = {"company": {"fields": {"New__gc": {"type": "BOOLEAN"}}}}
    again = open_tenant(objects=changed)
    again.update("Company", "Name", {"Name": "A", "New__gc": True})
    row = again.tenant.rows("company")[0]
    assert (row["Old__gc"], row["New__gc"]) == (1, True)
    assert again.tenant.rows("Gone__gc")[0]["x__gc"] == "kept"


def test_rows_are_shown_as_a_person_reads_them(api: Api) -> None:
    api.inserted(
        "Types__gc",
        {
            "needed__gc": "n",
            "choice__gc": "Red",
            "choices__gc": ["A", "C"],
            "day__gc": "01-31-2026",
            "moment__gc": "2026-01-31T10:00:00Z",
            "flag__gc": False,
            "json__gc": [1],
        },
    )
    row = api.tenant.rows("types__GC")[0]
    names = ("choice__gc", "choices__gc", "day__gc", "moment__gc", "flag__gc", "json__gc")
    assert [row[name] for name in names] == [
        "Red",
        ["A", "C"],
        "2026-01-31",
        "2026-01-31T10:00:00.000Z",
        False,
        [1],
    ]
    assert row["number__gc"] is None


def test_rows_are_filtered_by_what_is_shown(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "Stage": "Launched"}, {"Name": "B"})
    assert [row["Name"] for row in api.tenant.rows("company", Stage="Launched")] == ["A"]
    assert [row["Name"] for row in api.tenant.rows("company", Stage=None)] == ["B"]
    assert api.tenant.rows("company", Stage="Launched", Name="B") == []
    with pytest.raises(ValueError, match="Nope"):
        api.tenant.rows("company", Nope=1)


def test_seeding_passes_by_limits_and_rules(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 1})
    gsid = "1P02" + "0" * 32
    assert api.tenant.seed("company", [{"Name": "A", "Nps": 9, "Gsid": gsid}, {"ARR": 1}])[0] == (
        gsid
    )
    api.tenant.seed("Usage__gc", ({"day__gc": "2026-01-31"} for _ in range(20_001)))
    assert api.tenant.count("Usage__gc") == 20_001
    assert [row["Nps"] for row in api.tenant.rows("company")] == [9, None]
    assert api.tenant.calls() == []


def test_helpers_name_the_objects_when_one_is_unknown(api: Api) -> None:
    for ask in (api.tenant.rows, api.tenant.count, lambda name: api.tenant.seed(name, [])):
        with pytest.raises(ValueError, match=r"no object 'Nope'; it has .*company"):
            ask("Nope")


@pytest.mark.parametrize("row", [{"Nope": 1}, {"Stage": "Nope"}])
def test_seeding_says_what_is_wrong(api: Api, row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Nope"):
        api.tenant.seed("company", [row])


def test_calls_are_logged(api: Api) -> None:
    api.inserted("Company", {"Name": "A"}, {"Name": "B"})
    api.insert("Company", {"Nope": 1})
    api.update("Company", "Name", {"Name": "A", "ARR": 1})
    api.found("Company", ["Name"])
    api.person(Email="a@b.example")
    api.call("GET", "/v1/meta/services/objects/Company/describe")
    api.call("GET", "/nowhere")
    assert _log(api) == [
        ("POST", "insert", 2, 200),
        ("POST", "insert", 0, 400),
        ("PUT", "update", 1, 200),
        ("POST", "query", 2, 200),
        ("PUT", "person", 1, 200),
        ("GET", "describe", 0, 200),
        ("GET", "unknown", 0, 404),
    ]
    call = api.tenant.calls(method="PUT", path_contains="/objects/company")[0]
    assert call.path == "/v1/data/objects/Company?keys=Name"
    assert call.at == api.clock.now
    assert '"ARR": 1' in call.request
    assert '"result":true' in call.answer
    assert api.tenant.calls()[1].code == "GSOBJ_1002"


def test_log_can_be_emptied(api: Api) -> None:
    api.found("Company", ["Name"])
    api.tenant.reset_calls()
    assert api.tenant.calls() == []


def test_bodies_in_the_log_are_bounded(api: Api) -> None:
    api.inserted("Company", {"Name": "A", "Summary": "ü" * 10_000})
    call = api.tenant.calls()[0]
    assert len(call.request) == len(call.answer) == calls.BODY_CHARACTERS


def test_log_is_bounded(api: Api) -> None:
    log = calls.CallLog(api.tenant.store, kept_calls=10, kept_bodies=3, trim_every=5)
    for number in range(15):
        log.add(calls.Call(number, "GET", "/", "read", 0, 200, None, 1.0, "", "{}"))
    kept = api.tenant.calls()
    assert len(kept) == 10
    assert [call.answer is not None for call in kept] == [False] * 7 + [True] * 3


def test_file_can_be_read_while_the_tenant_runs(api: Api) -> None:
    api.inserted("Company", {"Name": "A"})
    with TenantFile(api.tenant.store.path) as file:
        assert file.counts()["company"] == 1
        api.inserted("Company", {"Name": "B"})
        assert [row["Name"] for row in file.rows("COMPANY", 10)] == ["A", "B"]
        assert file.find("nope") is None
        assert file.rows("nope", 10) == []


def test_concurrent_calls_each_count_once(open_tenant: OpenTenant) -> None:
    api = open_tenant(limits={"calls_per_minute": 60})
    statuses = []

    def call(number: Any) -> None:
        body = {"records": [{"Name": f"C{number}"}]}
        url = f"{api.running.base_url}/v1/data/objects/Company"
        for _ in range(10):
            answer = requests.post(url, json=body, headers={"accesskey": "sandbox"}, timeout=60)
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 60 + [429] * 20
    assert api.tenant.count("company") == 60


def test_auto_create_makes_objects_and_fields_on_first_write(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True)
    assert api.found("New__gc", ["Gsid", "x__gc"], ("x__gc", "IN", ["a"])) == []
    api.inserted("New__gc", {"x__gc": "a", "n": 1.5, "b": True, "later": None})
    api.inserted("new__gc", {"x__gc": "b", "later": "now"})
    rows = api.tenant.rows("New__gc")
    assert [(row["x__gc"], row["n"], row["b"], row["later"]) for row in rows] == [
        ("a", 1.5, True, None),
        ("b", None, None, "now"),
    ]
    assert api.found("New__gc", ["x__gc", "never"], ("never", "EQ", [1])) == []
    assert api.found("New__gc", ["n"], ("x__gc", "EQ", ["a"]), ("b", "EQ", [True])) == [{"n": 1.5}]


@pytest.mark.parametrize("name", ["plain", "a.b.c", 'quo"te', "back\\slash", "line\nend", "é", ""])
def test_auto_create_returns_fields_that_no_row_has(open_tenant: OpenTenant, name: str) -> None:
    api = open_tenant(auto_create=True)
    api.inserted("Company", {"Name": "Initech"})
    assert api.found("Company", ["Name", name]) == [{"Name": "Initech", name: None}]


def test_auto_create_widens_declared_objects_and_people(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True)
    api.inserted("Company", {"Name": "A", "Extra__gc": 7})
    api.person(Email="a@b.example", Extra__gc="x")
    assert api.tenant.rows("company")[0]["Extra__gc"] == 7
    assert api.tenant.rows("person")[0]["Extra__gc"] == "x"


def test_auto_create_makes_no_field_of_lookup_column(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True)
    lookups = {"Csm": {"fields": {"mail": "Email"}, "objectName": "gsuser"}}
    ada = api.tenant.rows("gsuser")[0]
    api.insert("Company", {"Name": "A", "mail": ada["Email"]}, lookups=lookups)
    row = api.tenant.rows("company")[0]
    assert row["Csm"] == ada["Gsid"]
    assert "mail" not in row


def test_objects_made_on_first_use_cannot_be_described(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True)
    path = "/v1/meta/services/objects/New__gc/describe"
    assert api.call("GET", path).status_code == 400
    api.inserted("New__gc", {"x__gc": "a"})
    assert api.call("GET", path).status_code == 400
    assert api.call("GET", "/v1/meta/services/objects/company/describe").status_code == 200
    api.running.stop()
    assert open_tenant(auto_create=True).call("GET", path).status_code == 400


@pytest.mark.parametrize("value", [["a", "ü"], [1, None], {"a": 1}, []])
@pytest.mark.parametrize("before", [{}, {"x__gc": None}, {"x__gc": "text"}])
def test_guessed_field_takes_lists_and_objects_as_json_text(
    open_tenant: OpenTenant, before: dict[str, Any], value: Any
) -> None:
    api = open_tenant(auto_create=True)
    api.inserted("New__gc", {"id__gc": "0", **before}, {"id__gc": "1", "x__gc": value})
    held = {row["id__gc"]: row["x__gc"] for row in api.tenant.rows("New__gc")}
    assert json.loads(held["1"]) == value


def test_refused_first_write_can_be_corrected(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True)
    assert api.insert("New__gc", {"x__gc": "a"}, {"x__gc": 1}).status_code == 400
    assert api.insert("New__gc", {"x__gc": "a"}, {"x__gc": "1"}).status_code == 200
