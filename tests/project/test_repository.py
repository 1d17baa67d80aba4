"""The repository contains what it must, and nothing that it must not."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
DEPENDENCIES = [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
LOCK = PROJECT / "requirements" / "dev.txt"
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))

# Joined here, so that this file does not hold what it forbids.
FORBIDDEN = re.compile(
    "|".join(
        (
            r"(?<![\w.~*$}-])/(?:work|root|home)/\w",
            r"file:///(?!etc/)\w",
            "py" + r"pi\.org/simple",
            "files.python" + r"hosted\.org",
            "deb.debian" + r"\.org",
            "registry.npm" + r"js\.org",
        )
    )
)


def tracked_text_files() -> list[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = []
    for name in filter(None, listed.stdout.split("\0")):
        path = PROJECT / name
        if path.is_file() and path.suffix != ".png":
            files.append((name, path.read_text(encoding="utf-8")))
    return files


def test_no_file_contains_local_paths_or_package_indexes() -> None:
    found = [
        (name, m.group()) for name, text in tracked_text_files() for m in FORBIDDEN.finditer(text)
    ]
    assert found == []


def test_changelog_has_an_unreleased_section() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "keepachangelog.com" in changelog
    assert changelog.index("## [Unreleased]") < changelog.index("### Added")


def test_package_metadata() -> None:
    package = metadata("target-gainsight")
    assert package["License-Expression"] == "Apache-2.0"
    assert package["Requires-Python"] == ">=3.10"
    assert {"sandbox", "redis"} <= set(package.get_all("Provides-Extra") or ())


def test_backoff_is_the_maintained_fork() -> None:
    names = {dependency.name for dependency in DEPENDENCIES}
    assert "python-backoff" in names
    assert "backoff" not in names
    assert not re.search(r"^backoff==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def test_lock_pins_every_dependency_to_an_allowed_version() -> None:
    pins = re.findall(r"^([\w.-]+)==([^ \\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    for dependency in DEPENDENCIES:
        versions = [version for name, version in pins if name == dependency.name]
        assert versions, dependency
        assert all(dependency.specifier.contains(version) for version in versions), dependency


def test_lock_has_hashes() -> None:
    pins = re.findall(r"^[\w.-]+==.*\n.*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert pins
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_lock_has_no_package_index() -> None:
    lock = LOCK.read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index-url" not in lock


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_have_no_default_permissions(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (\S+)(.*)", text)
    assert uses
    for action, comment in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+(\.\d+)+", comment)
    assert yaml.safe_load(text)["permissions"] == {}
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
