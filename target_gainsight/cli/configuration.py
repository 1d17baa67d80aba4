"""Reads the settings for the commands, from files or from the environment that Meltano sets.

Errors are those of the target; a secret is never shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from target_gainsight.settings.environment import read_environment
from target_gainsight.settings.errors import SettingsError
from target_gainsight.settings.model import Settings
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.settings.table import CONFIG_SCHEMA

_Command = TypeVar("_Command", bound="Callable[..., object]")

ENVIRONMENT = "ENV"
PREFIX = "TARGET_GAINSIGHT_"
LOADER_PREFIX = "MELTANO_LOAD_"
"""Meltano's prefix for the settings of the loader that runs, whatever its name."""


def configured(command: _Command) -> _Command:
    """Give a command the option ``--config``, as parameter ``sources``."""
    option = click.option(
        "--config",
        "sources",
        multiple=True,
        metavar="FILE",
        help="Settings: a JSON file, or ENV; see 'gainsight --help'.",
    )
    return option(command)


def read_settings(sources: Iterable[str]) -> Settings:
    """Parse the settings for a command.

    Args:
        sources: Paths of JSON files; ``ENV`` stands for the environment, which wins over files.
            By default, the environment alone.

    Raises:
        click.ClickException: There are none, a file cannot be read, or they have errors.
    """
    raw = read_raw_settings(sources)
    if not raw:
        raise no_settings()
    try:
        return parse_settings(raw)
    except SettingsError as error:
        raise invalid_settings(error.errors) from None


def invalid_settings(errors: Iterable[str]) -> click.ClickException:
    """Return the error that lists what is wrong with the settings."""
    listed = "".join(f"\n  - {message}" for message in errors)
    return click.ClickException(f"the settings have errors:{listed}")


def no_settings() -> click.ClickException:
    """Return the error that there are no settings, with how to give some."""
    message = (
        "no settings found. Give a file with --config or set variables that begin with "
        f"{PREFIX}; with Meltano, set the loader's config in meltano.yml."
    )
    return click.ClickException(message)


def read_raw_settings(
    sources: Iterable[str], schema: Mapping[str, Any] = CONFIG_SCHEMA
) -> dict[str, Any]:
    """Read the settings without parsing them: setting name → value.

    Args:
        sources: As for ``read_settings``.
        schema: The settings that are read from the environment.

    Raises:
        click.ClickException: A file cannot be read.
    """
    named = tuple(sources)
    raw: dict[str, Any] = {}
    for source in named:
        if source != ENVIRONMENT:
            content = read_json(Path(source))
            if not isinstance(content, dict):
                message = f"{source} is not a JSON object of settings"
                raise click.ClickException(message)
            raw |= content
    if not named or ENVIRONMENT in named:
        variables = read_environment(schema, LOADER_PREFIX) | read_environment(schema, PREFIX)
        raw |= {name: value for name, value in variables.items() if value != ""}
    return raw


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read a file; None if it is not JSON. Its content is not shown: it may hold a secret.

    Raises:
        click.ClickException: It cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise click.ClickException(message) from None
    except ValueError:
        return None
