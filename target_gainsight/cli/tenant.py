"""Reads the settings of a command as the target does, and connects to their tenant."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import click

from target_gainsight.api import CallEvent, Clock, GainsightClient
from target_gainsight.settings.environment import PREFIX, read_raw_settings
from target_gainsight.settings.model import Settings
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.singer.connection import connect
from target_gainsight.target import TargetGainsight

MAX_RETRY_SECONDS = 30
"""Less than a load's: someone waits at the terminal."""


def _store_config(ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> None:
    ctx.obj = TargetGainsight.cb_config(ctx, param, value)


config_option = click.option(
    "--config",
    multiple=True,
    default=("ENV",),
    metavar="FILE",
    help="Settings: a JSON file, or ENV; see 'gainsight --help'.",
    callback=_store_config,
    is_eager=True,
    expose_value=False,
)


def read_settings() -> Settings:
    """Parse the settings of the running command."""
    return parse_settings(raw_settings(), TargetGainsight.config_jsonschema)


def raw_settings(*, may_be_none: bool = False) -> dict[str, Any]:
    """Return the settings of the running command as they are given."""
    config = click.get_current_context().obj
    given = read_raw_settings(
        config.config, TargetGainsight.config_jsonschema, parse_env=config.parse_env
    )
    if not (given or may_be_none):
        message = (
            "no settings found. Give a file with --config or set variables that begin with "
            f"{PREFIX}; with Meltano, set the loader's config in meltano.yml."
        )
        raise click.ClickException(message)
    return given


def connect_to_tenant(
    settings: Settings,
    observer: Callable[[CallEvent], None] = lambda _: None,
    *,
    max_calls: int | None = None,
) -> AbstractContextManager[GainsightClient]:
    """Connect to the tenant; `max_calls` includes retries."""
    limits = replace(
        settings.limits,
        max_calls_per_run=max_calls,
        max_retry_seconds=min(MAX_RETRY_SECONDS, settings.limits.max_retry_seconds),
    )
    return connect(replace(settings, limits=limits), Clock(), observer)
