"""`gainsight report`: the report of a run, made afterwards from the history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from report_document import RUN, document
from singer_messages import record, schema
from singer_runs import Tenant

from target_gainsight.cli import main

OLDER = "20260131T020000Z-0a1b2c3d"


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the history of two runs."""
    lines = [document(run=OLDER), document()]
    path = tmp_path / "history.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments, "--rejects-path", str(folder)])


def test_report_made_afterwards_is_that_of_the_run(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    messages = [schema(), record(Name="A"), record(Name="B", Employees="many")]
    run = tenant.load(*messages, report_path=str(path))
    made = report(run.reject_path.parent, "latest", "--output", "-")
    assert made.stdout == path.read_text(encoding="utf-8")


def test_latest_run_is_the_default(history: Path) -> None:
    assert report(history).stdout.strip() == str(history / f"{RUN}.html")


def test_run_is_found_by_name_and_its_file_is_private(history: Path) -> None:
    made = report(history, OLDER)
    path = history / f"{OLDER}.html"
    assert made.stdout.strip() == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert OLDER in path.read_text(encoding="utf-8")


def test_output_names_the_file(history: Path) -> None:
    report(history, RUN, "--output", "night.html")
    assert RUN in (history / "night.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["20260101T000000Z-00000000", "../secrets"])
def test_unknown_run_is_refused_and_the_latest_is_named(history: Path, name: str) -> None:
    made = report(history, name)
    assert made.exit_code == 1
    assert f"there is no run '{name}' in " in made.output
    assert f"the latest one is {RUN}" in made.output


def test_folder_without_history_is_reported(tmp_path: Path) -> None:
    made = report(tmp_path)
    assert made.exit_code == 1
    assert "there is no run 'latest' in " in made.output


def test_clear_deletes_the_report_of_a_run(history: Path) -> None:
    report(history, RUN)
    cleared = CliRunner().invoke(
        main, ["rejects", "clear", RUN, "--yes", "--rejects-path", str(history)]
    )
    assert cleared.exit_code == 0
    assert not (history / f"{RUN}.html").exists()
