"""`gainsight probe`: reads only, its exit status, and a profile without the tenant's values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from commands import Commands

from target_gainsight.sandbox import Fault

MARK = "xq7"
QUESTIONS = 35
MARKED_TENANT: dict[str, Any] = {
    "access_key": f"key-{MARK}",
    "client_id": f"client-{MARK}",
    "client_secret": f"secret-{MARK}",
    "users": [
        {"Name": f"Ada {MARK}", "Email": f"ada.{MARK}@{MARK}.example"},
        {"Name": f"Ben {MARK}", "Email": f"ben.{MARK}@{MARK}.example"},
    ],
    "objects": {
        f"{MARK}__gc": {"label": MARK, "fields": {f"Code{MARK}__gc": {"type": "STRING"}}},
        "Company": {
            "fields": {
                f"Field{MARK}__gc": {"type": "STRING", "label": MARK},
                f"Pick{MARK}__gc": {"type": "PICKLIST", "options": [f"Item {MARK}"]},
            }
        },
    },
    "rows": {
        "company": [
            {
                "Name": f"Company {MARK}",
                "Summary": MARK,
                "RenewalDate": "2027-02-28",
                f"Field{MARK}__gc": MARK,
                f"Pick{MARK}__gc": f"Item {MARK}",
            }
        ],
        "person": [{"Email": f"p.{MARK}@{MARK}.example", "FirstName": MARK}],
        "activity_type": [{"Name": MARK}],
        "activity_timeline": [{"ExternalId": MARK, "Subject": MARK}],
        "call_to_action": [{"Name": MARK}],
        f"{MARK}__gc": [{f"Code{MARK}__gc": MARK}],
    },
}


def probe(commands: Commands, **settings: Any) -> Result:
    return commands.run("probe", "--format", "json", "--config", commands.config(**settings))


def verdicts(result: Result) -> dict[str, str]:
    questions = json.loads(result.output)["questions"]
    return {name: question["verdict"] for name, question in questions.items()}


def tables(commands: Commands) -> dict[str, list[dict[str, Any]]]:
    tenant = commands.sandbox.tenant
    return {model.name: tenant.rows(model.name) for model in tenant.objects()}


def test_probe_reads_only_and_exits_0(start_probed: Callable[..., Commands]) -> None:
    commands = start_probed(**MARKED_TENANT)
    before = tables(commands)
    result = commands.run("probe", "--config", commands.config())
    assert result.exit_code == 0, result.output
    calls = commands.sandbox.tenant.calls()
    assert len(calls) <= 20
    assert {call.kind for call in calls} <= {"list", "describe", "dropdown", "query", "cta names"}
    assert tables(commands) == before
    assert f"{len(calls)} calls, all of them reads; nothing was written." in result.output
    assert re.search(
        r"no_rows .* an empty list in `data.records` .* reads all forms", result.output
    )


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"unreadable_field": f"Field{MARK}__gc", "no_rows": "no_data_400"},
        {"picklist_options": "by_category", "timeline_query": "refused"},
        {"query_max_values": 1, "row_keys": "upper"},
    ],
)
def test_profile_has_no_values_names_host_or_secret(
    start_probed: Callable[..., Commands], switches: dict[str, Any]
) -> None:
    commands = start_probed(**MARKED_TENANT, switches=switches)
    result = probe(commands)
    assert MARK not in result.output.lower()
    assert commands.sandbox.base_url.rpartition("/")[2] not in result.output
    assert "127.0.0.1" not in result.output
    for row in (row for rows in tables(commands).values() for row in rows):
        assert row["Gsid"] not in result.output


def test_profile_of_oauth_client_has_no_secret(start_probed: Callable[..., Commands]) -> None:
    commands = start_probed(**MARKED_TENANT)
    client = {name: MARKED_TENANT[name] for name in ("client_id", "client_secret")}
    result = probe(commands, access_key=None, **client)
    assert verdicts(result)["credential"] == "as assumed"
    assert MARK not in result.output.lower()


def test_table_names_unreadable_custom_field(start_probed: Callable[..., Commands]) -> None:
    field = f"Field{MARK}__gc"
    commands = start_probed(**MARKED_TENANT, switches={"unreadable_field": field})
    output = commands.run("probe", "--config", commands.config()).output
    assert f"writes without comparing: {field}" in output


def test_refused_credential_ends_the_probe_with_advice(
    start_probed: Callable[..., Commands],
) -> None:
    commands = start_probed()
    result = probe(commands, access_key="wrong-key")
    assert result.exit_code == 1
    assert "Check that access_key is the tenant's current key" in result.output
    assert len(commands.sandbox.tenant.calls()) == 1


def test_unreachable_host_ends_the_probe_with_advice(
    start_probed: Callable[..., Commands],
) -> None:
    result = probe(start_probed(), base_url="http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "Check the domain" in result.output


def test_tenant_that_refuses_every_call_ends_the_probe(
    start_probed: Callable[..., Commands],
) -> None:
    commands = start_probed(
        faults=[{"kind": "server_error", "path": "*"}],
    )
    result = probe(commands)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: Gainsight did not serve this call")
    assert len(commands.sandbox.tenant.calls()) <= 20


def test_unreadable_people_are_relied_on(start_probed: Callable[..., Commands]) -> None:
    commands = start_probed(switches={"query_error_object": "person"})
    result = probe(commands)
    assert verdicts(result)["reads_person"] == "not handled"
    assert result.exit_code == 1


FAULTS = [
    ("wrong_shape", "*/describe"),
    ("server_error", "*/query/gsuser"),
    ("html_body", "*/query/company"),
    ("wrong_shape", "*/query/company"),
    ("cut_json", "*/picklist/lite"),
    ("empty_body", "*/objects/list"),
    ("wrong_shape", "*/query/*"),
]


@pytest.mark.parametrize(("kind", "path"), FAULTS, ids=[" ".join(each) for each in FAULTS])
def test_failing_question_does_not_end_the_others(
    start_probed: Callable[..., Commands], kind: str, path: str
) -> None:
    commands = start_probed(**MARKED_TENANT)
    commands.sandbox.tenant.faults.add(Fault(kind, path=path))
    seen = verdicts(probe(commands))
    assert len(seen) == QUESTIONS
    assert seen["cta_names"] != "open" or path == "*/picklist/lite"
    assert len(commands.sandbox.tenant.calls()) <= 20
