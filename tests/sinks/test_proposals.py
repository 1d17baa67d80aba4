"""A stream that does not fit gets proposed settings that load it unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from singer_messages import TEXT, Message, record, schema
from singer_runs import TargetRun, Tenant

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RESPONSE = {"object_type": "custom_object", "custom_object_name": "CG_NPS_Response__gc"}
JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def example(stream: str, key: str) -> list[Message]:
    """Read an example as a tap sends it, with the columns and types of its rows."""
    lines = (EXAMPLES / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    types: dict[str, set[str]] = {}
    for name, value in (each for row in rows for each in row.items()):
        types.setdefault(name, {"null"}).add(JSON_TYPES.get(type(value), "null"))
    columns = {name: {"type": sorted(found)} for name, found in types.items()}
    return [schema(stream, columns, [key]), *(record(stream, **row) for row in rows)]


def proposed(run: TargetRun, stream: str) -> Message:
    """Return the streams of a run's proposal, which its file holds as well."""
    assert run.exit_code == 1
    _, _, shown = run.error.partition("In meltano.yml, under the loader's config:\n")
    path = run.reject_path.parent / f"gainsight-{stream}.mapping.yml"
    assert path.read_text() == f"# In meltano.yml, under the loader's config:\n{shown}\n"
    streams: Message = yaml.safe_load(shown)["streams"]
    return streams


def entry(tenant: Tenant, columns: Message, keys: tuple[str, ...] = (), **settings: Any) -> Message:
    """Return what is proposed for a stream of accounts with these columns."""
    run = tenant.load(schema(columns=columns, keys=keys), **settings)
    found: Message = proposed(run, "accounts")["accounts"]
    return found


@pytest.fixture
def example_tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    described = yaml.safe_load((EXAMPLES / "sandbox.yml").read_text(encoding="utf-8"))
    return start_tenant(users=described["users"], objects=described["objects"])


def test_proposals_load_the_examples_as_they_stand(example_tenant: Tenant) -> None:
    tenant = example_tenant
    streams = {
        "accounts": ("account_id", {"object_type": "company"}),
        "contacts": ("contact_id", {"object_type": "person"}),
        "nps_responses": ("response_id", RESPONSE),
    }
    for stream, (key, route) in streams.items():
        messages = example(stream, key)
        refused = tenant.load(*messages, streams={stream: route})
        run = tenant.load(*messages, streams=proposed(refused, stream))
        assert run.outcomes(stream) == {"created": len(messages) - 1}
    csms = {row["Gsid"]: row["Email"] for row in tenant.rows("gsuser")}
    account = json.loads((EXAMPLES / "accounts.jsonl").read_text().splitlines()[0])
    [company] = tenant.rows(Name=account["name"])
    assert csms[company["Csm"]] == account["csm_email"]
    assert len(tenant.rows("company_person")) == 600
    assert all(row["companyId__gc"] for row in tenant.rows("CG_NPS_Response__gc"))


def test_a_column_of_other_ids_is_no_salesforce_id(example_tenant: Tenant) -> None:
    columns = {"account_id": TEXT, "name": TEXT, "sfdc_account_id": TEXT}
    assert entry(example_tenant, columns, ("account_id",)) == {
        "object_type": "company",
        "lookup_keys": ["SfdcAccountId"],
        "field_mapping": {"name": "Name", "sfdc_account_id": "SfdcAccountId"},
    }


def test_parent_and_csm_are_looked_up(example_tenant: Tenant) -> None:
    columns = {"name": TEXT, "parent_account_name": TEXT, "csm_name": TEXT, "csm_email": TEXT}
    found = entry(example_tenant, columns)
    assert found["lookups"] == {
        "Csm": {
            "object_name": "gsuser",
            "fields": {"csm_email": "Email"},
            "on_no_match": "leave_empty",
        },
        "ParentCompany": {"object_name": "company", "fields": {"parent_account_name": "Name"}},
    }
    parent = record(name="Initech", parent_account_name=None, csm_name=None, csm_email=None)
    child = record(name="Initrode", parent_account_name="Initech", csm_email="nobody@x.example")
    messages = (schema(columns=columns, keys=["name"]), parent, child)
    run = example_tenant.load(*messages, streams={"accounts": found})
    assert run.outcomes() == {"created": 2}


def test_company_is_not_proposed_as_its_own_parent(example_tenant: Tenant) -> None:
    columns = {"sfdc_account_id": TEXT, "name": TEXT, "parent_account_name": TEXT}
    found = entry(example_tenant, columns)
    assert found["lookup_keys"] == ["SfdcAccountId"]
    assert found["lookups"]["ParentCompany"]["fields"] == {"parent_account_name": "Name"}


def test_an_id_of_the_company_is_preferred_to_its_name(start_tenant: Callable[..., Tenant]) -> None:
    fields = {"AccountId__gc": {"type": "STRING"}}
    tenant = start_tenant(objects={"Company": {"fields": fields}})
    columns = {"email": TEXT, "account_name": TEXT, "account_id": TEXT}
    found = entry(tenant, columns, ("email",), object_type="person")
    assert found["company_links"] == {"lookup": {"account_id": "AccountId__gc"}}


def test_configured_lookups_are_kept(example_tenant: Tenant) -> None:
    lookups = {"Csm": {"object_name": "gsuser", "fields": {"csm_email": "Email"}}}
    columns = {"Name": TEXT, "csm_email": TEXT, "parent_name": TEXT, "arr": TEXT}
    found = entry(example_tenant, columns, lookups=lookups)
    assert "lookups" not in found
    assert found["field_mapping"] == {"Name": "Name", "arr": "ARR"}


def test_column_that_goes_by_its_name_is_proposed_as_lookup_key(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "sector": TEXT}
    run = tenant.load(schema(columns=columns, keys=[]), field_mapping={"sector": "Industri"})
    found = proposed(run, "accounts")["accounts"]
    assert found["lookup_keys"] == ["Name"]
    assert found["field_mapping"] == {"Name": "Name", "sector": "Industry"}


def test_misspelt_field_of_a_column_of_its_name_is_corrected(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "Industry": TEXT, "Summary": TEXT}
    mapping = {"Name": "Name", "Industry": "Industri", "Summary": "Summary"}
    found = entry(tenant, columns, field_mapping=mapping)
    assert found["field_mapping"] == {"Name": "Name", "Industry": "Industry", "Summary": "Summary"}


def test_proposal_file_is_private_and_named_after_the_stream(tenant: Tenant) -> None:
    run = tenant.load(schema("crm/../a b", {"shoe": TEXT}))
    [path] = (tenant.folder / "rejects").glob("*.mapping.yml")
    assert path.name == "gainsight-crm_.._a_b.mapping.yml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"also in '{path}'" in run.error


def test_proposal_is_shown_where_no_file_can_be_written(tenant: Tenant) -> None:
    target = tenant.target()
    (tenant.folder / "rejects").write_text("a file, not a folder")
    run = tenant.run(target, schema(columns={"arr": TEXT}))
    assert "also in" not in run.error
    assert "arr: ARR" in run.error
