"""hub/: a definition that Meltano Hub and `meltano add --from-ref` accept, and our logo."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from documented.hub import credential_groups

from target_gainsight.cli.main import main
from target_gainsight.settings.setting import Setting

HUB = Path(__file__).resolve().parents[2] / "hub"
TEXT = (HUB / "target-gainsight.yml").read_text(encoding="utf-8")
DEFINITION: dict[str, Any] = yaml.safe_load(TEXT)
SETTINGS: dict[str, dict[str, Any]] = {each["name"]: each for each in DEFINITION["settings"]}

# What the Hub's JSON schema for loaders allows, as of 2026.
HUB_KEYS = {
    *("capabilities", "commands", "definition", "description", "dialect", "docs", "domain_url"),
    *("executable", "hidden", "keywords", "label", "log_parser", "logo_url"),
    *("maintenance_status", "name", "namespace", "next_steps", "pip_url", "prereq", "python"),
    *("quality", "repo", "requires", "settings", "settings_group_validation"),
    *("settings_preamble", "supported_python_versions", "target_schema", "usage", "variant"),
}
HUB_ONLY = {
    *("definition", "domain_url", "keywords", "maintenance_status", "next_steps", "prereq"),
    *("quality", "settings_preamble", "supported_python_versions", "usage"),
}
CAPABILITIES = {
    *("about", "activate-version", "batch", "datatype-failsafe", "hard-delete"),
    *("schema-flattening", "soft-delete", "stream-maps", "structured-logging"),
    *("target-schema", "validate-records"),
}
KINDS = {"object", "string"}
"""Under all others Meltano turns a wrong value into a traceback, or into another value."""


def mappings(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from mappings(child)


def test_definition_has_the_keys_of_the_hub() -> None:
    required = {"name", "namespace", "variant", "quality"}
    shown = {"label", "description", "executable", "pip_url", "repo", "docs", "logo_url"}
    assert required | shown <= set(DEFINITION) <= HUB_KEYS
    assert DEFINITION["quality"] in {"gold", "silver", "bronze", "unknown"}
    assert DEFINITION["maintenance_status"] in {"active", "beta", "development", "inactive"}
    assert set(DEFINITION["capabilities"]) <= CAPABILITIES


def test_meltano_accepts_definition() -> None:
    packaged = importlib.resources.files("meltano.schemas") / "meltano.schema.json"
    plugin = {name: value for name, value in DEFINITION.items() if name not in HUB_ONLY}
    # The Hub knows this capability, the schema of meltano.yml does not.
    plugin["capabilities"] = [c for c in plugin["capabilities"] if c != "validate-records"]
    schema = json.loads(packaged.read_text(encoding="utf-8"))
    jsonschema.validate({"plugins": {"loaders": [plugin]}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"plugins": {"loaders": [plugin | {"usage": ""}]}}, schema)


def test_definition_passes_the_formatting_of_the_hub() -> None:
    for mapping in mappings(DEFINITION):
        assert list(mapping) == sorted(mapping)
    assert list(SETTINGS) == sorted(SETTINGS)
    assert DEFINITION["capabilities"] == sorted(DEFINITION["capabilities"])
    tokens = [type(token).__name__ for token in yaml.scan(TEXT)]
    assert "FlowMappingStartToken" not in tokens


def test_settings_have_kind_and_description() -> None:
    for setting in SETTINGS.values():
        assert setting["kind"] in KINDS
        assert setting["label"]
        assert setting["description"]
        assert "value" not in setting


def test_secrets_are_sensitive_and_names_with_key_in_them_are_not() -> None:
    sensitive = {name for name, setting in SETTINGS.items() if setting.get("sensitive")}
    assert sensitive == {
        *("access_key", "client_secret", "notify_url", "quota_store", "quota_store_password"),
    }


def test_each_settings_group_is_sufficient_to_connect() -> None:
    groups = DEFINITION["settings_group_validation"]
    assert ["access_key", "domain"] in groups
    for group in groups:
        assert set(group) <= set(SETTINGS)
        assert group == sorted(group)


def test_oauth_is_a_group_of_its_own_once_its_settings_exist() -> None:
    names = ("domain", "access_key", "client_id", "client_secret")
    settings = [Setting("Text.", name=name) for name in names]
    assert credential_groups(settings[:3]) == [["access_key", "domain"]]
    assert credential_groups(settings) == [
        ["access_key", "domain"],
        ["client_id", "client_secret", "domain"],
    ]


def test_subcommands_of_gainsight_are_plugin_commands() -> None:
    commands = DEFINITION["commands"]
    assert list(commands) == main.list_commands(None)
    for name, command in commands.items():
        assert (command["executable"], command["args"]) == ("gainsight", name)
        assert command["description"].endswith(".")


def test_commands_in_texts_exist() -> None:
    text = DEFINITION["next_steps"] + DEFINITION["usage"]
    for name in DEFINITION["commands"].keys() - {"plan"}:
        assert f"target-gainsight:{name}" in text


def test_logo_is_svg_without_background() -> None:
    logo = HUB / Path(DEFINITION["logo_url"]).name
    root = ET.fromstring(logo.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    svg = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{svg}svg"
    tags = {element.tag.removeprefix(svg) for element in root.iter()}
    assert tags == {"svg", "title", "g", "path"}
    assert root.find(f"{svg}g").get("fill") == "none"
