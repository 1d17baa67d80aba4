"""A listed plugin's settings survive the bot of Meltano Hub, which rewrites them from `--about`.

What the bot's merge does, by the code of meltano/hub-utils in 2025 (`_parse_sdk_about_settings`
and `_merge_settings`):

- It replaces all settings. Of the old definition of a setting it keeps `placeholder`,
  `documentation`, a value that begins with `$MELTANO`, and a longer description of several lines;
  so `sensitive`, `options` and `value_processor` are lost.
- An object with `properties` or `oneOf` is replaced by a setting for each of its properties.
- The kind is the first type that is not null; `number` becomes `decimal`.
- Text is a `password`, and so sensitive, if its name contains password, id, token, key or secret;
  otherwise it has `options` if it has an `enum`.
- A `default` becomes the `value`, which Meltano sends as if the user had chosen it.
- Sentences of a description are capitalized, and a word with a dot inside is taken apart, unless
  it contains one of a few marks, such as a backtick.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings.environment import read_raw_settings
from target_gainsight.settings.model import SETTINGS
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.target import TargetGainsight

PROJECT = Path(__file__).resolve().parents[2]
DEFINITION: dict[str, Any] = yaml.safe_load(
    (PROJECT / "hub" / "target-gainsight.yml").read_text(encoding="utf-8")
)
COMMANDS = Path(sys.executable).parent
SECRET_NAMES = ("password", "id", "token", "key", "secret")
KEPT_WORDS = ("http", "ssh", "ssl", "e.g.", "i.e.", '"', "`", "()", ".com")

ECHO = """#!{python}
import json, os, sys
paths = [each for each in sys.argv if each.endswith(".config.json")]
config = json.load(open(paths[0], encoding="utf-8")) if paths else None
print(json.dumps({{"config": config, "variables": dict(os.environ)}}))
"""
"""Stands for the target and its commands: prints what Meltano passes on."""


def about(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    TargetGainsight.print_about("json")
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def merged(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The settings as the bot writes them."""
    for name, schema in properties.items():
        if "object" in schema["type"] and (schema.get("properties") or schema.get("oneOf")):
            parts = schema.get("properties", {}).items()
            yield from merged({f"{name}.{part}": inner for part, inner in parts})
            continue
        setting = {"name": name, "label": schema["title"], "kind": kind(name, schema)}
        setting["description"] = edited(schema["description"])
        if schema.get("default") is not None:
            setting["value"] = schema["default"]
        if setting["kind"] == "options":
            setting["options"] = [{"label": each, "value": each} for each in schema["enum"]]
        if setting["kind"] == "password":
            setting["sensitive"] = True
        yield setting


def kind(name: str, schema: dict[str, Any]) -> str:
    [first, *_] = [each for each in schema["type"] if each != "null"]
    if first == "string" and any(part in name for part in SECRET_NAMES):
        return "password"
    if first == "string" and schema.get("enum"):
        return "options"
    return "decimal" if first == "number" else str(first)


def edited(description: str) -> str:
    words = [
        word if any(kept in word for kept in KEPT_WORDS) else word.replace(".", ". ").strip()
        for word in description.split()
    ]
    sentences = " ".join(words).split(". ")
    return ". ".join(
        each if each[0].isupper() or each[0] == "'" else each.capitalize() for each in sentences
    )


@pytest.fixture
def rewritten(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """The definition's settings after the merge."""
    return {each["name"]: each for each in merged(about(capsys)["settings"]["properties"])}


def test_merge_keeps_labels_and_descriptions(rewritten: dict[str, dict[str, Any]]) -> None:
    ours = {each["name"]: each for each in DEFINITION["settings"]}
    assert rewritten.keys() == ours.keys()
    for name, setting in rewritten.items():
        assert (name, setting["label"], setting["description"]) == (
            name,
            ours[name]["label"],
            ours[name]["description"],
        )


def test_merged_settings_have_no_defaults_or_choices(rewritten: dict[str, dict[str, Any]]) -> None:
    assert {each["kind"] for each in rewritten.values()} == {"string", "password", "object"}
    assert not [each for each in rewritten.values() if "value" in each]


def test_merged_secrets_are_sensitive(rewritten: dict[str, dict[str, Any]]) -> None:
    sensitive = {name for name, each in rewritten.items() if each.get("sensitive")}
    secret = {name for name, setting in SETTINGS.items() if setting.secret}
    # The bot goes by names. The password of quota_store is a setting of its own.
    assert secret - sensitive == {"quota_store", "notify_url"}
    assert "quota_store_password" in sensitive


class Project:
    """A Meltano project whose loader has the settings that the bot wrote."""

    def __init__(self, folder: Path, settings: list[dict[str, Any]]) -> None:
        self._folder = folder
        self._settings = settings
        echo = folder / "echo"
        echo.write_text(ECHO.format(python=sys.executable), encoding="utf-8")
        echo.chmod(0o700)

    def invoke(
        self,
        command: str = "target-gainsight",
        config: dict[str, Any] | None = None,
        **variables: str,
    ) -> dict[str, Any]:
        """Let Meltano run the loader; return the configuration file and the variables it passes."""
        loader = {
            **{name: DEFINITION[name] for name in ("name", "namespace")},
            "executable": "./echo",
            "commands": {"echo": {"executable": "./echo", "args": ""}},
            "settings": self._settings,
            "config": config or {},
        }
        content = {"send_anonymous_usage_stats": False, "plugins": {"loaders": [loader]}}
        (self._folder / "meltano.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
        foreign = ("TARGET_GAINSIGHT_", "MELTANO_")
        environment = {n: v for n, v in os.environ.items() if not n.startswith(foreign)}
        done = subprocess.run(
            [COMMANDS / "meltano", "invoke", command],
            cwd=self._folder,
            env=environment | {f"TARGET_GAINSIGHT_{n.upper()}": v for n, v in variables.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        passed: dict[str, Any] = json.loads(done.stdout)
        return passed


@pytest.fixture
def project(
    tmp_path: Path, rewritten: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, list(rewritten.values()))


def started(passed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> TargetGainsight:
    """The target, started with what Meltano passes to it."""
    for name, value in passed["variables"].items():
        monkeypatch.setenv(name, value)
    return TargetGainsight(config=passed["config"])


@pytest.mark.e2e
def test_variables_reach_the_target_through_meltano(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = project.invoke(
        domain="sandbox",
        load_method="append-only",
        lookup_keys="Name,Industry",
        streams='{"crm.accounts": {"object_type": "company"}, "b": {"object_type": "person"}}',
        stream_maps='{"crm.accounts": {"Name": "name"}}',
        batch_size_rows="7",
    )
    target = started(passed, monkeypatch)
    assert set(target.settings.streams) == {"crm.accounts", "b"}
    stream = target.settings.for_stream("crm.accounts")
    assert stream is not None
    assert stream.sync_mode == "insert"
    assert target.config["stream_maps"] == {"crm.accounts": {"Name": "name"}}
    assert target.config["batch_size_rows"] == 7
    assert passed["config"]["lookup_keys"] == "Name,Industry"


@pytest.mark.e2e
def test_wrong_values_are_reported_by_the_target(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = project.invoke(
        domain="sandbox", dry_run="tru", calls_per_minute="a hundred", sync_mode="upserts"
    )
    with pytest.raises(ConfigValidationError) as refused:
        started(passed, monkeypatch)
    assert sorted(refused.value.errors) == [
        "calls_per_minute: got 'a hundred', expected a whole number of at least 1.",
        "dry_run: got 'tru', expected true or false.",
        (
            "sync_mode: got 'upserts', expected one of upsert, insert, update. "
            "Did you mean 'upsert'?"
        ),
    ]


@pytest.mark.e2e
def test_loader_and_commands_get_same_settings(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "domain": "sandbox",
        "dry_run": True,
        "calls_per_minute": 250,
        "lookup_keys": ["Name", "Industry"],
        "streams": {
            "crm.accounts": {"object_type": "company", "constants": {"Status": None, "Tier": 3}},
            "people": {"object_type": "person"},
        },
    }
    loader = started(project.invoke(config=config), monkeypatch).settings
    command = project.invoke("target-gainsight:echo", config=config)
    for name, value in command["variables"].items():
        monkeypatch.setenv(name, value)
    given = read_raw_settings({}, TargetGainsight.config_jsonschema, parse_env=True)
    assert parse_settings(given) == loader
    assert loader.dry_run is True
    stream = loader.for_stream("crm.accounts")
    assert stream is not None
    assert stream.constants == {"Status": None, "Tier": 3}
