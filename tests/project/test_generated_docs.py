"""The settings in README.md and meltano.yml are those that the target declares."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from types import ModuleType

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs", PROJECT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs"] = module
    spec.loader.exec_module(module)
    return module


def test_readme_and_meltano_yml_say_what_the_target_declares(docs: ModuleType) -> None:
    files = docs.generated_files(docs.declared_settings())
    assert {path.name: docs.difference(path, text) for path, text in files.items()} == {
        "README.md": "",
        "meltano.yml": "",
    }


def test_a_setting_is_read_from_its_schema(docs: ModuleType) -> None:
    schema = {
        "type": ["string", "null"],
        "enum": ["red", "green", None],
        "default": "red",
        "title": "Colour",
        "description": "What it\nlooks like.",
        "secret": True,
    }
    setting = docs.Setting.from_schema("colour", schema)
    assert setting.description == "What it looks like."
    assert setting.choices == ("red", "green")
    assert setting.meltano_kind == "options"
    assert setting.secret


@pytest.mark.parametrize(
    ("schema", "kind"),
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
    docs: ModuleType, schema: dict[str, object], kind: str
) -> None:
    assert docs.Setting.from_schema("x", schema).meltano_kind == kind


def test_a_secret_is_sensitive_in_meltano_and_marked_in_the_table(docs: ModuleType) -> None:
    key = docs.Setting.from_schema("key", {"type": "string", "secret": True})
    [entry] = yaml.safe_load(docs.meltano_settings([key]))["settings"]
    assert entry["sensitive"] is True
    assert "`key` (secret)" in docs.settings_table([key])


def test_an_object_reaches_the_environment_nested_as_it_was_written(docs: ModuleType) -> None:
    streams = docs.Setting.from_schema("streams", {"type": "object"})
    [entry] = yaml.safe_load(docs.meltano_settings([streams]))["settings"]
    assert entry["value_processor"] == "nest_object"


def test_no_default_is_written_for_meltano_to_send(docs: ModuleType) -> None:
    mode = docs.Setting.from_schema("mode", {"type": "string", "default": "upsert"})
    assert "value: upsert" not in docs.meltano_settings([mode])


def test_settings_of_the_sdk_are_told_apart(docs: ModuleType) -> None:
    maps = docs.Setting.from_schema("stream_maps", {"type": "object"})
    table = docs.settings_table([maps])
    assert "| `stream_maps`" not in table
    assert "From the Singer SDK, with its meaning: `stream_maps`." in table


def test_only_the_lines_between_the_markers_change(docs: ModuleType) -> None:
    text = "a\n  # begin (x)\nold\nold\n  # end\nz\n"
    assert (
        docs.replace_between(text, "# begin", "# end", "new\n")
        == "a\n  # begin (x)\nnew\n  # end\nz\n"
    )


@pytest.mark.parametrize("text", ["", "# begin\n", "# begin\n# begin\n# end\n"])
def test_missing_and_doubled_markers_are_refused(docs: ModuleType, text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        docs.replace_between(text, "# begin", "# end", "")
