"""The container image and the files of examples/production: syntax, versions and settings.

scripts/production.sh checks them further, with the schemas and libraries of their tools.
"""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from target_gainsight.settings.model import SETTINGS

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted((PROJECT / "examples" / "production").iterdir())
PAGE = (PROJECT / "docs" / "production.md").read_text("utf-8")
DOCKERFILE = (PROJECT / "Dockerfile").read_text("utf-8")
LOCK = (PROJECT / "requirements" / "image.txt").read_text("utf-8")


def named(suffix: str) -> list[Any]:
    return [pytest.param(each, id=each.name) for each in FILES if each.suffix == suffix]


def instructions(name: str) -> list[str]:
    """Return the arguments of every instruction of this name in the Dockerfile."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("path", named(".yml"))
def test_yaml_file_parses(path: Path) -> None:
    documents = list(yaml.safe_load_all(path.read_text("utf-8")))
    assert all(isinstance(each, dict) for each in documents)


@pytest.mark.parametrize("path", named(".py"))
def test_python_file_compiles(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_variables_are_those_of_settings(path: Path) -> None:
    names = re.findall(r"TARGET_GAINSIGHT_([A-Z_]+)", path.read_text("utf-8"))
    assert {name.lower() for name in names} <= set(SETTINGS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_page_includes_every_file(path: Path) -> None:
    assert f'--8<-- "{path.relative_to(PROJECT).as_posix()}"' in PAGE


def test_image_has_a_pinned_base_and_an_unprivileged_user() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, re.MULTILINE)
    names = {name for _, name in stages}
    bases = {base for base, _ in stages} - names
    assert [each for each in bases if not re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", each)] == []
    assert instructions("USER") == ["10001"]
    assert DOCKERFILE.rstrip().endswith("\nFROM runtime")


def test_build_context_holds_what_is_copied() -> None:
    copied = [line.split() for line in instructions("COPY") if "--from" not in line]
    sources = [each for line in copied for each in line[:-1] if not each.startswith("--")]
    allowed = [
        line[1:]
        for line in (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    ]
    assert sorted(sources) == sorted(allowed)
    assert all((PROJECT / each).exists() for each in sources)


def test_image_installs_the_target_and_meltano() -> None:
    names = set(re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE))
    assert {"meltano", "singer-sdk", "redis", "starlette", "boto3"} <= names
    assert not any(fnmatch(name, "pytest*") for name in names)
