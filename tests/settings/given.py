"""Settings as users give them, parsed into what they mean or into the errors found."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings.model import Settings
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.settings.stream_settings import StreamSettings

NO_CREDENTIAL = (
    "access_key, client_id, client_secret: got none, expected either access_key (the tenant's REST "
    "API access key), or client_id and client_secret (M2M OAuth)."
)
"""The error where no credential is given."""

NOT_JSON = "Text must be JSON, with double quotes around names and texts."
NO_DOMAIN = (
    "domain is missing: The tenant's host, such as mycompany.gainsightcloud.com. Use `sandbox` to "
    "load into the embedded sandbox, which needs no account."
)
"""The error where no domain is given."""

ENOUGH = {"domain": "initech.gainsightcloud.com", "access_key": "k3y"}
"""The smallest valid configuration."""


def read(**given: Any) -> Settings:
    return parse_settings(ENOUGH | given)


def stream(name: str, **given: Any) -> StreamSettings:
    """Return the settings of a stream."""
    found = read(**given).for_stream(name)
    assert found is not None
    return found


def errors(**given: Any) -> list[str]:
    """The errors in a configuration whose connection is right."""
    return errors_in(ENOUGH | given)


def errors_in(given: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigValidationError) as refused:
        parse_settings(given)
    return list(refused.value.errors)


def only_error(**given: Any) -> str:
    [error] = errors(**given)
    return error
