"""After a kill at any time, a run from the last written state loses and duplicates nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from meltano_project import CHECKOUT

pytestmark = pytest.mark.e2e


def soak(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_killed_runs_end_like_an_undisturbed_one() -> None:
    done = soak("--seed", "1", "--rounds", "5", "--seconds", "15", "--records", "300")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) kills in (\d+) rounds", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) >= 5


def test_soak_detects_states_written_too_early() -> None:
    done = soak("--seed", "1", "--rounds", "3", "--records", "300", "--eager")
    assert done.returncode == 1, done.stdout
    assert "missing" in done.stdout
