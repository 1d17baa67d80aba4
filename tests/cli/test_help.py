"""The help of all commands, and shell completion."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from commands import GAINSIGHT
from singer_runs import clean_environment

from target_gainsight.cli import main

QUICK_START = Path(__file__).resolve().parents[2] / "docs" / "quick-start.md"


def commands(
    group: click.Group = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands())
PATHS = [pytest.param(path, id=" ".join(path)) for path in COMMANDS]


def help_of(*path: str) -> str:
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    return shown.output


def examples(text: str) -> list[list[str]]:
    """Return the arguments of `gainsight` in the examples, without pipes and redirections."""
    lines = text.split("Examples:\n")[1].splitlines()
    words = [shlex.split(line.split(" > ")[0]) for line in lines]
    return [each[each.index("gainsight") + 1 :] for each in words if "gainsight" in each]


@pytest.mark.parametrize("path", PATHS)
def test_help_has_examples_that_parse(path: tuple[str, ...]) -> None:
    found = examples(help_of(*path))
    assert found
    for arguments in found:
        assert tuple(arguments[: len(path)]) == path
        named = max((each for each in COMMANDS if tuple(arguments[: len(each)]) == each), key=len)
        command = COMMANDS[named]
        command.make_parser(click.Context(command)).parse_args(arguments[len(named) :])


def test_settings_are_explained_once() -> None:
    explained = [path for path in [(), *COMMANDS] if "TARGET_GAINSIGHT_…" in help_of(*path)]
    assert explained == [()]


@pytest.mark.parametrize(
    "shell", ["bash", *(pytest.param(each, marks=pytest.mark.e2e) for each in ("zsh", "fish"))]
)
def test_shell_completion_works_as_documented(shell: str) -> None:
    assert f"_GAINSIGHT_COMPLETE={shell}_source gainsight" in QUICK_START.read_text("utf-8")
    words = {"COMP_WORDS": "gainsight rej", "COMP_CWORD": "rej" if shell == "fish" else "1"}
    environment = {**clean_environment(), **words, "_GAINSIGHT_COMPLETE": f"{shell}_complete"}
    done = subprocess.run([GAINSIGHT], env=environment, capture_output=True, text=True, check=True)
    assert "rejects" in done.stdout
    assert "check" not in done.stdout
