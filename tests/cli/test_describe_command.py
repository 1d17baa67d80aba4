"""`gainsight describe`: the tenant's objects and fields, and a mapping onto them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from commands import Commands
from singer_runs import run_command

TEXT = {"type": ["null", "string"]}


def catalog(commands: Commands, *streams: dict[str, Any]) -> str:
    path = commands.folder / "catalog.json"
    path.write_text(json.dumps({"streams": list(streams)}))
    return str(path)


def stream(name: str, columns: dict[str, Any], **further: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": columns}
    return {"tap_stream_id": name, "stream": name, "schema": schema, **further}


def rows_of(result: Result) -> dict[str, list[str]]:
    """The cells of a table by their first."""
    lines = [each.split("│") for each in result.output.splitlines() if each.startswith("│")]
    return {cells[1].strip(): [cell.strip() for cell in cells[2:-1]] for cells in lines}


def test_objects_are_listed_with_label_type_and_volume(commands: Commands) -> None:
    result = commands.describe()
    assert result.exit_code == 0
    rows = rows_of(result)
    assert rows["company"] == ["Company", "STANDARD", ""]
    assert rows["Response__gc"] == ["NPS Response", "CUSTOM", "low"]
    assert rows["Usage__gc"][-1] == "high"
    commands.asserts_only_metadata_was_read()


def test_fields_of_an_object_are_listed(commands: Commands) -> None:
    rows = rows_of(commands.describe("company"))
    assert rows["Name"] == ["Name", "STRING", "255", "yes", "yes", "yes", "yes", ""]
    assert rows["Nps"] == ["Nps", "NUMBER", "", "", "", "", "yes", ""]
    assert rows["ParentCompany"][-1] == "company"
    assert rows["Status"][-1] == "Active, Inactive, Churn"
    rows = rows_of(commands.describe("RESPONSE__gc"))
    assert rows["Channel__gc"][-1] == "Email, In-App"
    commands.asserts_only_metadata_was_read()


def test_json_and_yaml_are_equal(commands: Commands) -> None:
    for arguments in ([], ["company"], ["Response__gc"]):
        as_json = json.loads(commands.describe(*arguments, "--format", "json").output)
        as_yaml = yaml.safe_load(commands.describe(*arguments, "--format", "yaml").output)
        assert as_json == as_yaml
    fields = {field["name"]: field for field in as_json["fields"]}
    assert as_json["object"] == "Response__gc"
    assert as_json["volume"] == "low"
    assert fields["Code__gc"] == {
        "name": "Code__gc",
        "label": "Response Code",
        "type": "STRING",
        "length": 255,
        "required": True,
        "createable": True,
        "updateable": True,
        "key": True,
    }
    assert fields["Channel__gc"]["picklist"] == ["Email", "In-App"]
    assert fields["Company__gc"]["lookup"] == ["company"]
    assert fields["Gsid"]["createable"] is False


@pytest.mark.parametrize(
    ("wrong", "meant"), [("companie", "company"), ("Response", "Response__gc")]
)
def test_unknown_object_suggests_similar_names(commands: Commands, wrong: str, meant: str) -> None:
    result = commands.describe(wrong)
    assert result.exit_code == 1
    assert (
        result.output == f"Error: the tenant has no object named '{wrong}'. Did you mean {meant}?\n"
    )


def test_unknown_object_without_similar_names(commands: Commands) -> None:
    result = commands.describe("zzz")
    assert result.exit_code == 1
    assert "'gainsight describe' lists its objects" in result.output


COLUMNS: dict[str, Any] = {
    "Industry": TEXT,
    "name": TEXT,
    "renewal_date": {"type": ["null", "string"], "format": "date"},
    "MRR": {"type": "number"},
    "shoe_size": {"type": "integer"},
    "employes": {"type": "integer"},
    "status": {"type": "boolean"},
    "created_date": TEXT,
    "Renewal Date": TEXT,
    "_sdc_batched_at": TEXT,
}


def test_mapping_is_proposed_from_a_catalog(commands: Commands) -> None:
    result = commands.describe("company", "--mapping", catalog(commands, stream("crm", COLUMNS)))
    assert result.exit_code == 0
    assert yaml.safe_load(result.output) == {
        "streams": {
            "crm": {
                "object_type": "company",
                "lookup_keys": ["Name"],
                "field_mapping": {
                    "Industry": "Industry",
                    "name": "Name",
                    "renewal_date": "RenewalDate",
                    "MRR": "Mrr",
                    "employes": "Employees",
                },
            }
        }
    }
    notes = [each.strip() for each in result.output.splitlines() if each.startswith("      #")]
    assert notes == [
        "# shoe_size: no such field",
        "# status: boolean cannot fit Status (PICKLIST)",
        "# created_date: CreatedDate cannot be written",
        "# Renewal Date: RenewalDate is already filled by renewal_date",
    ]
    commands.asserts_only_metadata_was_read()


def test_proposal_for_a_custom_object_passes_the_check(commands: Commands) -> None:
    columns = {"code": TEXT, "channel": TEXT, "response code": TEXT}
    source = catalog(commands, stream("nps.responses", columns))
    result = commands.describe("response__gc", "--mapping", source)
    entry = yaml.safe_load(result.output)["streams"]["nps.responses"]
    assert entry == {
        "object_type": "custom_object",
        "custom_object_name": "Response__gc",
        "field_mapping": {"code": "Code__gc", "channel": "Channel__gc"},
    }
    assert commands.check(streams={"nps.responses": entry}).exit_code == 0


def test_ambiguous_column_is_listed_with_its_fields(commands: Commands) -> None:
    source = catalog(commands, stream("nps", {"code": TEXT, "support_score": {"type": "integer"}}))
    result = commands.describe("Response__gc", "--mapping", source)
    assert "# support_score: no such field, perhaps Support_1__gc or Support_2__gc" in result.output
    mapping = yaml.safe_load(result.output)["streams"]["nps"]["field_mapping"]
    assert mapping == {"code": "Code__gc"}


def test_columns_that_are_not_selected_are_left_out(commands: Commands) -> None:
    metadata = [
        {"breadcrumb": [], "metadata": {"selected": True}},
        {"breadcrumb": ["properties", "industry"], "metadata": {"selected": False}},
        {"breadcrumb": ["properties", "name"], "metadata": {"inclusion": "automatic"}},
        {"breadcrumb": ["properties", "name"], "metadata": None},
        {"metadata": {"selected": False}},
    ]
    columns = {"name": TEXT, "industry": TEXT}
    source = catalog(commands, stream("accounts", columns, metadata=metadata))
    output = commands.describe("company", "--mapping", source).output
    assert "name: Name" in output
    assert "ndustry" not in output


def test_catalog_with_several_streams_needs_a_stream_name(commands: Commands) -> None:
    two = [stream("accounts", {"name": TEXT}), stream("users", {"email": TEXT})]
    source = catalog(commands, *two)
    unnamed = commands.describe("company", "--mapping", source)
    assert unnamed.exit_code == 1
    assert "name one with --stream: accounts, users" in unnamed.output
    wrong = commands.describe("company", "--mapping", source, "--stream", "account")
    assert wrong.exit_code == 1
    assert "no stream 'account', name one with --stream: accounts, users" in wrong.output
    right = commands.describe("company", "--mapping", source, "--stream", "accounts")
    assert yaml.safe_load(right.output)["streams"]["accounts"]["field_mapping"] == {"name": "Name"}


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_invalid_catalog_is_named(commands: Commands, content: str) -> None:
    path = commands.folder / "catalog.json"
    path.write_text(content)
    result = commands.describe("company", "--mapping", str(path))
    assert result.exit_code == 1
    assert "catalog.json is not a catalog" in result.output
    path.unlink()
    assert "cannot be used" in commands.describe("company", "--mapping", str(path)).output


def test_mapping_needs_an_object_and_stream_a_catalog(commands: Commands) -> None:
    assert commands.describe("--mapping", "catalog.json").exit_code == 2
    assert commands.describe("company", "--stream", "accounts").exit_code == 2


@pytest.mark.parametrize("name", ["timeline", "activity_timeline", "Activity_Timeline"])
def test_documented_fields_of_timeline_are_listed(commands: Commands, name: str) -> None:
    rows = rows_of(commands.describe(name))
    assert rows["ActivityDate"][:4] == ["ActivityDate", "DATETIME", "", "yes"]
    assert rows["GsCompanyId"][-1] == "company"
    assert rows["Ant__Score__c"][:2] == ["Ant__Score__c", "NUMBER"]
    commands.asserts_only_metadata_was_read()


def test_mapping_onto_ctas_names_their_object_type(commands: Commands) -> None:
    columns = {"name": TEXT, "comments": TEXT, "nonsense": TEXT}
    path = catalog(commands, stream("risks", columns))
    entry = yaml.safe_load(commands.describe("cta", "--mapping", path).output)["streams"]["risks"]
    assert entry == {
        "object_type": "cta",
        "field_mapping": {"name": "Name", "comments": "Comments"},
    }


def test_rules_of_configured_streams_are_shown_beside_the_fields(commands: Commands) -> None:
    accounts = {
        "object_type": "company",
        "lookup_keys": ["SfdcAccountId"],
        "fallback_keys": ["Name"],
        "field_rules": {"Industry": {"write": "create"}},
    }
    config = commands.config(streams={"accounts": accounts, "people": {"object_type": "person"}})
    rows = rows_of(commands.run("describe", "company", "--config", config))
    assert rows["Name"][-2] == "accounts: fallback key"
    assert rows["Industry"][-2] == "accounts: written on create only"
    shown = commands.run("describe", "company", "--format", "json", "--config", config)
    fields = {each["name"]: each for each in json.loads(shown.output)["fields"]}
    assert fields["Industry"]["rules"] == ["accounts: written on create only"]
    assert "rules" not in fields["ARR"]


def test_run_plan_and_describe_propose_the_same(commands: Commands) -> None:
    columns = {"account_id": TEXT, "name": TEXT, "csm_email": TEXT}
    message = {**stream("accounts", columns), "type": "SCHEMA", "key_properties": ["account_id"]}
    settings = {"streams": {"accounts": {"object_type": "company"}}}
    reached = json.loads(Path(commands.config(**settings)).read_text(encoding="utf-8"))
    run_command(folder=commands.folder, messages=[message], settings=reached)
    file = commands.folder / "gainsight-rejects" / "gainsight-accounts.mapping.yml"
    proposed = file.read_text()
    file.unlink()
    path = commands.folder / "messages.singer"
    path.write_text(json.dumps(message) + "\n")
    arguments = ["--input", str(path), "--config", commands.config(**settings)]
    planned = commands.run("plan", "--format", "json", *arguments)
    assert planned.exit_code == 1
    assert file.read_text() == proposed
    mapping = ("company", "--mapping", catalog(commands, message))
    assert commands.describe(*mapping).output == proposed
    as_json = json.loads(commands.describe(*mapping, "--format", "json").output)
    assert as_json == json.loads(planned.stdout)["proposal"] == yaml.safe_load(proposed)


def test_keys_in_the_metadata_of_a_catalog_are_proposed(commands: Commands) -> None:
    keys = {"breadcrumb": [], "metadata": {"table-key-properties": ["code"]}}
    source = catalog(commands, stream("nps", {"code": TEXT, "channel": TEXT}, metadata=[keys]))
    proposed = commands.describe("Response__gc", "--mapping", source).output
    assert yaml.safe_load(proposed)["streams"]["nps"]["lookup_keys"] == ["Code__gc"]


def test_company_of_an_activity_is_looked_up_in_a_proposal(commands: Commands) -> None:
    columns = {"external_id": TEXT, "activity_date": TEXT, "account_name": TEXT, "author": TEXT}
    source = catalog(commands, stream("notes", columns))
    proposed = commands.describe("timeline", "--mapping", source).output
    assert yaml.safe_load(proposed)["streams"]["notes"]["lookups"] == {
        "GsCompanyId": {"object_name": "company", "fields": {"account_name": "Name"}}
    }


def test_foreign_key_is_mapped_only_from_a_column_of_the_same_name(
    commands: Commands,
) -> None:
    columns = {"name": TEXT, "csm": TEXT, "ParentCompany": TEXT}
    source = catalog(commands, stream("accounts", columns))
    proposed = commands.describe("company", "--mapping", source).output
    mapping = yaml.safe_load(proposed)["streams"]["accounts"]["field_mapping"]
    assert mapping == {"name": "Name", "ParentCompany": "ParentCompany"}
    assert "# csm: Csm holds a GSID; set a lookup for it" in proposed
