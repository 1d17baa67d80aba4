"""All documentation of settings is generated from their declaration."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from documented.declared import ESSENTIAL, PREFIX, Target, declared_target, variable
from documented.environment import environment_example
from documented.markdown import settings_reference, settings_table
from documented.meltano import definition, meltano_block
from documented.switches import tenant_tables

from docs import difference, generated_files, replace_between
from target_gainsight.sandbox.config.switches import Limits, Switches
from target_gainsight.settings.environment import read_raw_settings
from target_gainsight.settings.kinds import KINDS, OBJECT, Kind
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.settings.setting import Setting
from target_gainsight.target import TargetGainsight


@pytest.fixture(scope="module")
def target() -> Target:
    return declared_target()


def test_generated_files_are_up_to_date(target: Target) -> None:
    files = generated_files(target)
    assert {name: difference(name, text) for name, text in files.items()} == {
        ".env.example": "",
        "README.md": "",
        "docs/sandbox.md": "",
        "docs/settings.md": "",
        "hub/target-gainsight.yml": "",
        "meltano.yml": "",
    }


def test_new_setting_makes_generated_files_stale(target: Target) -> None:
    color = Setting("The color.", name="color")
    files = generated_files(replace(target, settings=(*target.settings, color)))
    fresh = {name for name, text in files.items() if not difference(name, text)}
    assert fresh == {"README.md", "docs/sandbox.md"}


def test_limits_and_switches_are_explained() -> None:
    tables = tenant_tables()
    for name in (*Limits.__dataclass_fields__, *Switches.__dataclass_fields__):
        assert f"| `{name}` | `" in tables
    without_match = "| `put_without_match` | `error`, `error_others_written`, `ignore` | whether an"
    assert without_match in tables
    assert "| `keys_gsid_refused` | `false`, `true` | whether" in tables
    assert "|  |" not in tables


@pytest.mark.parametrize("kind", [each for each in KINDS.values() if each is not OBJECT])
def test_settings_other_than_objects_are_text_to_meltano(kind: Kind) -> None:
    entry = definition(Setting("The color.", kind=kind, name="color", choices=("red", "green")))
    assert entry == {
        "name": "color",
        "label": "Color",
        "kind": "string",
        "description": "The color. One of `red`, `green`.",
    }


def test_secrets_are_marked_everywhere() -> None:
    key = Setting("The key.", secret=True, name="access_key")
    assert definition(key)["sensitive"] is True
    assert "[`access_key`](docs/settings.md#access_key) (secret)" in settings_table([key])
    assert "`access_key` (secret) | text" in settings_reference([key])
    assert "Secret." in environment_example([key])


def test_objects_are_nested_by_meltano() -> None:
    streams = Setting("The streams.", kind=OBJECT, name="streams")
    [entry] = yaml.safe_load(meltano_block([streams]))["settings"]
    assert entry["value_processor"] == "nest_object"


def test_definitions_have_no_defaults(target: Target) -> None:
    assert all("value" not in definition(setting) for setting in target.settings)


def test_readme_table_has_the_essential_settings(target: Target) -> None:
    rows = settings_table(target.settings).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(ESSENTIAL)


def test_reference_has_a_table_per_group(target: Target) -> None:
    groups = settings_reference(target.settings).split("## ")[1:]
    assert [group.split("\n")[0] for group in groups[:2]] == ["Connection", "Streams"]
    assert groups[-1].startswith("Singer SDK\n")
    assert '<a id="stream_maps"></a>`stream_maps` | object' in groups[-1]
    rows = [line for group in groups for line in group.splitlines() if line.startswith("| <a")]
    assert len(rows) == len(target.settings)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("domain", "top"),
        ("streams", "top"),
        ("lookup_keys", "top, `streams`"),
        ("survey_columns", "top, `streams`"),
        ("transport", "`streams`"),
    ],
)
def test_reference_shows_where_a_setting_can_be_used(target: Target, name: str, where: str) -> None:
    lines = settings_reference(target.settings).splitlines()
    [row] = [line for line in lines if f"</a>`{name}`" in line]
    assert row.split(" | ")[2] == where


def test_env_example_equals_the_defaults(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = environment_example(target.top_settings).splitlines()
    given = [line[1:].split("=", 1) for line in lines if line.startswith(f"#{PREFIX}")]
    assert [name for name, _ in given] == [variable(setting) for setting in target.top_settings]
    monkeypatch.setenv("TARGET_GAINSIGHT_DOMAIN", "sandbox")
    expected = parse_settings({"domain": "sandbox"})
    for name, value in given:
        if value:
            monkeypatch.setenv(name, value)
    read = read_raw_settings({}, TargetGainsight.config_jsonschema, parse_env=True)
    assert read["skip_unchanged"] == "true"
    assert parse_settings(read) == expected


def test_only_the_lines_between_the_markers_change() -> None:
    text = "a\n  # begin (x)\nold\nold\n  # end\nz\n"
    changed = replace_between(text, "# begin", "# end", "new\n")
    assert changed == "a\n  # begin (x)\nnew\n  # end\nz\n"


@pytest.mark.parametrize("text", ["", "# begin\n", "# begin\n# begin\n# end\n"])
def test_missing_and_doubled_markers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        replace_between(text, "# begin", "# end", "")
