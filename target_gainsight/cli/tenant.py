"""Reads the settings of a command, and connects to their tenant.

Settings come from files or from the environment that Meltano sets. Errors are those of the target;
a secret is never shown.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.api import CallEvent, Clock, GainsightClient, GainsightError, ObjectSchema
from target_gainsight.cli.output import file_errors
from target_gainsight.loading.object_schemas import ObjectSchemas, read_static_schema
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.settings.environment import MELTANO_PREFIX, read_environment
from target_gainsight.settings.errors import SettingsError
from target_gainsight.settings.model import Settings
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.settings.stream_settings import OBJECT_NAMES
from target_gainsight.singer.connection import connect
from target_gainsight.singer.reporting.run_end import EXPECTED_ERRORS
from target_gainsight.target import TargetGainsight

ENVIRONMENT = "ENV"
PREFIX = "TARGET_GAINSIGHT_"
MAX_RETRY_SECONDS = 30
"""Less than a load's: someone waits at the terminal."""


def _remember(ctx: click.Context, _param: click.Parameter, sources: tuple[str, ...]) -> None:
    ctx.obj = sources


configured = click.option(
    "--config",
    multiple=True,
    metavar="FILE",
    help="Settings: a JSON file, or ENV; see 'gainsight --help'.",
    callback=_remember,
    is_eager=True,
    expose_value=False,
)
"""The option ``--config`` of a command that reads settings."""


def read_settings() -> Settings:
    """Parse the settings of the running command."""
    with _required_settings() as raw:
        return parse_settings(raw)


def make_target(**overrides: Any) -> TargetGainsight:  # noqa: ANN401 - as settings are
    """Make a target in this process; some settings take precedence over those of the command."""
    with _required_settings() as raw:
        return TargetGainsight(config={**raw, **overrides})


@contextmanager
def _required_settings() -> Iterator[dict[str, Any]]:
    """Read the settings; errors in them, or in a file of a run, end the command."""
    raw = read_raw_settings()
    if not raw:
        message = (
            "no settings found. Give a file with --config or set variables that begin with "
            f"{PREFIX}; with Meltano, set the loader's config in meltano.yml."
        )
        raise click.ClickException(message)
    try:
        yield raw
    except (SettingsError, ConfigValidationError) as error:
        listed = "".join(f"\n  - {message}" for message in error.errors)
        message = f"the settings have errors:{listed}"
        raise click.ClickException(message) from None
    except EXPECTED_ERRORS as error:
        raise click.ClickException(str(error)) from error


def read_raw_settings() -> dict[str, Any]:
    """Read the unparsed settings of the running command; later files win, the environment last."""
    sources = click.get_current_context().obj or (ENVIRONMENT,)
    raw: dict[str, Any] = {}
    for path in (each for each in sources if each != ENVIRONMENT):
        content = read_json(Path(path))
        if not isinstance(content, dict):
            message = f"{path} is not a JSON object of settings"
            raise click.ClickException(message)
        raw |= content
    if ENVIRONMENT in sources:
        schema = TargetGainsight.config_jsonschema
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


class TenantSchemas(ObjectSchemas):
    """The schemas of objects, each read once; those of Timeline and CTAs are documented."""

    def __init__(self, client: GainsightClient, settings: Settings) -> None:
        super().__init__(client.metadata, settings)
        self._cockpit = client.cockpit

    def describe(self, object_name: str, mentioned: Iterable[str] = ()) -> ObjectSchema:
        """Read an object by its API name, ``timeline`` or ``cta`` and fields that are mentioned."""
        name = OBJECT_NAMES.get(object_name.lower(), object_name.lower())
        if name not in {ACTIVITY, CTA}:
            return self.get(object_name)
        return read_static_schema(name, mentioned, describe=self.get, cockpit=self._cockpit)


@contextmanager
def tenant_connection(
    settings: Settings,
    observer: Callable[[CallEvent], None] = lambda _: None,
    *,
    max_calls: int | None = None,
) -> Iterator[GainsightClient]:
    """Connect to the tenant; its errors end the command. `max_calls` includes retries."""
    limits = replace(
        settings.limits,
        max_calls_per_run=max_calls,
        max_retry_seconds=min(MAX_RETRY_SECONDS, settings.limits.max_retry_seconds),
    )
    try:
        with connect(replace(settings, limits=limits), Clock(), observer) as client:
            yield client
    except (GainsightError, RunStoppedError) as error:
        raise click.ClickException(str(error)) from error
