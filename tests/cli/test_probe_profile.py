"""`gainsight sandbox serve --profile`: a sandbox that behaves as a probed tenant."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import Commands
from singer_runs import clean_environment

from target_gainsight.cli import main

SWITCHES: dict[str, Any] = {
    "no_rows": "nothing_matches",
    "row_keys": "upper",
    "metadata_status": 403,
    "query_max_values": 1_000,
    "ignores_wrong_filter": True,
    "timeline_query": "forbidden",
}


def profile_of(**positions: Any) -> dict[str, Any]:
    questions = {
        name: {"verdict": "handled", "observed": "", "switch": name, "position": position}
        for name, position in positions.items()
    }
    return {"format": 1, "version": "1", "date": "2026-02-28", "questions": questions}


def test_profiled_tenant_is_played(start_commands: Callable[..., Commands]) -> None:
    commands = start_commands(switches=SWITCHES)
    probed = commands.run("probe", "--format", "json", "--config", commands.config())
    (commands.folder / "profile.json").write_text(probed.output)
    command = [sys.executable, "-c", "from target_gainsight.cli import main; main()"]
    command += ["sandbox", "serve", "--port", "0", "--profile", "profile.json"]
    environment = {**clean_environment(), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=commands.folder
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        config = commands.config(base_url=url, access_key="sandbox")
        played = commands.run("probe", "--format", "json", "--config", config)
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    questions = json.loads(played.output)["questions"]
    assert {name: questions[name]["position"] for name in SWITCHES} == SWITCHES
    assert questions == json.loads(probed.output)["questions"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a profile of 'gainsight probe --format json'"),
        ("{}", "not a profile of 'gainsight probe --format json'"),
        ('{"format": 2, "questions": {}}', "in format 1"),
        (json.dumps(profile_of(no_rows="many")), "switches.no_rows: unknown value 'many'"),
        (json.dumps(profile_of(token_calls="2")), "switches.token_calls: a whole number is wanted"),
        (json.dumps(profile_of(newer=1, no_rows="x")), "no switch newer; skipped"),
    ],
)
def test_wrong_profile_is_refused(tmp_path: Path, content: str, message: str) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(content)
    arguments = ["sandbox", "serve", "--db", str(tmp_path / "t.db"), "--profile", str(profile)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert message in result.output


def test_missing_profile_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["sandbox", "serve", "--profile", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "cannot be used" in result.output
