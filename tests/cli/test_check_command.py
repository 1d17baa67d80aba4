"""`gainsight check`: a line for each thing that can be known before a load, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from commands import Commands
from fake_clock import FakeClock

STREAMS: dict[str, Any] = {
    "accounts": {
        "object_type": "company",
        "lookup_keys": ["Name"],
        "field_mapping": {"renewal": "RenewalDate", "parent": "Summary"},
        "constants": {"Stage": "Launched"},
        "lookups": {"ParentCompany": {"object_name": "Company", "fields": {"up": "Name"}}},
    },
    "people": {
        "object_type": "person",
        "company_links": {"lookup": {"company": "Name"}, "fields": {"Title": "title"}},
    },
    "nps_*": {
        "custom_object_name": "Response__gc",
        "lookup_keys": ["Code__gc"],
        "lookups": {"Company__gc": {"object_name": "company", "fields": {"account": "Name"}}},
    },
}


def line(result: Result, beginning: str) -> str:
    """The one line about something, its mark first."""
    found = [each for each in result.output.splitlines() if each[3:].startswith(beginning + "  ")]
    assert len(found) == 1, result.output
    return found[0]


def test_right_settings_are_ticked_and_exit_0(commands: Commands) -> None:
    result = commands.check(streams=STREAMS)
    assert result.exit_code == 0, result.output
    for beginning, expected in {
        "tenant": "responds",
        "credential": "access_key is valid; 13 objects are visible",
        "stream accounts": "upsert into company",
        "stream accounts: lookup_keys": "Name",
        "stream accounts: field_mapping": "2 columns",
        "stream accounts: constants": "Stage",
        "stream accounts: lookups.ParentCompany": "Company by Name",
        "stream people: lookup_keys": "Email",
        "stream people: company_links": "Company by Name",
        "stream nps_*": "upsert into Response__gc",
        "stream nps_*: lookups.Company__gc": "company by Name",
    }.items():
        assert line(result, beginning).startswith("✓")
        assert expected in line(result, beginning)
    assert "✗" not in result.output
    assert "All checks passed." in result.output
    commands.asserts_only_metadata_was_read()


def test_each_object_is_described_once(commands: Commands) -> None:
    commands.check(streams=STREAMS)
    paths = [call.path.split("?")[0].lower() for call in commands.sandbox.tenant.calls()]
    assert len(paths) == len(set(paths))


def test_limits_of_every_api_in_use_are_shown(commands: Commands) -> None:
    responses = {"object_type": "timeline"}
    usage = {
        "object_type": "custom_object",
        "custom_object_name": "Usage__gc",
        "transport": "bulk",
        "bulk_job_id": "7f0c1c9e",
    }
    output = commands.check(object_type="company").output
    assert "uploads" not in output
    assert "Timeline" not in output
    output = commands.check(streams={"responses": responses, "usage": usage}).output
    assert "100 calls a minute and 50,000 a day; quota_percent 90 allows 90 and 45,000" in output
    assert "200 Timeline calls a minute; quota_percent 90 allows 180" in output
    assert "10 bulk uploads an hour and 100 a day; quota_percent 90 allows 9 and 90" in output


def test_configured_limits_and_allowed_rate_are_shown(commands: Commands) -> None:
    result = commands.check(
        object_type="company",
        calls_per_minute=200,
        calls_per_day=10_000,
        quota_percent=50,
        max_calls_per_run=500,
    )
    assert "200 calls a minute and 10,000 a day; quota_percent 50 allows 100 and 5,000" in (
        result.output
    )
    assert "at most 500 calls in a run" in result.output


@pytest.mark.parametrize(
    ("entry", "beginning", "expected"),
    [
        (
            {"custom_object_name": "Response"},
            "stream s",
            "no object named 'Response'. Did you mean Response__gc?",
        ),
        (
            {"object_type": "company", "field_mapping": {"r": "renewal_date"}},
            "stream s: field_mapping",
            "company has no field renewal_date. Did you mean RenewalDate?",
        ),
        (
            {"object_type": "company", "field_mapping": {"i": "industry"}},
            "stream s: field_mapping",
            "Industry differs only in case.",
        ),
        (
            {"object_type": "company", "field_mapping": {"n": "Nps"}},
            "stream s: field_mapping",
            "Nps cannot be written",
        ),
        (
            {"object_type": "company", "constants": {"Stage": "Trial"}},
            "stream s: constants",
            "is an inactive item",
        ),
        (
            {"object_type": "company", "lookup_keys": ["Stage"]},
            "stream s: lookup_keys",
            "a key is a String, GSID, Number or Email",
        ),
        (
            {
                "object_type": "company",
                "lookups": {"parent_company": {"object_name": "Company", "fields": {"up": "Name"}}},
            },
            "stream s: lookups",
            "company has no field parent_company. Did you mean ParentCompany?",
        ),
        (
            {
                "object_type": "company",
                "lookups": {"Csm": {"object_name": "User", "fields": {"csm": "Email"}}},
            },
            "stream s: lookups.Csm",
            "no object named 'User'",
        ),
        (
            {
                "object_type": "company",
                "lookups": {"Csm": {"object_name": "gsuser", "fields": {"csm": "EMail"}}},
            },
            "stream s: lookups.Csm",
            "Email differs only in case.",
        ),
        (
            {"object_type": "person", "company_links": {"lookup": {"company": "Nane"}}},
            "stream s: company_links",
            "Did you mean Name?",
        ),
        (
            {
                "object_type": "person",
                "company_links": {"lookup": {"company": "Name"}, "fields": {"Titel": "t"}},
            },
            "stream s: company_links",
            "Did you mean Title?",
        ),
        ({"sync_mode": "insert"}, "stream s", "the entry names no object: set its object_type"),
    ],
)
def test_wrong_settings_are_crossed_with_a_suggestion_and_exit_1(
    commands: Commands, entry: dict[str, Any], beginning: str, expected: str
) -> None:
    result = commands.check(streams={"s": entry})
    assert result.exit_code == 1
    assert line(result, beginning).startswith("✗")
    assert expected in line(result, beginning)
    assert "1 check failed." in result.output
    commands.asserts_only_metadata_was_read()


def json_of(result: Result) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(result.stdout)
    return shown


def test_json_has_a_status_for_each_check_of_a_stream(commands: Commands) -> None:
    streams = {**STREAMS, "usage": {"custom_object_name": "Usage__gc", "lookup_keys": "Gsid"}}
    result = commands.run("check", "--format", "json", "--config", commands.config(streams=streams))
    shown = json_of(result)
    assert (result.exit_code, shown["ok"], shown["failed"]) == (0, True, 0)
    assert {"stream", "check", "status", "text", "suggestion"} == {*shown["checks"][0]}
    status = {(each["stream"], each["check"]): each["status"] for each in shown["checks"]}
    assert status[None, "credential"] == status["accounts", "lookups.ParentCompany"] == "ok"
    assert status["nps_*", "lookup_keys"] == "ok"
    assert status["usage", "object"] == "warning"
    commands.asserts_only_metadata_was_read()


def test_json_of_failed_checks_has_suggestions(commands: Commands) -> None:
    config = commands.config(object_type="company", field_mapping={"r": "renewal_date"})
    result = commands.run("check", "--format", "json", "--config", config)
    assert result.exit_code == 1
    [wrong] = [each for each in json_of(result)["checks"] if each["status"] == "error"]
    assert wrong == {
        "stream": "*",
        "check": "field_mapping",
        "status": "error",
        "text": "company has no field renewal_date. Did you mean RenewalDate?",
        "suggestion": "Did you mean RenewalDate?",
    }


def test_json_of_a_refused_credential_names_what_to_do(commands: Commands) -> None:
    config = commands.config(access_key="wrong-key", object_type="company")
    result = commands.run("check", "--format", "json", "--config", config)
    [wrong] = [each for each in json_of(result)["checks"] if each["status"] == "error"]
    assert wrong["check"] == "credential"
    assert wrong["suggestion"].startswith("Set access_key")
    assert "wrong-key" not in result.output


def test_deletes_are_shown_with_their_limit(commands: Commands) -> None:
    result = commands.check(object_type="company", deletes="delete", max_deletes=1500)
    assert result.exit_code == 0
    assert "delete, at most 1,500 rows in a run (max_deletes)" in result.output
    assert "deletes" not in commands.check(object_type="company").output


def test_every_wrong_name_has_its_own_line(commands: Commands) -> None:
    mapping = {"a": "renewal_date", "b": "industry", "c": "Employes"}
    result = commands.check(object_type="company", field_mapping=mapping)
    assert result.exit_code == 1
    crossed = [each for each in result.output.splitlines() if each.startswith("✗")]
    assert len(crossed) == 3
    assert all(each[3:].startswith("streams without an entry") for each in crossed)
    assert "3 checks failed." in result.output


def test_settings_that_route_nothing_are_wrong(commands: Commands) -> None:
    result = commands.check()
    assert result.exit_code == 1
    assert "set object_type, or add entries under streams" in line(result, "streams")


def test_wrong_credential_differs_from_unreachable_tenant(
    commands: Commands,
) -> None:
    result = commands.check(access_key="wrong-key", object_type="company")
    assert result.exit_code == 1
    assert line(result, "tenant").startswith("✓")
    assert line(result, "credential").startswith("✗")
    assert "stream" not in result.output.replace("streams", "")
    assert "wrong-key" not in result.output


def test_credential_in_use_is_named(commands: Commands) -> None:
    sandbox = commands.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    result = commands.check(access_key=None, object_type="company", **client)
    assert result.exit_code == 0
    named = line(result, "credential")
    assert "client_id and client_secret (M2M OAuth) are valid; 13 objects are visible" in named
    assert not any(secret in result.output for secret in client.values())


def test_refused_oauth_client_is_a_wrong_credential(commands: Commands) -> None:
    client = {"client_id": commands.sandbox.client_id, "client_secret": "wr0ng"}
    result = commands.check(access_key=None, object_type="company", **client)
    assert result.exit_code == 1
    assert line(result, "tenant").startswith("✓")
    assert line(result, "credential").startswith("✗")
    assert "Administration > Connectors 2.0" in line(result, "credential")
    assert "wr0ng" not in result.output


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"client_id": "x", "client_secret": "y"},
            "got access_key and client_id and client_secret, expected either access_key",
        ),
        ({"access_key": None, "client_id": "x"}, "got client_id, expected either access_key"),
        ({"access_key": None}, "got none, expected either access_key"),
    ],
)
def test_missing_or_double_credential_is_reported_before_any_call(
    commands: Commands, given: dict[str, Any], expected: str
) -> None:
    result = commands.check(**given)
    assert result.exit_code == 1
    assert expected in result.output
    assert commands.sandbox.tenant.calls() == []


def test_unreachable_tenant_fails_the_check(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_gainsight.cli.tenant.Clock", FakeClock)
    base_url = commands.sandbox.base_url
    commands.sandbox.stop()
    result = commands.check(base_url=base_url, object_type="company")
    assert result.exit_code == 1
    assert line(result, "tenant").startswith("✗")
    assert "is not reachable" in line(result, "tenant")
    assert "Check the domain" in line(result, "tenant")


@pytest.mark.parametrize("status", [403, 500])
def test_unreadable_metadata_fails_the_check(
    start_commands: Callable[..., Commands], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("target_gainsight.cli.tenant.Clock", FakeClock)
    commands = start_commands(switches={"metadata_status": status})
    result = commands.check(object_type="company")
    assert result.exit_code == 1
    assert f"HTTP {status}" in line(result, "metadata" if status == 403 else "tenant")
    assert "1 check failed." in result.output


def test_settings_are_read_from_meltanos_environment(
    commands: Commands,
) -> None:
    environment = {
        "TARGET_GAINSIGHT_BASE_URL": commands.sandbox.base_url,
        "TARGET_GAINSIGHT_ACCESS_KEY": commands.sandbox.access_key,
        "TARGET_GAINSIGHT_STREAMS": json.dumps(flattened(STREAMS)),
        "TARGET_GAINSIGHT_CALLS_PER_MINUTE": "60",
        "TARGET_GAINSIGHT_SUMMARY_PATH": "",
    }
    for arguments in (["check"], ["check", "--config", "ENV"]):
        result = commands.run(*arguments, environment=environment)
        assert result.exit_code == 0, result.output
        assert "60 calls a minute" in result.output
        assert line(result, "stream nps_*").startswith("✓")


def flattened(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """An object as Meltano exports it."""
    flat: dict[str, Any] = {}
    for name, each in value.items():
        if isinstance(each, dict):
            flat |= flattened(each, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = each
    return flat


def test_names_with_dots_survive_meltanos_flattening(commands: Commands) -> None:
    streams = {
        "public.accounts": {"object_type": "company", "field_mapping": {"a.b": "RenewalDat"}},
        **STREAMS,
    }
    environment = {
        "TARGET_GAINSIGHT_BASE_URL": commands.sandbox.base_url,
        "TARGET_GAINSIGHT_ACCESS_KEY": commands.sandbox.access_key,
        "TARGET_GAINSIGHT_STREAMS": json.dumps(flattened(streams)),
    }
    result = commands.run("check", environment=environment)
    assert "1 check failed." in result.output
    wrong = line(result, "stream public.accounts: field_mapping")
    assert "RenewalDat. Did you mean RenewalDate?" in wrong


def test_variables_of_any_loader_are_the_fallback(commands: Commands) -> None:
    environment = {
        "MELTANO_LOAD_BASE_URL": commands.sandbox.base_url,
        "MELTANO_LOAD_ACCESS_KEY": "overridden",
        "MELTANO_LOAD_OBJECT_TYPE": "company",
        "TARGET_GAINSIGHT_ACCESS_KEY": commands.sandbox.access_key,
    }
    result = commands.run("check", environment=environment)
    assert result.exit_code == 0, result.output


def test_later_files_win_and_the_environment_wins_over_files(commands: Commands) -> None:
    first = commands.config("first.json", object_type="company", calls_per_minute=10)
    second = commands.config("second.json", calls_per_minute=20)
    result = commands.run("check", "--config", first, "--config", second)
    assert "20 calls a minute" in result.output
    environment = {"TARGET_GAINSIGHT_CALLS_PER_MINUTE": "30"}
    files = ("--config", "ENV", "--config", first)
    assert "30 calls a minute" in commands.run("check", *files, environment=environment).output


def test_embedded_sandbox_is_started_for_the_check(commands: Commands) -> None:
    path = commands.folder / "embedded.db"
    result = commands.check(
        base_url=None,
        access_key=None,
        domain="sandbox",
        sandbox_path=str(path),
        object_type="company",
    )
    assert result.exit_code == 0, result.output
    assert f"the embedded sandbox in {path} responds" in line(result, "tenant")


def test_setting_errors_are_listed_as_by_the_target(commands: Commands) -> None:
    result = commands.check(
        base_url=None, domain="no host", access_key=["sEcReT"], sync_mode="mirror"
    )
    assert result.exit_code == 1
    assert "domain: got 'no host', expected a host name" in result.output
    assert "never deletes" in result.output
    assert "access_key: got a hidden value" in result.output
    assert "sEcReT" not in result.output
    assert commands.sandbox.tenant.calls() == []


@pytest.mark.parametrize("content", ["{broken sEcReT", '["sEcReT"]'])
def test_invalid_configuration_file_is_named_and_not_shown(
    commands: Commands, content: str
) -> None:
    path = commands.folder / "wrong.json"
    path.write_text(content)
    result = commands.run("check", "--config", str(path))
    assert result.exit_code == 1
    assert "wrong.json' cannot be used: " in result.output
    assert "sEcReT" not in result.output
    missing = commands.run("check", "--config", str(commands.folder / "none.json"))
    assert missing.exit_code == 1
    assert "none.json' cannot be used: " in missing.output


def test_path_that_no_run_could_write_to_is_an_error(commands: Commands) -> None:
    taken = commands.folder / "taken"
    taken.write_text("a file, no folder", encoding="utf-8")
    result = commands.check(object_type="company", rejects_path=str(taken))
    assert result.exit_code == 1
    assert line(result, "rejects_path").endswith(
        f"'{taken}' is not a folder. Set it to a folder that can be written to."
    )


def test_missing_settings_are_reported_with_their_sources(commands: Commands) -> None:
    result = commands.run("check")
    assert result.exit_code == 1
    assert "Give a file with --config" in result.output


def test_terminal_without_unicode_gets_words(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    result = commands.check(object_type="company", lookup_keys=["Stage"])
    assert "✓" not in result.output
    assert line(result, "tenant").startswith("ok")
    assert line(result, "streams without an entry: lookup_keys").startswith("x")


ACTIVITIES: dict[str, Any] = {
    "object_type": "timeline",
    "field_mapping": {"id": "ExternalId", "score": "Ant__Score__c"},
    "constants": {"ContextName": "Company", "TypeName": "Update"},
    "lookups": {"GsCompanyId": {"object_name": "company", "fields": {"account": "Name"}}},
}
CTAS: dict[str, Any] = {
    "object_type": "cta",
    "lookup_keys": ["Response__gc"],
    "constants": {"type": "Risk", "DueDate": "+14d"},
}


def test_timeline_and_ctas_are_checked_by_their_documented_fields(commands: Commands) -> None:
    result = commands.check(streams={"calls": ACTIVITIES, "risks": CTAS})
    assert result.exit_code == 0, result.output
    for beginning, expected in {
        "stream calls": "upsert into activity_timeline",
        "stream calls: lookup_keys": "ExternalId",
        "stream calls: field_mapping": "2 columns",
        "stream calls: lookups.GsCompanyId": "company by Name",
        "stream risks: lookup_keys": "Response__gc",
        "stream risks: constants": "type, DueDate",
    }.items():
        assert expected in line(result, beginning)
    commands.asserts_only_metadata_was_read()


def test_names_that_the_tenant_does_not_have_are_wrong(commands: Commands) -> None:
    types = {"ContextName": "Company", "TypeName": "Survey Response"}
    names = {"type": "Risk", "reason": "Low NPPS", "status": "new"}
    result = commands.check(
        streams={
            "calls": {**ACTIVITIES, "constants": types},
            "risks": {**CTAS, "lookup_keys": ["rid__gc"], "constants": names},
        }
    )
    assert result.exit_code == 1
    assert "no item 'Survey Response'" in line(result, "stream calls: constants")
    found = [each for each in result.output.splitlines() if "stream risks: constants" in each]
    assert any("'Low NPPS'" in each and "Low NPS?" in each for each in found)
    assert any("'new'" in each and "New differs" in each for each in found)
    assert "has no field rid__gc." in line(result, "stream risks: lookup_keys")
    commands.asserts_only_metadata_was_read()


@pytest.mark.parametrize("cta_names", ["refused", "unknown"])
def test_names_that_the_tenant_does_not_list_are_reported_as_unchecked(
    start_commands: Callable[..., Commands], cta_names: str
) -> None:
    switches = {"cta_names": cta_names, "activity_types_described": False}
    result = start_commands(switches=switches).check(streams={"calls": ACTIVITIES, "risks": CTAS})
    assert result.exit_code == 0, result.output
    assert "TypeName is not checked" in result.output
    assert "type is not checked" in result.output


def test_unknown_fields_of_timeline_and_ctas_are_named(commands: Commands) -> None:
    result = commands.check(
        streams={
            "calls": {**ACTIVITIES, "constants": {"TypeNam": "Update"}},
            "risks": {**CTAS, "lookup_keys": ["Response"], "constants": {"Status": "New"}},
        }
    )
    assert result.exit_code == 1
    assert "no field TypeNam. Did you mean TypeName?" in line(result, "stream calls: constants")
    assert "has no field Response." in line(result, "stream risks: lookup_keys")
    assert "status differs only in case" in line(result, "stream risks: constants")


def test_bulk_streams_show_their_job_and_surveys_their_folder(
    commands: Commands,
) -> None:
    streams = {
        "usage": {"object_type": "company", "transport": "bulk", "bulk_job_id": "job-7"},
        "nps": {"object_type": "survey_csv"},
    }
    result = commands.check(streams=streams)
    assert result.exit_code == 0, result.output
    assert "a bulk job that loads company" in line(result, "stream usage")
    assert "job-7; not checked" in line(result, "stream usage: bulk_job_id")
    assert "survey import, in gainsight-surveys" in line(result, "stream nps")


def test_bulk_stream_into_unknown_object_is_wrong(commands: Commands) -> None:
    entry = {"custom_object_name": "Usge__gc", "transport": "bulk", "bulk_job_id": "job-7"}
    result = commands.check(streams={"usage": {"object_type": "custom_object", **entry}})
    assert result.exit_code == 1
    assert "no object named 'Usge__gc'" in line(result, "stream usage")


def test_probe_is_suggested_once_for_a_tenant(commands: Commands) -> None:
    result = commands.check(object_type="company")
    assert result.output.count("gainsight probe") == 1
    embedded = commands.check(object_type="company", base_url=None, domain="sandbox")
    assert embedded.exit_code == 0
    assert "gainsight probe" not in embedded.output


RULED: dict[str, Any] = {
    "object_type": "company",
    "lookup_keys": ["SfdcAccountId"],
    "fallback_keys": ["Name"],
    "field_rules": {"Industry": {"write": "empty", "compare": False}, "Csm": {"write": "create"}},
}


def test_rules_and_fallback_keys_are_listed(commands: Commands) -> None:
    result = commands.check(streams={"accounts": RULED})
    assert result.exit_code == 0, result.output
    rules = "Industry is written only where empty, not compared; Csm is written on create only"
    assert line(result, "stream accounts: field_rules").endswith(rules)
    assert line(result, "stream accounts: fallback_keys").endswith("Name")


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"field_rules": {"Industri": {"write": "empty"}}}, "Did you mean Industry?"),
        ({"field_rules": {"SfdcAccountId": {"write": "empty"}}}, "is a lookup key"),
        ({"fallback_keys": ["Nam"]}, "Did you mean Name?"),
        ({"fallback_keys": ["SfdcAccountId"]}, "is a lookup key already"),
        ({"fallback_keys": ["RenewalDate"]}, "a key is a String, GSID, Number or Email"),
        ({"lookup_keys": ["Gsid"]}, "No row can be given its lookup key"),
    ],
)
def test_wrong_rule_or_fallback_key_fails_the_check(
    commands: Commands, wrong: dict[str, Any], expected: str
) -> None:
    result = commands.check(streams={"accounts": {**RULED, **wrong}})
    assert result.exit_code == 1
    assert expected in result.output


def test_rule_for_a_persons_email_fails_the_check(commands: Commands) -> None:
    people = {"object_type": "person", "field_rules": {"Email": {"write": "create"}}}
    result = commands.check(streams={"people": people})
    assert "Email is a lookup key" in line(result, "stream people: field_rules")
