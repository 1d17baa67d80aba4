"""Settings are documented as the target declares them, wherever they are documented."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from documented.declared import PREFIX, Setting, Target, declared_target
from documented.environment import environment_example
from documented.markdown import settings_reference, settings_table
from documented.meltano import definition, kind, meltano_block
from documented.switches import tenant_tables

from docs import difference, generated_files, replace_between
from target_gainsight.sandbox.config.switches import Limits, Switches
from target_gainsight.settings import parse_settings, read_environment
from target_gainsight.target import TargetGainsight


@pytest.fixture(scope="module")
def target() -> Target:
    return declared_target()


def test_every_file_says_what_the_target_declares(target: Target) -> None:
    files = generated_files(target)
    assert {name: difference(name, text) for name, text in files.items()} == {
        ".env.example": "",
        "README.md": "",
        "docs/sandbox.md": "",
        "docs/settings.md": "",
        "hub/target-gainsight.yml": "",
        "meltano.yml": "",
    }


def test_a_new_setting_makes_every_file_of_settings_stale(target: Target) -> None:
    colour = Setting.from_schema("colour", {"type": "string", "description": "The colour."})
    files = generated_files(replace(target, settings=(*target.settings, colour)))
    assert [name for name, text in files.items() if not difference(name, text)] == [
        "docs/sandbox.md"
    ]


def test_every_limit_and_switch_of_the_local_tenant_is_explained() -> None:
    tables = tenant_tables()
    for name in (*Limits.__dataclass_fields__, *Switches.__dataclass_fields__):
        assert f"| `{name}` | `" in tables
    assert "| `put_without_match` | `error`, `ignore` | an update whose keys match" in tables
    assert "| `keys_gsid_refused` | `false`, `true` | whether" in tables
    assert "|  |" not in tables


def test_a_setting_is_read_from_its_schema() -> None:
    schema = {
        "type": ["string", "null"],
        "enum": ["red", "green", None],
        "default": "red",
        "title": "Colour",
        "description": "What it\nlooks like.",
        "secret": True,
    }
    setting = Setting.from_schema("colour", schema)
    assert setting.description == "What it looks like."
    assert setting.choices == ("red", "green")
    assert kind(setting) == "options"
    assert setting.secret


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": ["integer", "null"]}, "integer"),
        ({"type": "boolean"}, "boolean"),
        ({"type": ["object", "null"]}, "object"),
        ({"type": ["array", "null"]}, "array"),
        ({"type": ["array", "string", "null"]}, "string"),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, "object"),
    ],
)
def test_a_type_becomes_the_kind_that_survives_meltano(
    schema: dict[str, object], wanted: str
) -> None:
    assert kind(Setting.from_schema("x", schema)) == wanted


def test_a_secret_is_marked_wherever_it_is_shown() -> None:
    key = Setting.from_schema("key", {"type": "string", "secret": True})
    assert definition(key)["sensitive"] is True
    assert "`key` (secret)" in settings_table([key])
    assert "Type: text, secret" in settings_reference([key])
    assert "Secret." in environment_example([key])


def test_an_object_reaches_the_environment_nested_as_it_was_written() -> None:
    streams = Setting.from_schema("streams", {"type": "object"})
    [entry] = yaml.safe_load(meltano_block([streams]))["settings"]
    assert entry["value_processor"] == "nest_object"


def test_no_default_is_written_for_meltano_to_send() -> None:
    mode = Setting.from_schema("mode", {"type": "string", "default": "upsert"})
    assert "value" not in definition(mode)


def test_settings_of_the_sdk_are_told_apart(target: Target) -> None:
    table = settings_table(target.settings)
    assert "| `stream_maps`" not in table
    assert "`stream_maps`" in table.rsplit("From the Singer SDK, with its meaning:", 1)[1]
    own, sdk = settings_reference(target.settings).split("## Settings of the Singer SDK")
    assert "### stream_maps\n" in sdk
    assert "### streams\n" in own


def test_the_reference_says_which_settings_hold_for_one_stream(target: Target) -> None:
    sections = settings_reference(target.settings).split("\n### ")
    routed = {each.split("\n")[0] for each in sections if "entry of `streams`\n" in each}
    assert {"object_type", "lookup_keys", "max_creates"} <= routed
    assert not {"domain", "streams", "calls_per_minute"} & routed


def test_the_example_of_an_environment_reads_back_as_the_defaults(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = environment_example(target.settings).splitlines()
    given = [line[1:].split("=", 1) for line in lines if line.startswith(f"#{PREFIX}")]
    assert [name for name, _ in given] == [setting.variable for setting in target.settings]
    monkeypatch.setenv("TARGET_GAINSIGHT_DOMAIN", "sandbox")
    expected = parse_settings({"domain": "sandbox"})
    for name, value in given:
        if value:
            monkeypatch.setenv(name, value)
    read = read_environment(TargetGainsight.config_jsonschema, PREFIX)
    assert parse_settings(read) == expected
    assert read["skip_unchanged"] is True


def test_only_the_lines_between_the_markers_change() -> None:
    text = "a\n  # begin (x)\nold\nold\n  # end\nz\n"
    changed = replace_between(text, "# begin", "# end", "new\n")
    assert changed == "a\n  # begin (x)\nnew\n  # end\nz\n"


@pytest.mark.parametrize("text", ["", "# begin\n", "# begin\n# begin\n# end\n"])
def test_missing_and_doubled_markers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        replace_between(text, "# begin", "# end", "")
