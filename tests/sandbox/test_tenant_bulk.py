"""Bulk jobs of the tenant: accepted and refused files, and the rows they load."""

from __future__ import annotations

from typing import Any

import pytest
from tenant_api import Api, OpenTenant

from target_gainsight.sandbox import SandboxConfigError
from target_gainsight.sandbox.config.config import load_config

BULK = "/v1.0/admin/connector/job/bulkimport"
JOBS = {
    "up": {
        "object": "company",
        "operation": "upsert",
        "keys": ["Name"],
        "columns": {"Account": "Name", "Staff": "Employees", "Renews": "RenewalDate"},
    },
    "change": {"object": "company", "operation": "update", "keys": ["Name"]},
    "add": {"object": "company", "operation": "insert"},
    "linked": {
        "object": "company",
        "operation": "insert",
        "columns": {"Name": "Name"},
        "lookups": {
            "ParentCompany": {
                "objectName": "company",
                "fields": {"parent": "Name"},
                "onNoMatch": "ERROR",
                "multiMatchOption": "FIRSTMATCH",
            }
        },
    },
}


def opened(open_tenant: OpenTenant, **described: Any) -> Api:
    return open_tenant(bulk_jobs=JOBS, **described)


def upload(api: Api, job: str, text: str | bytes) -> Any:
    content = text.encode() if isinstance(text, str) else text
    url = api.running.base_url + BULK
    form = {"jobId": (None, job), "file": ("rows.csv", content, "text/csv")}
    return api.session.post(url, files=form, timeout=60)


def status(api: Api, status_id: str) -> Any:
    return api.call("GET", f"{BULK}/status/{status_id}").json()["data"]


def loaded(api: Api, job: str, text: str) -> tuple[int, int]:
    """Upload and ask until it is done: succeeded and failed."""
    status_id = upload(api, job, text).json()["data"]["statusId"]
    found = [status(api, status_id) for _ in range(3)][-1]
    assert found["status"] == "COMPLETED"
    return found["successCount"], found["failureCount"]


def test_job_loads_rows_on_completion(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    answer = upload(api, "up", "Account,Staff\r\nInitech,7\r\n").json()
    assert answer["result"] is True
    status_id = answer["data"]["statusId"]
    states = [status(api, status_id)["status"] for _ in range(2)]
    assert states == ["INIT", "IN_PROGRESS"]
    assert api.tenant.count("company") == 0
    for _ in range(2):
        done = {"status": "COMPLETED", "successCount": 1, "failureCount": 0}
        assert status(api, status_id) == done
    assert [row["Employees"] for row in api.tenant.rows("company", Name="Initech")] == [7]


def test_job_takes_configured_seconds(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant, switches={"bulk_seconds": 90.0, "bulk_questions": 0})
    status_id = upload(api, "add", "Name\nInitech\n").json()["data"]["statusId"]
    assert status(api, status_id)["status"] == "INIT"
    api.clock.now += 90
    assert status(api, status_id)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("job", "text", "code", "message"),
    [
        ("up", "Account,Staff\r\n", "GS_7571", "No data"),
        ("up", "", "GS_7571", "No data"),
        ("nobody's", "Account\nA\n", "GS_7500", "not found"),
        ("up", "Account,Color\nA,red\n", "GS_7500", "header"),
        ("up", "Account,Account\nA,B\n", "GS_7500", "header"),
        ("up", b"Account\n\xff\n", "GS_7500", "not a CSV in UTF-8"),
        ("up", b"Account\nA\nB\nC\0\n", "GS_7500", "it contains NUL"),
    ],
)
def test_refused_file_has_status_200(
    open_tenant: OpenTenant, job: str, text: str | bytes, code: str, message: str
) -> None:
    api = opened(open_tenant, limits={"bulk_file_bytes": 100})
    answer = upload(api, job, text)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["result"], body["errorCode"]) == (False, code)
    assert message in body["errorDesc"]


@pytest.mark.parametrize(("switch", "media_type"), [("page", "text/html"), ("envelope", "json")])
def test_file_too_large_is_answered_with_status_413(
    open_tenant: OpenTenant, switch: str, media_type: str
) -> None:
    limits = {"bulk_file_bytes": 100}
    api = opened(open_tenant, limits=limits, switches={"bulk_too_large": switch})
    answer = upload(api, "up", "Account\n" + "A" * 100)
    assert answer.status_code == 413
    assert media_type in answer.headers["content-type"]
    assert upload(api, "up", "Account\nA\n").status_code == 200


def test_upsert_updates_and_inserts(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    api.tenant.seed("company", [{"Name": "Initech", "Employees": 1}])
    text = 'Account,Staff,Renews\nInitech,7,\n"Globex, Inc",8,02-01-2026\nInitech,9,2026-03-01\n'
    assert loaded(api, "up", text) == (3, 0)
    rows = api.tenant.rows("company")
    assert [(row["Name"], row["Employees"], row["RenewalDate"]) for row in rows] == [
        ("Initech", 9, "2026-03-01"),
        ("Globex, Inc", 8, "2026-02-01"),
    ]


def test_rows_that_are_not_right_fail_alone(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    text = "Account,Staff\nA,many\n,5\nB,3\n"
    assert loaded(api, "up", text) == (1, 2)
    assert [row["Name"] for row in api.tenant.rows("company")] == ["B"]


def test_update_fails_for_missing_rows(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    api.tenant.seed("company", [{"Name": "Initech"}])
    assert loaded(api, "change", "Name,Employees\nInitech,7\nGlobex,8\n") == (1, 1)
    assert api.tenant.count("company") == 1


def test_insert_creates_duplicates(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    assert loaded(api, "add", "Name\nInitech\nInitech\n") == (2, 0)


def test_lookups_of_job_resolve(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    [gsid] = api.tenant.seed("company", [{"Name": "Initech"}])
    assert loaded(api, "linked", "Name,parent\nInitech East,Initech\nStray,Nobody\n") == (1, 1)
    assert api.tenant.rows("company", Name="Initech East")[0]["ParentCompany"] == gsid


def test_unknown_status_is_refused(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    assert api.call("GET", f"{BULK}/status/none").json()["result"] is False


def test_accepted_file_survives_restart(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant)
    status_id = upload(api, "add", "Name\nInitech\n").json()["data"]["statusId"]
    status(api, status_id)
    again = opened(open_tenant)
    assert [status(again, status_id)["status"] for _ in range(2)] == ["IN_PROGRESS", "COMPLETED"]
    assert again.tenant.count("company") == 1


def test_uploads_are_limited_hourly_and_polls_per_minute(open_tenant: OpenTenant) -> None:
    api = opened(open_tenant, limits={"bulk_calls_per_hour": 1})
    status_id = upload(api, "add", "Name\nInitech\n").json()["data"]["statusId"]
    assert upload(api, "add", "Name\nInitech\n").status_code == 429
    assert status(api, status_id)["status"] == "INIT"


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"object": "compny"}, "did you mean company"),
        ({"object": "company"}, "needs some"),
        ({"object": "company", "operation": "insert", "keys": ["Name"]}, "an insert has none"),
        ({"object": "company", "operation": "replace", "keys": ["Name"]}, "unknown value"),
        ({"object": "company", "keys": ["Nmae"]}, "did you mean Name"),
        ({"object": "company", "keys": "Name"}, "a list is wanted"),
        ({"object": "company", "key": ["Name"]}, "unknown key 'key'"),
    ],
)
def test_wrongly_described_job_is_refused(job: dict[str, Any], message: str) -> None:
    with pytest.raises(SandboxConfigError, match=message):
        load_config({"bulk_jobs": {"j": job}})
