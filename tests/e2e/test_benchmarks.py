"""The benchmarks run from end to end; what they measure is never asserted here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from meltano_project import CHECKOUT

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("benchmarks") / "benchmarks.md"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", "--output", str(path)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = path.read_text(encoding="utf-8")
    assert done.stdout.strip() == text.strip()
    return text


def test_every_comparison_is_a_table_with_figures(report: str) -> None:
    sections = report.split("\n## ")[1:]
    assert len(sections) == 8
    for section in sections:
        rows = [line for line in section.splitlines() if line.startswith("| ")]
        assert len(rows) >= 3, section
        assert len({row.count(" | ") for row in rows}) == 1, section


def test_the_report_can_be_repeated_and_names_no_machine(report: str) -> None:
    assert "python -m benchmarks --tiny" in report
    assert re.search(r"\d+ cores, \d+ GiB", report)
    assert "singer-sdk 0." in report
    assert not re.search(r"(^|[\s`])/\w+/\w", report)


def test_calls_are_counted_exactly(report: str) -> None:
    rows = [line.strip("| ").split(" | ") for line in report.splitlines() if line.startswith("| ")]
    counted = {row[0]: row[1:3] for row in rows if len(row) == 6}
    assert counted["insert"] == ["3", "2"]
    assert counted["upsert, half new"] == ["5", "6"]
    # A page of exactly 100 rows may be the tenant's default size, so the next one is read as well.
    assert counted["upsert, nothing changed"] == ["3", "4"]
    assert counted["people, 1% changed"] == ["4", "100"]


def test_promises_are_marked(report: str) -> None:
    assert len(re.findall(r"^- .*: (?:held|MISSED)$", report, re.MULTILINE)) == 9
