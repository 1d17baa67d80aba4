"""Runs the target in this process for a command, with the settings that the command was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.cli.configuration import invalid_settings, no_settings, read_raw_settings
from target_gainsight.singer.errors import EXPECTED_ERRORS
from target_gainsight.target import TargetGainsight

if TYPE_CHECKING:
    from collections.abc import Iterable


def make_target(sources: Iterable[str], **overrides: Any) -> TargetGainsight:  # noqa: ANN401 - as settings are
    """Make a target.

    Args:
        sources: Where its settings come from, as for ``read_settings``; the SDK's own count, too.
        overrides: Settings that win over those.

    Returns:
        The target.

    Raises:
        click.ClickException: There are no settings, or they have errors.
    """
    raw = read_raw_settings(sources, TargetGainsight.config_jsonschema)
    if not raw:
        raise no_settings()
    try:
        return TargetGainsight(config={**raw, **overrides})
    except ConfigValidationError as error:
        raise invalid_settings(error.errors) from None
    except EXPECTED_ERRORS as error:
        raise click.ClickException(str(error)) from error
