"""A SCHEMA message is checked against the metadata, and every problem reported at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_clock import FakeClock
from singer_messages import TEXT, Message, record, schema
from singer_runs import TargetRun, Tenant

from target_gainsight.sandbox import start_sandbox

WHOLE = {"type": ["integer", "null"]}
OBJECTS: Message = {
    "Usage__gc": {"transactional": False, "fields": {"Logins__gc": {"type": "NUMBER"}}},
    "Survey__gc": {
        "fields": {
            "Code__gc": {"type": "STRING", "required": True},
            "Channel__gc": {"type": "STRING", "required": True},
            "Once__gc": {"type": "STRING", "updateable": False},
            "Later__gc": {"type": "STRING", "createable": False},
            "Sum__gc": {"type": "NUMBER", "formula": True},
            "Open__gc": {"type": "BOOLEAN"},
            "Kind__gc": {"type": "PICKLIST", "options": ["a", "b"]},
        }
    },
}
SURVEY = {"object_type": "custom_object", "custom_object_name": "Survey__gc"}
SURVEY_COLUMNS = {"Code__gc": TEXT, "Channel__gc": TEXT}


@pytest.fixture
def tenant(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Iterator[Tenant]:
    """Return a tenant with a high-volume object and an object with fields of each permission."""
    caplog.set_level(logging.INFO)
    described = {"objects": OBJECTS, "limits": {"calls_per_minute": 0, "calls_per_day": 0}}
    with start_sandbox(tmp_path / "tenant.db", config=described, clock=clock.now) as sandbox:
        yield Tenant(sandbox, clock, tmp_path, caplog)


def refused(tenant: Tenant, *messages: Message, **settings: Any) -> str:
    """Load a stream that does not fit; check that nothing was written and return the error."""
    run = tenant.load(*messages, **settings)
    assert run.exit_code == 1
    assert {call.kind for call in tenant.sandbox.tenant.calls()} <= {"describe", "list"}
    return run.error


def problems(error: str) -> list[str]:
    return [line.strip()[2:] for line in error.splitlines() if line.startswith("  - ")]


def survey(**columns: Message) -> Message:
    return schema("surveys", {**SURVEY_COLUMNS, **columns}, keys=["Code__gc"])


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("Survey", "Did you mean Survey__gc?"),
        ("Surveys__gc", "Did you mean Survey__gc?"),
        ("relationshp", "Did you mean relationship"),
        ("Zzz__gc", "the tenant has no object named 'Zzz__gc'"),
    ],
)
def test_unknown_object_stops_run_with_similar_names(
    tenant: Tenant, wrong: str, meant: str
) -> None:
    settings = {"object_type": "custom_object", "custom_object_name": wrong}
    error = refused(tenant, survey(), record("surveys", Code__gc="1"), **settings)
    assert f"the tenant has no object named '{wrong}'" in error
    assert meant in error


THREE_WRONG = {"Name": TEXT, "renewal_date": TEXT, "industry": TEXT, "Employes": WHOLE}


def test_one_message_lists_every_wrong_column(tenant: Tenant) -> None:
    error = refused(tenant, schema(columns=THREE_WRONG), record(Name="Initech"))
    assert problems(error) == [
        "company has no field renewal_date. Did you mean RenewalDate?",
        "company has no field industry. Industry differs only in case.",
        "company has no field Employes. Did you mean Employees?",
    ]
    assert "Stream 'accounts' does not fit company: 3 problems." in error
    assert tenant.names() == []


def test_suggested_yaml_loads_the_stream(tenant: Tenant) -> None:
    error = refused(tenant, schema(columns=THREE_WRONG), record(Name="Initech"))
    _, _, advice = error.partition("In meltano.yml, under the loader's config:\n")
    settings = yaml.safe_load(advice)
    line = record(Name="Initech", renewal_date="2026-05-01", industry="IT", Employes=7)
    run = tenant.load(schema(columns=THREE_WRONG), line, **settings)
    assert run.exit_code == 0
    [row] = tenant.rows()
    held = (row["Name"], row["RenewalDate"], row["Industry"], row["Employees"])
    assert held == ("Initech", "2026-05-01", "IT", 7)


def test_one_message_lists_every_kind_of_problem(tenant: Tenant) -> None:
    error = refused(
        tenant,
        schema("surveys", {"Code__gc": TEXT, "Sum__gc": WHOLE, "account": TEXT}),
        **SURVEY,
        field_mapping={"chanel": "Chanel__gc"},
        constants={"Kind__gc": "c"},
        lookup_keys=["Kode__gc"],
        lookups={"Company__gc": {"object_name": "company", "fields": {"account": "Nane"}}},
    )
    found = "\n".join(problems(error))
    for part in (
        "field_mapping: The stream has no column chanel.",
        "field_mapping: Survey__gc has no field Chanel__gc. Did you mean Channel__gc?",
        "constants: Kind__gc (PICKLIST) refuses 'c'",
        "lookup_keys: Survey__gc has no field Kode__gc. Did you mean Code__gc?",
        "lookups: Survey__gc has no field Company__gc.",
        "lookups: Company__gc is looked up by Nane, which company does not have. Did you mean Name",
    ):
        assert part in found


@pytest.mark.parametrize(
    ("column", "mode", "reason"),
    [
        ("Sum__gc", "insert", "it is a formula"),
        ("CreatedDate", "upsert", "it is read-only"),
        ("Once__gc", "update", "it cannot be changed once a record exists"),
        ("Later__gc", "insert", "it cannot be set when a record is created"),
    ],
)
def test_field_not_writable_in_sync_mode_is_reported(
    tenant: Tenant, column: str, mode: str, reason: str
) -> None:
    [problem] = problems(refused(tenant, survey(**{column: TEXT}), **SURVEY, sync_mode=mode))
    assert problem == f"{column} cannot be written in sync mode {mode}: {reason}."


def test_unfilled_required_field_warns_and_rejects_new_records_only(
    tenant: Tenant,
) -> None:
    tenant.load(survey(), record("surveys", Code__gc="1", Channel__gc="mail"), **SURVEY)
    short = schema("surveys", {"Code__gc": TEXT, "Open__gc": TEXT}, keys=["Code__gc"])
    lines = [record("surveys", Code__gc=code, Open__gc="true") for code in ("1", "2")]
    run = tenant.load(short, *lines, **SURVEY)
    assert run.exit_code == 0
    [warning] = [each for each in run.warnings if "needs Channel__gc" in each]
    assert "stream 'surveys': Survey__gc needs Channel__gc to create a record" in warning
    assert [line["record"]["Code__gc"] for line in run.rejects] == ["2"]
    assert [row["Open__gc"] for row in tenant.rows("Survey__gc")] == [True]


@pytest.mark.parametrize(
    "settings", [{"constants": {"Channel__gc": "email"}}, {"sync_mode": "update"}]
)
def test_required_field_that_is_filled_or_not_needed_does_not_warn(
    tenant: Tenant, settings: dict[str, Any]
) -> None:
    short = schema("surveys", {"Code__gc": TEXT}, keys=["Code__gc"])
    run = tenant.load(short, **SURVEY, **settings)
    assert run.exit_code == 0
    assert [each for each in run.warnings if "Channel__gc" in each] == []


def load_with_unknown(tenant: Tenant, **settings: Any) -> TargetRun:
    columns = {"Name": TEXT, "Industry": TEXT, "shoe_size": WHOLE}
    lines = [record(Name=f"C{n}", Industry="IT", shoe_size=n) for n in range(3)]
    return tenant.load(schema(columns=columns), *lines, **settings)


def test_unknown_fields_fail(tenant: Tenant) -> None:
    run = load_with_unknown(tenant, unknown_fields="fail")
    assert run.exit_code == 1
    assert problems(run.error) == ["company has no field shoe_size."]
    assert "# shoe_size: no such field" in run.error


def test_unknown_fields_drop_warns_once(tenant: Tenant) -> None:
    run = load_with_unknown(tenant, unknown_fields="drop")
    assert run.exit_code == 0
    assert [each.rpartition(", ")[2] for each in run.warnings if "shoe_size" in each] == [
        "because Company has no writable field for them: shoe_size"
    ]
    assert {row["Industry"] for row in tenant.rows()} == {"IT"}


@pytest.mark.parametrize("sync_mode", ["insert", "upsert"])
def test_unknown_fields_send_sends_them(tenant: Tenant, sync_mode: str) -> None:
    run = load_with_unknown(tenant, unknown_fields="send", sync_mode=sync_mode)
    assert run.exit_code == 1
    assert set(run.codes) == {"GSOBJ_1002"}
    [call, *_] = tenant.calls("insert")
    assert call.body["records"][0]["shoe_size"] == 0


def test_field_mapping_drops_unknown_columns_and_lists_them_once(
    tenant: Tenant,
) -> None:
    run = load_with_unknown(tenant, field_mapping={"Industry": "Summary"})
    assert run.exit_code == 0
    assert sum("shoe_size" in each for each in run.warnings) == 1
    assert {row["Summary"] for row in tenant.rows()} == {"IT"}


@pytest.mark.parametrize(
    "settings",
    [
        {"field_mapping": {"Industry": "Industri"}},
        {"constants": {"Industri": "IT"}},
        {"lookup_keys": ["Industri"]},
        {"lookups": {"Industri": {"object_name": "gsuser", "fields": {"Name": "Name"}}}},
        {"lookups": {"Csm": {"object_name": "gsuser", "fields": {"Name": "Nam"}}}},
    ],
)
def test_wrong_name_in_setting_fails_although_unknown_fields_are_sent(
    tenant: Tenant, settings: dict[str, Any]
) -> None:
    columns = {"Name": TEXT, "Industry": TEXT}
    error = refused(tenant, schema(columns=columns), unknown_fields="send", **settings)
    assert len(problems(error)) == 1
    assert "Did you mean" in error


def test_lookup_in_unknown_object_is_reported(tenant: Tenant) -> None:
    lookups = {"Csm": {"object_name": "user", "fields": {"csm": "Email"}}}
    error = refused(tenant, schema(columns={"Name": TEXT, "csm": TEXT}), lookups=lookups)
    assert "lookups.Csm: the tenant has no object named 'user'" in error


USAGE = {"object_type": "custom_object", "custom_object_name": "Usage__gc"}


def test_high_volume_object_warns_and_refusal_suggests_bulk_job(
    tenant: Tenant,
) -> None:
    usage = schema("usage", {"Name": TEXT, "Logins__gc": WHOLE}, keys=["Name"])
    run = tenant.load(usage, record("usage", Name="a", Logins__gc=1), **USAGE)
    assert run.exit_code == 1
    [warning] = [each for each in run.warnings if "high-volume" in each]
    assert "stream 'usage': Usage__gc is listed as a high-volume object" in warning
    assert "GSOBJ_1023" in run.error
    assert "transport: bulk" in run.error


@pytest.mark.parametrize("as_text", [False, True])
def test_standard_object_is_written_although_not_transactional(
    tenant: Tenant, as_text: bool
) -> None:
    simulated = tenant.sandbox.tenant
    simulated.switches = replace(simulated.switches, flags_as_text=as_text)
    run = tenant.load(schema(), record(Name="Initech", Employees=7))
    assert run.exit_code == 0
    assert [each for each in run.warnings if "volume" in each] == []
    assert [row["Employees"] for row in tenant.rows()] == [7]


@pytest.mark.parametrize("status", [400, 404, 405])
def test_objects_are_described_one_by_one_if_joint_call_fails(tenant: Tenant, status: int) -> None:
    simulated = tenant.sandbox.tenant
    simulated.switches = replace(simulated.switches, describe_several=status)
    lookups = {"Csm": {"object_name": "gsuser", "fields": {"csm": "Email"}}}
    columns = {"Name": TEXT, "Industri": TEXT, "csm": TEXT}
    error = refused(tenant, schema(columns=columns), lookups=lookups)
    assert problems(error) == ["company has no field Industri. Did you mean Industry?"]
    assert [call.method for call in tenant.sandbox.tenant.calls()] == ["POST", "GET", "GET"]


def test_object_is_found_in_description_with_children_first(tenant: Tenant) -> None:
    simulated = tenant.sandbox.tenant
    simulated.switches = replace(simulated.switches, describe_children_first=True)
    run = tenant.load(schema(), record(Name="Initech", Employees=7))
    assert run.exit_code == 0
    assert [row["Employees"] for row in tenant.rows()] == [7]


@pytest.mark.parametrize("status", [403, 500])
def test_unreadable_metadata_warns_and_stream_is_loaded(tenant: Tenant, status: int) -> None:
    simulated = tenant.sandbox.tenant
    simulated.switches = replace(simulated.switches, metadata_status=status)
    run = tenant.load(schema(), record(Name="Initech", Employees=7))
    assert run.exit_code == 0
    [warning] = [each for each in run.warnings if "cannot be read" in each]
    assert "the metadata of Company cannot be read" in warning
    assert "not checked" in warning
    assert [row["Employees"] for row in tenant.rows()] == [7]


def test_object_is_described_once_per_run(tenant: Tenant) -> None:
    lookups = {"ParentCompany": {"object_name": "COMPANY", "fields": {"Industry": "Name"}}}
    one = schema(columns={"Name": TEXT, "Industry": TEXT})
    changed = schema(columns={"Name": TEXT, "Industry": TEXT, "TickerSymbol": TEXT})
    again = schema("others", {"Name": TEXT, "Industry": TEXT})
    run = tenant.load(one, changed, again, lookups=lookups)
    assert run.exit_code == 0
    [call] = tenant.calls("describe")
    assert [name.lower() for name in call.body["objectNames"]] == ["company"]
    assert call.body["includeChilds"] == "false"


def test_all_configured_objects_are_described_in_one_call(tenant: Tenant) -> None:
    lookups = {"Csm": {"object_name": "gsuser", "fields": {"csm": "Email"}}}
    streams = {
        "accounts": {"object_type": "company", "lookups": lookups},
        "people": {
            "object_type": "person",
            "company_links": {"lookup": {"company": "Name"}, "fields": {"Title": "title"}},
        },
        "surveys": SURVEY,
    }
    people = {"Email": TEXT, "company": TEXT, "title": TEXT}
    run = tenant.load(
        schema(columns={"Name": TEXT, "csm": TEXT}),
        schema("people", people, keys=["Email"]),
        survey(),
        object_type=None,
        streams=streams,
    )
    assert run.exit_code == 0
    [call] = tenant.calls("describe")
    assert {name.lower() for name in call.body["objectNames"]} == {
        *("company", "gsuser", "person", "company_person", "survey__gc")
    }


def test_invalid_credential_stops_run(tenant: Tenant) -> None:
    run = tenant.load(schema(), record(Name="Initech"), access_key="wrong")
    assert run.exit_code == 1
    assert "access_key" in run.error
    assert tenant.names() == []


TAGS = {"type": ["array", "string", "null"], "items": {"type": "string"}}


def load_tags(tenant: Tenant, options: str, *tags: Any) -> TargetRun:
    simulated = tenant.sandbox.tenant
    simulated.switches = replace(simulated.switches, picklist_options=options)
    lines = [record(Name=f"C{number}", Tags=each) for number, each in enumerate(tags)]
    return tenant.load(schema(columns={"Name": TEXT, "Tags": TAGS}), *lines)


def test_picklist_category_is_read_once_when_needed(tenant: Tenant) -> None:
    assert load_tags(tenant, "by_category", None, "", []).exit_code == 0
    assert tenant.calls("dropdown") == []
    run = load_tags(tenant, "by_category", ["Pilot"], "Pilot;Reference", ["No such tag"])
    assert len(tenant.calls("dropdown")) == 1
    assert [line["record"]["Name"] for line in run.rejects] == ["C2"]
    assert run.codes == ["unknown_option"]
    writes = len(tenant.calls("update"))
    load_tags(tenant, "by_category", ["Pilot"], "Pilot;Reference")
    assert len(tenant.calls("update")) == writes


def test_labels_of_picklist_without_options_are_sent_unchecked(tenant: Tenant) -> None:
    run = load_tags(tenant, "unlisted", ["Pilot"], ["No such tag"])
    assert run.codes == ["GSOBJ_1012"]
    assert {row["Name"]: row["Tags"] for row in tenant.rows()} == {"C0": ["Pilot"]}
    assert tenant.calls("dropdown") == []


def test_wrong_constant_names_its_setting_if_metadata_is_unreadable(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(switches={"metadata_status": 403})
    run = tenant.load(
        schema(columns={"Name": TEXT}), constants={"RenewalDate": "soon"}, lookup_keys=["Name"]
    )
    assert run.exit_code == 1
    assert run.error.startswith("stream 'accounts': a constant cannot be written: RenewalDate")
    assert run.error.endswith("Correct it under constants.")
