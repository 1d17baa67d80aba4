"""docs/: the pages match the code."""

from __future__ import annotations

import importlib
import importlib.resources
import json
import math
import operator
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from declared_codes import gainsights_codes, own_code_patterns, own_codes

from target_gainsight.cli.main import main
from target_gainsight.sandbox import start_sandbox
from target_gainsight.sandbox.config.config import load_config
from target_gainsight.settings.parsing import parse_settings

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
REPOSITORY = "https://github.com/target-gainsight/target-gainsight/blob/main/"
PAGES = {
    str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.md"))
}
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


def with_snippets(body: str) -> str:
    """Return a block as the site shows it, with included files."""
    return SNIPPET.sub(lambda found: (PROJECT / found[1]).read_text(encoding="utf-8"), body)


def blocks(language: str) -> list[Any]:
    return [
        pytest.param(with_snippets(body), id=f"{page}-{number}")
        for page, text in PAGES.items()
        for number, (found, body) in enumerate(FENCE.findall(text))
        if found == language
    ]


def section(page: str, heading: str) -> str:
    after = PAGES[page].split(f"\n## {heading}\n", 1)[1]
    return after.split("\n## ", 1)[0]


def cells(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def first_codes(text: str) -> set[str]:
    """Return the code spans in the first cells of a section's tables."""
    return {code for row in cells(text) for code in re.findall(r"`([^`]+)`", row[0])}


def configuration_blocks() -> list[Any]:
    """Return the blocks of YAML that are for Meltano or the sandbox, not for another program."""
    return [
        each
        for each in blocks("yaml")
        if not re.search("^(on|kind):", each.values[0], re.MULTILINE)
    ]


@pytest.mark.parametrize("block", configuration_blocks())
def test_yaml_examples_are_valid_settings_or_sandbox_files(block: str) -> None:
    example = yaml.safe_load(block)
    if "include_paths" in example:
        assert all((PROJECT / path).is_file() for path in example["include_paths"])
        return
    if "config" not in example and "plugins" not in example:
        load_config(example)
        return
    for config in configurations(example):
        key = {"access_key": "k"} if "domain" in config and "client_id" not in config else {}
        given = {"domain": "sandbox", **key, **config}
        parse_settings({name: value for name, value in given.items() if name != "stream_maps"})


def configurations(example: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the settings of an example: of one loader, or of all loaders of a project."""
    if "plugins" in example:
        return [loader.get("config", {}) for loader in example["plugins"].get("loaders", ())]
    return [example["config"]]


@pytest.mark.parametrize("block", [each for each in blocks("yaml") if "plugins:" in each.values[0]])
def test_meltano_accepts_project_examples(block: str) -> None:
    packaged = importlib.resources.files("meltano.schemas") / "meltano.schema.json"
    jsonschema.validate(yaml.safe_load(block), json.loads(packaged.read_text(encoding="utf-8")))


def test_repository_links_lead_to_files() -> None:
    linked = {
        target
        for text in PAGES.values()
        for target in re.findall(re.escape(REPOSITORY) + r"([^)#\s]+)", text)
    }
    assert linked
    assert [target for target in linked if not (PROJECT / target).exists()] == []


def test_commands_exist() -> None:
    text = "".join(PAGES.values())
    shown = set(re.findall(r"(?<!target-)gainsight (\w+)", "\n".join(re.findall("`[^`]+`", text))))
    invoked = set(re.findall(r"target-gainsight:(\w+)", text))
    assert shown
    assert shown | invoked <= set(main.list_commands(None))


def test_scripts_exist() -> None:
    scripts = {name for text in PAGES.values() for name in re.findall(r"scripts/[\w.]+\.\w+", text)}
    assert scripts
    assert [name for name in scripts if not (PROJECT / name).is_file()] == []


def test_functions_on_the_path_of_a_record_exist() -> None:
    steps = section("architecture.md", "The path of a record")
    named = re.findall(r"`([\w/]+)\.py`: `([\w.]+)`", steps)
    assert len(named) >= 10
    for path, name in named:
        module = importlib.import_module(f"target_gainsight.{path.replace('/', '.')}")
        operator.attrgetter(name)(module)


def test_packages_are_described_and_no_others() -> None:
    packages = PROJECT / "target_gainsight"
    folders = {each.parent.name for each in packages.glob("*/__init__.py")}
    described = first_codes(section("architecture.md", "Packages"))
    assert described == {*folders, "target.py"}


def test_own_codes_are_explained_and_no_others() -> None:
    explained = first_codes(section("when-things-fail.md", "Our codes"))
    literal, patterns = own_codes(), own_code_patterns()
    assert literal - explained == set()
    unknown = explained - literal
    assert [c for c in unknown if not any(re.fullmatch(p, c) for p in patterns)] == []
    assert [p for p in patterns if not any(re.fullmatch(p, c) for c in unknown)] == []


def test_gainsight_codes_that_the_client_handles_are_explained() -> None:
    explained = first_codes(section("when-things-fail.md", "Gainsight's codes"))
    assert len(gainsights_codes()) >= 8
    assert gainsights_codes() - explained == set()


def arithmetic() -> list[list[str]]:
    text = PAGES["limits.md"].split("<!-- arithmetic: begin -->")[1]
    return list(cells(text.split("<!-- arithmetic: end -->")[0]))[2:]


@pytest.mark.parametrize("row", arithmetic(), ids=lambda row: row[0])
def test_load_table_adds_up(row: list[str]) -> None:
    records, changed, per_write, reads, writes, calls = (
        int(cell.replace(",", "")) for cell in row[1:7]
    )
    assert reads == math.ceil(records / 1000)
    assert writes == math.ceil(changed / per_write)
    assert calls == reads + writes
    assert row[7] == shown_minutes(calls / 90)
    assert int(row[8]) == math.ceil(calls / 45_000)


def shown_minutes(minutes: float) -> str:
    if minutes < 1:
        return "under 1 min"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def test_library_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "tenant.db") as tenant:
        done = subprocess.run(
            [sys.executable, DOCS / "examples" / "library.py"],
            env={
                **os.environ,
                "GAINSIGHT_URL": tenant.base_url,
                "GAINSIGHT_ACCESS_KEY": tenant.access_key,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    [shown] = [body for language, body in FENCE.findall(PAGES["library.md"]) if language == "text"]
    assert (done.stderr, done.stdout) == ("", shown)
    assert '--8<-- "docs/examples/library.py"' in PAGES["library.md"]


def test_site_and_hub_share_the_logo() -> None:
    logo = (PROJECT / "hub" / "gainsight.svg").read_bytes()
    assert (DOCS / "assets" / "gainsight.svg").read_bytes() == logo
