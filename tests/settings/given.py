"""Settings as somebody gives them, read into what they mean or into the mistakes found."""

from __future__ import annotations

from typing import Any

import pytest

from target_gainsight.settings import Settings, SettingsError, StreamSettings, parse_settings

EITHER = (
    "the tenant's REST API access key, or client_id and client_secret instead (M2M OAuth); one of "
    "the two is needed and enough"
)
"""What is right where no credential is given, or two."""

ENOUGH = {"domain": "initech.gainsightcloud.com", "access_key": "k3y"}
"""What a configuration needs at least."""


def read(**given: Any) -> Settings:
    return parse_settings(ENOUGH | given)


def stream(name: str, **given: Any) -> StreamSettings:
    """How a stream is loaded."""
    found = read(**given).for_stream(name)
    assert found is not None
    return found


def mistakes(**given: Any) -> list[str]:
    """What is wrong with a configuration that has the connection right."""
    return mistakes_in(ENOUGH | given)


def mistakes_in(given: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse_settings(given)
    return list(refused.value.mistakes)


def only_mistake(**given: Any) -> str:
    [mistake] = mistakes(**given)
    return mistake
