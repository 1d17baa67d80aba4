"""meltano.yml: valid for Meltano and consistent with the examples and their sandbox."""

from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
MELTANO_YML: dict[str, Any] = yaml.safe_load((PROJECT / "meltano.yml").read_text("utf-8"))
[TARGET] = MELTANO_YML["plugins"]["loaders"]
STREAM_MAPS: dict[str, dict[str, Any]] = TARGET["config"]["stream_maps"]
STREAMS: dict[str, dict[str, Any]] = TARGET["config"]["streams"]

COMPANY_FIELDS = {"Name", "Industry", "ARR", "Employees", "Stage", "Status", "RenewalDate"}
PERSON_FIELDS = {"Email", "FirstName", "LastName"}


def meltano_schema() -> Any:
    packaged = importlib.resources.files("meltano.schemas") / "meltano.schema.json"
    return json.loads(packaged.read_text(encoding="utf-8"))


def included_files() -> list[Path]:
    return [PROJECT / name for name in MELTANO_YML["include_paths"]]


def readme_examples() -> list[dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(block) for block in blocks]


def mapped_columns(stream: str) -> dict[str, str]:
    return {k: v for k, v in STREAM_MAPS[stream].items() if not k.startswith("__")}


def linking_columns(stream: str) -> set[str]:
    settings = STREAMS[stream]
    links = settings.get("company_links", {"lookup": {}, "fields": {}})
    lookups = settings.get("lookups", {}).values()
    return {
        *links["lookup"],
        *links["fields"].values(),
        *(column for lookup in lookups for column in lookup["fields"]),
    }


def sent_fields(stream: str) -> set[str]:
    return set(mapped_columns(stream)) - linking_columns(stream)


def test_meltano_accepts_the_project() -> None:
    jsonschema.validate(MELTANO_YML, meltano_schema())


@pytest.mark.parametrize("path", included_files(), ids=lambda path: path.name)
def test_meltano_accepts_included_files(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), meltano_schema())


def test_meltano_accepts_project_examples_of_the_readme() -> None:
    projects = [example for example in readme_examples() if "plugins" in example]
    assert projects
    for project in projects:
        jsonschema.validate(project, meltano_schema())


def test_no_setting_has_a_kind_that_meltano_mishandles() -> None:
    kinds = {setting["kind"] for setting in TARGET["settings"]}
    assert kinds <= {"string", "object"}


def test_secrets_are_marked_sensitive() -> None:
    sensitive = {s["name"] for s in TARGET["settings"] if s.get("sensitive")}
    assert "access_key" in sensitive


def test_configured_settings_exist() -> None:
    assert set(TARGET["config"]) <= {setting["name"] for setting in TARGET["settings"]}


def test_job_runs_three_taps_into_target() -> None:
    [job] = MELTANO_YML["jobs"]
    taps = [tap["name"] for tap in MELTANO_YML["plugins"]["extractors"] if "inherit_from" in tap]
    assert job == {
        "name": "load-examples",
        "tasks": [f"{tap} target-gainsight" for tap in taps],
    }
    assert len(taps) == 3


@pytest.mark.parametrize("stream", sorted(STREAM_MAPS))
def test_mapped_columns_are_in_the_example_file(stream: str) -> None:
    lines = (PROJECT / "examples" / f"{stream}.jsonl").read_text("utf-8").splitlines()
    columns = {column for line in lines for column in json.loads(line)}
    assert set(mapped_columns(stream).values()) <= columns
    assert linking_columns(stream) <= set(mapped_columns(stream))


def test_mapped_fields_exist_in_the_sandbox() -> None:
    tenant = yaml.safe_load((PROJECT / "examples" / "sandbox.yml").read_text("utf-8"))
    [(name, response)] = tenant["objects"].items()
    assert STREAMS["nps_responses"]["custom_object_name"] == name
    looked_up = set(STREAMS["nps_responses"]["lookups"])
    assert sent_fields("nps_responses") | looked_up == set(response["fields"])
    assert sent_fields("accounts") == COMPANY_FIELDS
    assert sent_fields("contacts") == PERSON_FIELDS


def test_demo_uses_the_limits_of_its_sandbox() -> None:
    tenant = yaml.safe_load((PROJECT / "examples" / "sandbox.yml").read_text("utf-8"))
    assert TARGET["config"]["calls_per_minute"] == tenant["limits"]["calls_per_minute"]
