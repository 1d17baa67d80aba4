"""A run and the output of the commands, in any environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from singer_messages import TEXT, record, schema, state
from singer_runs import errors_in, lines_of

from target_gainsight.sandbox import start_sandbox

pytestmark = pytest.mark.e2e

SCRIPTS = Path(sys.executable).parent
NAME = "Ärzte 雪 😀"
MESSAGES = [
    schema("fürmen", {"Name": TEXT, "Employees": TEXT, "RenewalDate": TEXT}, ["Name"]),
    record("fürmen", Name=NAME, RenewalDate="2026-03-01"),
    record("fürmen", Name=f"{NAME}?", Employees="vïele"),
    state(stand="ß"),
]
SETTINGS = {
    "domain": "sandbox",
    "object_type": "company",
    "constants": {"Industry": "Bücher ✓"},
    "max_reject_percent": 100,
}
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "nothing set": {},
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Latin-1 streams": {"PYTHONIOENCODING": "latin-1"},
    "far time zone": {"TZ": "Pacific/Kiritimati"},
    "narrow terminal": {"COLUMNS": "1"},
    "no home": {"HOME": "/nonexistent"},
    "proxy for everything": {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"},
    "optimized Python": {"PYTHONOPTIMIZE": "2"},
}


def run_in(
    environment: Mapping[str, str], folder: Path, command: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run an installed command with these variables, PATH, and nothing else."""
    name, *arguments = command.split()
    return subprocess.run(
        [str(SCRIPTS / name), *arguments, "--config", "config.json"],
        input=given,
        capture_output=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"} | environment,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(
        json.dumps(SETTINGS, ensure_ascii=False), encoding="utf-8"
    )
    return tmp_path


def rows_in(folder: Path) -> list[dict[str, Any]]:
    with start_sandbox(folder / "gainsight-sandbox.db") as sandbox:
        return sandbox.tenant.rows("Company")


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_run_does_not_depend_on_the_environment(environment: dict[str, str], folder: Path) -> None:
    given = lines_of(MESSAGES)
    assert given.isascii()
    run = run_in(environment, folder, "target-gainsight", given)
    assert (run.returncode, errors_in(run.stderr)) == (0, [])
    assert [json.loads(line) for line in run.stdout.splitlines()] == [{"stand": "ß"}]
    (row,) = rows_in(folder)
    assert (row["Name"], row["Industry"], row["RenewalDate"]) == (NAME, "Bücher ✓", "2026-03-01")
    shown = run_in(environment, folder, "gainsight rejects show latest --format json")
    (reject,) = json.loads(shown.stdout)
    assert reject["key"] == {"Name": f"{NAME}?"}
    for command in ("rejects list", "describe company", "check"):
        done = run_in(environment, folder, f"gainsight {command}")
        assert (done.returncode, done.stderr) == (0, "")


def test_files_are_private_whatever_the_umask(folder: Path) -> None:
    run = subprocess.run(
        ["sh", "-c", f"umask 000; exec {SCRIPTS}/target-gainsight --config config.json"],
        input=lines_of(MESSAGES),
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        encoding="utf-8",
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert run.returncode == 0
    written = [folder / "gainsight-sandbox.db", *(folder / "gainsight-rejects").glob("*Z-*")]
    assert len(written) == 3
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
