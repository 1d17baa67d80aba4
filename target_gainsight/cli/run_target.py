"""Makes a target in this process from the settings of a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.cli.configuration import invalid_settings, no_settings, read_raw_settings
from target_gainsight.singer.errors import EXPECTED_ERRORS
from target_gainsight.target import TargetGainsight


def make_target(sources: Iterable[str], **overrides: Any) -> TargetGainsight:  # noqa: ANN401 - as settings are
    """Make a target.

    Args:
        sources: As for ``read_settings``; the SDK's own settings are read, too.
        overrides: Settings that take precedence.

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
