"""The README matches the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from documented.declared import ESSENTIAL

from target_gainsight.cli.main import main
from target_gainsight.settings.parsing import parse_settings

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def bash_blocks() -> list[str]:
    return [body for language, body in FENCE.findall(README) if language == "bash"]


def test_first_two_commands_are_one_line_each_and_their_scripts_exist() -> None:
    for block in bash_blocks()[:2]:
        [command] = block.splitlines()
        program, script = command.split()
        assert program == "sh"
        assert (PROJECT / script).is_file()


def test_first_command_is_the_demo_and_second_the_tests() -> None:
    assert bash_blocks()[:2] == ["sh scripts/demo.sh\n", "sh scripts/test.sh\n"]


def test_readme_states_where_to_run_the_first_command() -> None:
    before = README.split("```bash")[0]
    assert "clone of this repository" in before


def test_settings_table_has_the_essential_settings() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| [`")]
    assert [row.split("`")[1] for row in rows] == list(ESSENTIAL)


def test_commands_exist() -> None:
    shown = {*re.findall(r"`gainsight (\w+)", README), *re.findall(r"gainsight:(\w+)", README)}
    assert {"check", "describe", "rejects"} <= shown <= set(main.list_commands(None))


def test_relative_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    missing = [target for target in targets if not (PROJECT / target).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "block", [b for language, b in FENCE.findall(README) if language == "yaml"]
)
def test_yaml_examples_are_valid_settings(block: str) -> None:
    example = yaml.safe_load(block)
    if "plugins" in example:
        [loader] = example["plugins"]["loaders"]
        example = loader["config"]
    config = {"domain": "sandbox", "access_key": "k", **example}
    parse_settings({name: value for name, value in config.items() if name != "stream_maps"})


def test_links_into_pages_lead_to_anchors() -> None:
    links = re.findall(r"\]\((docs/[^)#]+)#([^)]+)\)", README)
    assert links
    for page, anchor in links:
        text = (PROJECT / page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {anchor_of(heading) for heading in headings}
        assert anchor in anchors | set(re.findall(r'<a id="(\w+)"></a>', text))


def anchor_of(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_links_inside_the_page_lead_to_headings() -> None:
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {anchor_of(heading) for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", README))
    assert wanted <= anchors
