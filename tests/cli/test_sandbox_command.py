"""`gainsight sandbox`: serve until stopped, show what is in the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from target_gainsight.cli import main
from target_gainsight.sandbox import start_sandbox

_OBJECTS = {
    "NPS__gc": {"fields": {"company__gc": {"type": "LOOKUP", "object": "company"}, "note__gc": {}}}
}


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A tenant with two companies and an NPS response, its server ended."""
    path = tmp_path / "tenant.db"
    with start_sandbox(path, config={"objects": _OBJECTS}) as running:
        acme, _ = running.tenant.seed(
            "company",
            [
                {"Name": "Acme [x]", "Stage": "Launched", "Tags": ["Pilot", "Reference"]},
                {"Name": "Bolt", "ARR": 12.5},
            ],
        )
        running.tenant.seed("NPS__gc", [{"company__gc": acme, "note__gc": "long " * 30}])
    return path


def test_version_and_subcommands_are_shown() -> None:
    assert "gainsight, version" in _run("--version").output
    assert "sandbox" in _run("--help").output
    assert _run("nothing").exit_code == 2


def test_show_counts_rows_of_objects_that_have_some(database: Path) -> None:
    shown = _run("sandbox", "show", "--db", database)
    assert shown.exit_code == 0
    lines = [line.split("│") for line in shown.output.splitlines() if "│" in line]
    assert [[cell.strip() for cell in line[1:3]] for line in lines] == [
        ["company", "2"],
        ["gsuser", "3"],
        ["NPS__gc", "1"],
    ]


def test_show_all_counts_empty_objects_last(database: Path) -> None:
    shown = _run("sandbox", "show", "--db", database, "--all", "--format", "json")
    counts = json.loads(shown.output)
    assert list(counts)[:3] == ["company", "gsuser", "NPS__gc"]
    assert counts["person"] == 0


def test_show_prints_rows_with_labels_and_names(database: Path) -> None:
    shown = _run("sandbox", "show", "Company", "--db", database).output
    assert "company: 2 of 2 rows" in shown
    assert "Acme [x]" in shown
    assert "Launched" in shown
    assert "Pilot, Reference" in shown
    assert "Industry" not in shown
    assert "Gsid" not in shown
    responses = _run("sandbox", "show", "nps__gc", "--db", database).output
    assert "Acme [x]" in responses
    assert "…" in responses


def test_show_all_prints_every_column_whole(database: Path) -> None:
    shown = _run("sandbox", "show", "company", "--db", database, "--all").output
    assert "ParentCompany" in shown
    assert "Gsid" in shown


def test_show_limits_the_rows(database: Path) -> None:
    shown = _run("sandbox", "show", "company", "--db", database, "--limit", 1).output
    assert "company: 1 of 2 rows" in shown
    assert "Bolt" not in shown


def test_show_as_json(database: Path) -> None:
    rows = json.loads(
        _run("sandbox", "show", "company", "--db", database, "--format", "json").output
    )
    assert [row["Name"] for row in rows] == ["Acme [x]", "Bolt"]
    assert rows[0]["Tags"] == ["Pilot", "Reference"]


def test_show_leaves_nothing_beside_the_file(database: Path) -> None:
    _run("sandbox", "show", "--db", database)
    assert list(database.parent.iterdir()) == [database]


def _refused(*arguments: object) -> str:
    result = _run(*arguments)
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
    return result.output


def test_show_names_a_missing_file_and_creates_none(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.db"
    assert str(path) in _refused("sandbox", "show", "--db", path)
    assert not path.exists()


def test_show_refuses_a_file_that_is_not_a_tenant(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database " * 100)
    assert "cannot be used as a tenant's file" in _refused("sandbox", "show", "--db", path)
    path.write_bytes(b"")
    assert "cannot be used as a tenant's file" in _refused("sandbox", "show", "--db", path)


def test_show_of_unknown_object_lists_the_objects(database: Path) -> None:
    message = _refused("sandbox", "show", "Compny", "--db", database)
    assert "no object 'Compny'" in message
    assert "NPS__gc" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limits", "calls_per_minute"], "--limits takes name=number"),
        (["--limits", "calls_per_minute=many"], "--limits takes name=number"),
        (["--limits", "calls=1"], "unknown key 'calls'"),
        (["--config", "nowhere.yml"], "nowhere.yml cannot be read"),
        (["--db", "nowhere/tenant.db"], "cannot serve nowhere/tenant.db"),
    ],
)
def test_serve_reports_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in _refused("sandbox", "serve", "--port", 0, *arguments)


def test_serve_reports_a_port_in_use(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "one.db") as running:
        port = running.base_url.rpartition(":")[2]
        message = _refused("sandbox", "serve", "--port", port, "--db", tmp_path / "two.db")
    assert f"on port {port}" in message


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.e2e)]
)
def test_serve_runs_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    config = tmp_path / "tenant.yml"
    config.write_text("access_key: from-config\n")
    command = [sys.executable, "-c", "from target_gainsight.cli import main; main()"]
    command += ["sandbox", "serve", "--port", "0", "--db", str(tmp_path / "tenant.db")]
    command += ["--config", str(config), "--limits", "calls_per_minute=1, minute_seconds=1e6"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(11)]
        url = lines[0].rpartition(" ")[2].strip()
        headers = {"accesskey": "from-config"}
        path = f"{url}/v1/meta/services/objects/list"
        assert requests.get(path, headers=headers, timeout=60).status_code == 200
        assert requests.get(path, headers=headers, timeout=60).status_code == 429
        assert f"See the data in a browser: {url}/\n" in lines
        assert "Latest calls" in requests.get(f"{url}/", timeout=60).text
        client = [line.split()[1] for line in lines if line.startswith("  client_")]
        token = requests.post(f"{url}/v1/users/m2m/oauth/token", auth=tuple(client), timeout=60)
        assert token.status_code == 200
        process.send_signal(number)
        assert process.stdout.read().endswith("Stopped.\n")
        assert process.wait(60) == 0
    assert f"  base_url: {url}\n" in lines
    assert "  access_key: from-config\n" in lines
