"""A tenant for the commands that look into one, and how they are run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_clock import FakeClock

from target_gainsight.cli import main
from target_gainsight.sandbox import RunningSandbox, start_sandbox

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


class Commands:
    """Runs `gainsight` in this process, in a folder and an environment of its own.

    Args:
        sandbox: The tenant.
        folder: Where the commands run.
    """

    def __init__(self, sandbox: RunningSandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder

    def config(self, name: str = "config.json", **settings: Any) -> str:
        """Write a configuration file that reaches the tenant."""
        reached = {"base_url": self.sandbox.base_url, "access_key": self.sandbox.access_key}
        given = {key: value for key, value in {**reached, **settings}.items() if value is not None}
        path = self.folder / name
        path.write_text(json.dumps(given))
        return str(path)

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, env=environment or {})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def check(self, **settings: Any) -> Result:
        return self.run("check", "--config", self.config(**settings))

    def describe(self, *arguments: str) -> Result:
        return self.run("describe", *arguments, "--config", self.config())

    def asserts_only_metadata_was_read(self) -> None:
        """Fail if any call so far was for anything but metadata."""
        calls = self.sandbox.tenant.calls()
        assert {call.kind for call in calls} <= {"list", "describe", "cta names"}
        assert all(call.kind != "describe" or "describe" in call.path for call in calls)


@pytest.fixture
def start_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Commands]]:
    """Start a tenant that is described as given."""
    for name in os.environ:
        if name.startswith(("TARGET_GAINSIGHT_", "MELTANO_LOAD_")):
            monkeypatch.delenv(name)
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
