"""Tenants for the tests of the `gainsight` command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Commands
from fake_clock import FakeClock

from target_gainsight.sandbox import start_sandbox

Plain = dict[str, Any]

OBJECTS: Plain = {
    "Response__gc": {
        "label": "NPS Response",
        "fields": {
            "Code__gc": {"type": "STRING", "required": True, "label": "Response Code"},
            "Company__gc": {"type": "LOOKUP", "object": "company"},
            "Support_1__gc": {"type": "NUMBER", "label": "Support Score"},
            "Support_2__gc": {"type": "NUMBER", "label": "support score"},
            "Channel__gc": {
                "type": "PICKLIST",
                "options": ["Email", "In-App", {"label": "Fax", "active": False}],
            },
        },
    },
    "activity_timeline": {"fields": {"Ant__Score__c": {"type": "NUMBER"}}},
    "call_to_action": {"fields": {"Response__gc": {"type": "STRING"}}},
    "Usage__gc": {"transactional": False, "fields": {"Logins__gc": {"type": "NUMBER"}}},
}


@pytest.fixture
def start_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Commands]]:
    """Start a tenant that is described as given."""
    monkeypatch.chdir(tmp_path)
    started = []

    def start(**described: Any) -> Commands:
        sandbox = start_sandbox(tmp_path / "tenant.db", config={"objects": OBJECTS, **described})
        started.append(sandbox)
        return Commands(sandbox, tmp_path)

    yield start
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def commands(start_commands: Callable[..., Commands]) -> Commands:
    """A tenant with two custom objects."""
    return start_commands()


@pytest.fixture
def start_probed(
    start_commands: Callable[..., Commands], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Commands]:
    """Start a tenant whose probe waits for nothing."""
    monkeypatch.setattr("target_gainsight.cli.tenant.Clock", FakeClock)
    return start_commands
