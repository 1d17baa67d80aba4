"""Reads the settings for the commands, from files or from the environment that Meltano sets.

Errors are those of the target; a secret is never shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.cli.output import file_errors
from target_gainsight.settings.environment import MELTANO_PREFIX, read_environment
from target_gainsight.settings.errors import SettingsError
from target_gainsight.settings.model import CONFIG_SCHEMA, Settings
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.singer.session import EXPECTED_ERRORS
from target_gainsight.target import TargetGainsight

ENVIRONMENT = "ENV"
PREFIX = "TARGET_GAINSIGHT_"

configured = click.option(
    "--config",
    "sources",
    multiple=True,
    metavar="FILE",
    help="Settings: a JSON file, or ENV; see 'gainsight --help'.",
)
"""The option ``--config``, as parameter ``sources``."""


def read_settings(sources: Iterable[str]) -> Settings:
    """Parse the settings for a command.

    Args:
        sources: Paths of JSON files; ``ENV`` stands for the environment, which wins over files.
            By default, the environment alone.

    Raises:
        click.ClickException: There are none, a file cannot be read, or they have errors.
    """
    try:
        return parse_settings(_read_any_settings(sources, CONFIG_SCHEMA))
    except SettingsError as error:
        raise _invalid_settings(error.errors) from None


def make_target(sources: Iterable[str], **overrides: Any) -> TargetGainsight:  # noqa: ANN401 - as settings are
    """Make a target in this process; the SDK's own settings are read, too.

    Args:
        sources: As for ``read_settings``.
        overrides: Settings that take precedence.
    """
    raw = _read_any_settings(sources, TargetGainsight.config_jsonschema)
    try:
        return TargetGainsight(config={**raw, **overrides})
    except ConfigValidationError as error:
        raise _invalid_settings(error.errors) from None
    except EXPECTED_ERRORS as error:
        raise click.ClickException(str(error)) from error


def _invalid_settings(errors: Iterable[str]) -> click.ClickException:
    listed = "".join(f"\n  - {message}" for message in errors)
    return click.ClickException(f"the settings have errors:{listed}")


def _read_any_settings(sources: Iterable[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    raw = read_raw_settings(sources, schema)
    if not raw:
        message = (
            "no settings found. Give a file with --config or set variables that begin with "
            f"{PREFIX}; with Meltano, set the loader's config in meltano.yml."
        )
        raise click.ClickException(message)
    return raw


def read_raw_settings(
    sources: Iterable[str], schema: Mapping[str, Any] = CONFIG_SCHEMA
) -> dict[str, Any]:
    """Read the settings without parsing them: setting name → value.

    Args:
        sources: As for ``read_settings``.
        schema: The settings that are read from the environment.
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
        variables = read_environment(schema, MELTANO_PREFIX) | read_environment(schema, PREFIX)
        raw |= {name: value for name, value in variables.items() if value != ""}
    return raw


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read a file; None if it is not JSON. Its content is not shown: it may hold a secret."""
    with file_errors(path, "read"):
        content = path.read_bytes()
    try:
        return json.loads(content)
    except ValueError:
        return None
