"""Unwritable standard output: exit 1 and one line, with and without buffering."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from singer_messages import record, schema, state
from singer_runs import Tenant, clean_environment, command_line, errors_in, lines_of

FULL = "No space left on device"
MESSAGES = [
    schema(),
    record(Name="Acme"),
    state(read=1),
    record(Name="Beta"),
    state(read=2),
]
SCRIPTS = Path(sys.executable).parent

buffering = pytest.mark.parametrize(
    "unbuffered",
    [pytest.param("", id="buffered"), pytest.param("1", id="unbuffered", marks=pytest.mark.e2e)],
)


@contextmanager
def full_disk() -> Iterator[int]:
    with Path("/dev/full").open("wb") as file:
        yield file.fileno()


@contextmanager
def closed_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def run_into(
    output: int, command: list[str], unbuffered: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdout=output,
        stderr=subprocess.PIPE,
        env=clean_environment() | {"PYTHONUNBUFFERED": unbuffered},
        encoding="utf-8",
        timeout=60,
        check=False,
        **options,
    )


@buffering
@pytest.mark.parametrize(
    ("unwritable", "reason"), [(full_disk, FULL), (closed_pipe, "Broken pipe")]
)
def test_unwritable_state_fails_the_run(
    unwritable: Any, reason: str, unbuffered: str, tmp_path: Path, tenant: Tenant
) -> None:
    command = command_line(tmp_path, tenant.settings)
    with unwritable() as output:
        run = run_into(output, command, unbuffered, cwd=tmp_path, input=lines_of(MESSAGES))
    assert run.returncode == 1
    (error,) = errors_in(run.stderr)
    assert error.startswith(f"The state cannot be written to standard output: {reason}.")
    assert run.stderr.splitlines()[-1].endswith(error)
    assert tenant.names() == ["Acme", "Beta"]


def test_closed_standard_output_fails_the_run(tmp_path: Path, tenant: Tenant) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *command_line(tmp_path, tenant.settings)]
    run = run_into(subprocess.DEVNULL, command, "", cwd=tmp_path, input=lines_of(MESSAGES))
    assert run.returncode == 1
    (error,) = errors_in(run.stderr)
    assert error.startswith("The state cannot be written to standard output: it is closed.")
    assert "calls: " in run.stderr  # the counts of the run are logged all the same


@pytest.mark.parametrize("arguments", ["rejects list", "sandbox show", "--help"])
def test_command_with_closed_output_ends_with_one_line(arguments: str, tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", str(SCRIPTS / "gainsight"), *arguments.split()]
    run = run_into(subprocess.DEVNULL, command, "", cwd=tmp_path)
    error = "Error: the output cannot be written: it is closed.\n"
    assert (run.returncode, run.stderr) == (1, error)


@buffering
@pytest.mark.parametrize(
    "command",
    ["target-gainsight --about", "target-gainsight --help", "gainsight --help"],
)
def test_unwritable_output_of_a_command_is_one_line(command: str, unbuffered: str) -> None:
    name, argument = command.split()
    with full_disk() as output:
        run = run_into(output, [str(SCRIPTS / name), argument], unbuffered)
    assert (run.returncode, run.stderr) == (1, f"Error: the output cannot be written: {FULL}.\n")


def test_full_standard_error_costs_no_record(tmp_path: Path, tenant: Tenant) -> None:
    with full_disk() as errors:
        run = subprocess.run(
            command_line(tmp_path, tenant.settings),
            input=lines_of(MESSAGES),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=tmp_path,
            env=clean_environment() | {"PYTHONUNBUFFERED": ""},
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert (run.returncode, run.stdout.splitlines()[-1]) == (0, '{"read":2}')
    assert tenant.names() == ["Acme", "Beta"]


def test_target_runs_as_module() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "target_gainsight", "--version"],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment(),
        check=True,
    )
    assert run.stdout.startswith("target-gainsight v")
