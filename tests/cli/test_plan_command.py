"""`gainsight plan`: what a run would do, before it does it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from commands import GAINSIGHT, Commands
from singer_runs import COMMAND_SECONDS

from target_gainsight.cli import main

Message = dict[str, Any]

COLUMNS: Message = {
    "Name": {"type": "string"},
    "Industry": {"type": ["string", "null"]},
    "ARR": {"type": ["number", "null"]},
    "RenewalDate": {"type": ["string", "null"], "format": "date"},
}
SCHEMA: Message = {
    "type": "SCHEMA",
    "stream": "accounts",
    "schema": {"type": "object", "properties": COLUMNS},
    "key_properties": ["Name"],
}


def record(**fields: Any) -> Message:
    return {"type": "RECORD", "stream": "accounts", "record": fields}


def lines_of(messages: Iterable[Message]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


LINES = lines_of(
    [
        SCHEMA,
        record(Name="Initech", Industry="New", ARR=10.5, RenewalDate="2026-05-01"),
        record(Name="Hooli", Industry="Same"),
        record(Name="Globex"),
        record(Name="Odd", ARR="much"),
        {"type": "STATE", "value": {"done": 1}},
    ]
)


def plan(commands: Commands, *arguments: str, text: str = LINES, **settings: Any) -> Result:
    config = commands.config(**{"object_type": "company", **settings})
    return CliRunner().invoke(main, ["plan", "--config", config, *arguments], input=text)


@pytest.fixture
def commands(commands: Commands) -> Commands:
    """A tenant with two companies."""
    initech = {"Name": "Initech", "Industry": "Old", "ARR": 9.25, "RenewalDate": "2025-05-01"}
    commands.sandbox.tenant.seed("company", [initech, {"Name": "Hooli", "Industry": "Same"}])
    return commands


def test_plan_is_on_standard_output_and_nothing_is_written(commands: Commands) -> None:
    result = plan(commands)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("plan: nothing was written") == 1
    assert "plan: nothing was written" not in result.stderr
    assert "done" not in result.stdout
    for text in (
        "'accounts': would create 1, such as 'Globex'",
        "'accounts': would update 1, such as",
        "Industry: 'Old' → 'New'",
        "rejects schema_violation: 1",
        "cost: 5 calls (1 describe, 1 insert, 2 query, 1 update)",
    ):
        assert text in result.stdout
    assert commands.sandbox.tenant.count("company") == 2
    kinds = {call.kind for call in commands.sandbox.tenant.calls()}
    assert kinds == {"describe", "query"}
    assert [path.name for path in commands.folder.glob("gainsight-rejects*")] == []


def test_plan_as_json(commands: Commands) -> None:
    result = plan(commands, "--format", "json")
    assert result.exit_code == 0
    planned = json.loads(result.stdout)
    stream = planned["streams"]["accounts"]
    counted = {name: stream[name] for name in ("created", "updated", "unchanged", "rejected")}
    assert counted == {"created": 1, "updated": 1, "unchanged": 1, "rejected": 1}
    [update] = stream["examples_updated"]
    assert update["fields"]["ARR"] == {"before": 9.25, "after": 10.5}
    assert update["fields"]["RenewalDate"]["after"] == "2026-05-01"
    assert planned["cost"]["calls"] == 5
    assert planned["cost"]["fits_into_a_day"] is True


def test_messages_from_a_file(commands: Commands) -> None:
    path = commands.folder / "messages.singer"
    path.write_text(LINES)
    result = plan(commands, "--input", str(path), text="")
    assert result.exit_code == 0
    assert "'accounts': would create 1" in result.stdout
    missing = plan(commands, "--input", "nowhere.singer")
    assert missing.exit_code == 2
    assert "nowhere.singer" in missing.stderr


def test_settings_from_the_environment(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `meltano invoke target-gainsight:plan` passes them, the SDK's own included."""
    given = {
        "TARGET_GAINSIGHT_BASE_URL": commands.sandbox.base_url,
        "TARGET_GAINSIGHT_ACCESS_KEY": commands.sandbox.access_key,
        "MELTANO_LOAD_OBJECT_TYPE": "company",
        "TARGET_GAINSIGHT_STREAM_MAPS": '{"accounts": {"__filter__": "Name == \'Globex\'"}}',
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["plan", "--format", "json"], input=LINES)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["streams"]["accounts"]["read"] == 1


def test_run_that_would_stop_exits_1(commands: Commands, caplog: pytest.LogCaptureFixture) -> None:
    result = plan(
        commands,
        "--format",
        "json",
        max_creates=1,
        batch_size_rows=1,
        text=lines_of([SCHEMA, *(record(Name=f"C{n}") for n in range(5))]),
    )
    assert result.exit_code == 1
    assert "max_creates (1)" in caplog.text
    assert json.loads(result.stdout)["streams"]["accounts"]["read"] == 5


def test_wrong_access_key_exits_1_with_a_suggestion(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    result = plan(commands, access_key="wrong")
    assert result.exit_code == 1
    assert "access_key" in caplog.text


def test_setting_errors_are_listed(commands: Commands) -> None:
    result = plan(commands, sync_mode="sideways", max_creates="many")
    assert result.exit_code == 1
    assert "The settings have errors:" in result.stderr
    assert "sync_mode" in result.stderr
    assert "max_creates" in result.stderr
    nothing = CliRunner().invoke(main, ["plan"], input="")
    assert nothing.exit_code == 1
    assert "no settings found" in nothing.stderr


def test_summary_file_marks_a_dry_run(commands: Commands) -> None:
    path = commands.folder / "summary.json"
    assert plan(commands, summary_path=str(path)).exit_code == 0
    assert json.loads(path.read_text())["dry_run"] is True


def test_terminal_without_input_is_a_usage_error() -> None:
    master, terminal = pty.openpty()
    run = subprocess.run(
        [GAINSIGHT, "plan"],
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    os.close(master)
    os.close(terminal)
    assert run.returncode == 2
    assert "pipe a tap's output in, or name a file with --input" in run.stderr


def test_plan_names_rules_and_rows_found_by_fallback_keys(commands: Commands) -> None:
    given: Message = {
        "lookup_keys": ["TickerSymbol"],
        "fallback_keys": ["Name"],
        "field_rules": {"Industry": {"write": "empty"}, "ARR": {"compare": False}},
    }
    columns = {**COLUMNS, "TickerSymbol": {"type": "string"}}
    schema = {**SCHEMA, "schema": {"type": "object", "properties": columns}}
    text = lines_of([schema, record(Name="Initech", Industry="New", TickerSymbol="k1")])
    shown = plan(commands, text=text, **given).stdout
    assert "'accounts': would give the lookup keys to 1 row found by Name" in shown
    assert "Industry is written only where empty; 1 row would keep another value" in shown
    assert "ARR is not compared\n" in shown  # which rows differ in it is not known
    assert "TickerSymbol: null → 'k1'" in shown
    stream = json.loads(plan(commands, "--format", "json", text=text, **given).stdout)["streams"]
    assert stream["accounts"]["found_by_fallback"] == 1
    assert stream["accounts"]["fallback_keys"] == ["Name"]
    assert stream["accounts"]["field_rules"] == {
        "Industry": {"rule": "written only where empty", "rows_kept": 1},
        "ARR": {"rule": "not compared", "rows_kept": 0},
    }
