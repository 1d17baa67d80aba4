"""A Meltano project made from nothing but this repository, configured by the environment alone."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from meltano_project import CHECKOUT, SUMMARY, MeltanoProject

pytestmark = pytest.mark.e2e

STREAMS: dict[str, dict[str, Any]] = {
    "crm.eu.accounts": {
        "object_type": "company",
        "lookup_keys": "Name",
        "field_mapping": {"name": "Name", "headcount": "Employees"},
    },
    "crm.contacts": {
        "object_type": "person",
        "field_mapping": {"mail": "Email", "given": "FirstName"},
        "company_links": {"lookup": {"employer": "Name"}},
    },
}
ENVIRONMENT = {
    "TARGET_GAINSIGHT_DOMAIN": "sandbox",
    "TARGET_GAINSIGHT_SKIP_UNCHANGED": "true",
    "TARGET_GAINSIGHT_CALLS_PER_MINUTE": "6000",
    "TARGET_GAINSIGHT_SANDBOX_CONFIG": "tenant.yml",
    "TARGET_GAINSIGHT_STREAMS": json.dumps(STREAMS),
    "TARGET_GAINSIGHT_SUMMARY_PATH": SUMMARY,
    "TAP_JSONL_PATH": "contacts.jsonl",
    "TAP_JSONL_STREAM_NAME": "crm.contacts",
    "TAP_JSONL_PRIMARY_KEYS": '["mail"]',
}
TENANT = {"limits": {"calls_per_minute": 6000, "calls_per_day": 50000}}
EMPTY = """\
default_environment: test
environments: [{name: test}]
send_anonymous_usage_stats: false
"""
ACCOUNTS = [{"name": f"Account {number}", "headcount": number} for number in range(1, 121)]
CONTACTS = [
    {"mail": f"c{number}@example.com", "given": f"Given {number}", "employer": f"Account {number}"}
    for number in range(1, 20)
]
STRAY = {"mail": "stray@example.com", "given": "Stray", "employer": "Nobody & Sons"}

TAP = """\
#!{python}
\"\"\"A tap that hands its records over in a file, as the Singer SDK's BATCH messages do.\"\"\"
import json
from pathlib import Path

stream = "crm.eu.accounts"
columns = {{"name": {{"type": "string"}}, "headcount": {{"type": "integer"}}}}
schema = {{"type": "object", "properties": columns}}
encoding = {{"format": "jsonl", "compression": "gzip"}}
manifest = [(Path.cwd() / "accounts.jsonl.gz").as_uri()]
state = {{"bookmarks": {{stream: {{"files": 1}}}}}}
for message in (
    {{"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["name"]}},
    {{"type": "BATCH", "stream": stream, "encoding": encoding, "manifest": manifest}},
    {{"type": "STATE", "value": state}},
):
    print(json.dumps(message))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> MeltanoProject:
    """`meltano add --from-ref` in an empty project, two taps, `meltano install`; no `config`."""
    project = MeltanoProject(tmp_path_factory.mktemp("fresh") / "my project")
    project.folder.mkdir()
    (project.folder / "meltano.yml").write_text(EMPTY)
    definition = str(CHECKOUT / "hub" / "target-gainsight.yml")
    project.meltano(
        *("add", "--plugin-type", "loader", "target-gainsight"),
        *("--from-ref", definition, "--no-install"),
    )
    complete(project.folder / "meltano.yml")
    write_sources(project.folder)
    project.meltano("install")
    return project


def complete(meltano_yml: Path) -> None:
    """Name the checkout as the place to install from, and add the taps."""
    content = yaml.safe_load(meltano_yml.read_text(encoding="utf-8"))
    [target] = content["plugins"]["loaders"]
    assert "config" not in target
    target["pip_url"] = f"-e '{CHECKOUT}[sandbox]'"
    content["plugins"]["extractors"] = [
        {
            "name": "tap-jsonl",
            "namespace": "tap_jsonl",
            "pip_url": "tap-jsonl==0.3.1",
            "executable": "tap-jsonl",
            "capabilities": ["catalog", "discover", "state"],
            "settings": [
                {"name": "path", "kind": "string"},
                {"name": "stream_name", "kind": "string"},
                {"name": "primary_keys", "kind": "array"},
            ],
        },
        {"name": "tap-batches", "namespace": "tap_batches", "executable": "./tap_batches.py"},
    ]
    meltano_yml.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def write_sources(folder: Path) -> None:
    (folder / "tenant.yml").write_text(yaml.safe_dump(TENANT), encoding="utf-8")
    (folder / "contacts.jsonl").write_text(lines([*CONTACTS, STRAY]), encoding="utf-8")
    (folder / "accounts.jsonl.gz").write_bytes(gzip.compress(lines(ACCOUNTS).encode()))
    tap = folder / "tap_batches.py"
    tap.write_text(TAP.format(python=sys.executable), encoding="utf-8")
    tap.chmod(0o755)


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in records)


@pytest.fixture(scope="module")
def checked(project: MeltanoProject) -> str:
    return project.meltano("invoke", "target-gainsight:check", env=ENVIRONMENT)


@pytest.fixture(scope="module")
def planned(project: MeltanoProject, checked: str) -> dict[str, Any]:
    messages = subprocess.run(
        ["./tap_batches.py"], cwd=project.folder, capture_output=True, text=True, check=True
    ).stdout
    plan = project.output(
        *("invoke", "target-gainsight:plan", "--format", "json"), env=ENVIRONMENT, piped=messages
    )
    assert project.rows("Company") == []
    read: dict[str, Any] = json.loads(plan)
    return read


@pytest.fixture(scope="module")
def loaded(project: MeltanoProject, planned: dict[str, Any]) -> str:
    """Accounts from BATCH messages, then contacts from a file; one contact has no account."""
    blocks = ("tap-batches", "target-gainsight", "tap-jsonl", "target-gainsight")
    return project.meltano("run", *blocks, env=ENVIRONMENT)


def test_check_passes_with_the_environment_alone(checked: str) -> None:
    assert "stream crm.eu.accounts: lookup_keys    Name" in checked
    assert "stream crm.contacts " in checked
    assert "All checks passed." in checked


def test_plan_tells_what_a_taps_output_would_do(planned: dict[str, Any]) -> None:
    [stream] = planned["streams"].values()
    assert (stream["read"], stream["created"]) == (120, 120)


def test_a_run_brings_the_files_of_batch_messages(project: MeltanoProject, loaded: str) -> None:
    companies = {row["Name"]: row["Employees"] for row in project.rows("Company")}
    assert companies == {each["name"]: each["headcount"] for each in ACCOUNTS}


def test_a_run_brings_a_file_and_links_it(project: MeltanoProject, loaded: str) -> None:
    names = {row["Gsid"]: row["Name"] for row in project.rows("Company")}
    mails = {row["Gsid"]: row["Email"] for row in project.rows("Person")}
    links = {
        mails[row["Person_ID"]]: names[row["Company_ID"]] for row in project.rows("company_person")
    }
    expected = {each["mail"]: each["employer"] for each in CONTACTS}
    assert {mail: name for mail, name in links.items() if mail != STRAY["mail"]} == expected


def test_describe_shows_the_tenants_fields(project: MeltanoProject, checked: str) -> None:
    output = project.meltano("invoke", "target-gainsight:describe", "company", env=ENVIRONMENT)
    assert "RenewalDate" in output
    assert "Employees" in output


def test_a_reject_is_listed_and_replayed_by_plugin_commands(
    project: MeltanoProject, loaded: str
) -> None:
    assert "1 record rejected and kept" in loaded
    listed = project.meltano("invoke", "target-gainsight:rejects", "list", env=ENVIRONMENT)
    assert "lookup_no_match" in listed
    assert "Nobody & Sons" in listed
    lenient = {**STREAMS["crm.contacts"]["company_links"], "on_no_match": "leave_empty"}
    streams = {**STREAMS, "crm.contacts": {**STREAMS["crm.contacts"], "company_links": lenient}}
    project.meltano(
        *("invoke", "target-gainsight:rejects", "replay", "latest"),
        env={**ENVIRONMENT, "TARGET_GAINSIGHT_STREAMS": json.dumps(streams)},
    )
    assert STRAY["mail"] in {row["Email"] for row in project.rows("Person")}


def test_sandbox_shows_what_landed(project: MeltanoProject, loaded: str) -> None:
    output = project.meltano(
        *("invoke", "target-gainsight:sandbox", "show", "Company", "--limit", "3"), env=ENVIRONMENT
    )
    assert "3 of 120 rows" in output
    assert output.count("Account ") == 3
