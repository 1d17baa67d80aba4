"""Output at a terminal: as wide as the terminal, and without color if asked for."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from commands import GAINSIGHT
from rich.cells import cell_len
from singer_messages import record, schema
from singer_runs import clean_environment, run_command

pytestmark = pytest.mark.e2e

SETTINGS = {"domain": "sandbox", "object_type": "company", "max_reject_percent": 100}
MESSAGES = [
    schema(),
    record(Name="Acme", Industry="Software and services for everybody"),
    record(Name="An unusually long name of a company", Employees="more than anybody can count"),
    record(Name="Initech", RenewalDate="sometime-in-the-next-century-or-so"),
]
TABLES = ["rejects list", "rejects show latest", "describe company", "sandbox show Company"]
COLOR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    run_command(folder=folder, messages=MESSAGES, settings=SETTINGS)
    return folder


def shown_at(columns: int, command: str, project: Path, **environment: str) -> str:
    """Return the output of a command at a terminal of that many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    source = [] if command.startswith("sandbox") else ["--config", "config.json"]
    inherited = {
        name: value
        for name, value in clean_environment().items()
        if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"}
    }
    with subprocess.Popen(
        [GAINSIGHT, *command.split(), *source],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=project,
        env=inherited | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | environment,
    ):
        os.close(slave)
        return _read_all(master).decode()


def _read_all(descriptor: int) -> bytes:
    parts = []
    try:
        while part := os.read(descriptor, 65_536):
            parts.append(part)
    except OSError:  # how Linux ends a terminal that nobody holds open any more
        pass
    os.close(descriptor)
    return b"".join(parts)


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", TABLES)
def test_tables_fit_the_terminal(command: str, columns: int, project: Path) -> None:
    lines = COLOR.sub("", shown_at(columns, command, project)).splitlines()
    assert len(lines) > 3
    assert max(map(cell_len, lines)) <= columns


@pytest.mark.parametrize("columns", [40, 400])
def test_no_value_is_truncated(columns: int, project: Path) -> None:
    shown = shown_at(columns, "rejects show latest", project, NO_COLOR="1")
    words = re.sub(r"[^\w-]", "", shown)
    assert "sometime-in-the-next-century-or-so" in words


@pytest.mark.parametrize("command", [*TABLES, "check"])
def test_no_color_is_honored(command: str, project: Path) -> None:
    assert "\x1b[" in shown_at(120, command, project)
    assert "\x1b" not in shown_at(120, command, project, NO_COLOR="1")


def test_tables_are_complete_without_a_terminal(project: Path) -> None:
    run = subprocess.run(
        [GAINSIGHT, "rejects", "show", "latest", "--config", "config.json"],
        cwd=project,
        env=clean_environment() | {"COLUMNS": "40"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    rejects = run.stdout.splitlines()[3:-1]
    assert len(rejects) == 2
    assert "sometime-in-the-next-century-or-so" in rejects[1]


def test_json_is_the_same_at_a_terminal(project: Path) -> None:
    shown = shown_at(20, "rejects show latest --format json", project)
    assert len(json.loads(shown)) == 2
