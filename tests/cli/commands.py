"""The `gainsight` command, run in this process against a sandbox."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from target_gainsight.cli import main
from target_gainsight.sandbox import RunningSandbox

GAINSIGHT = str(Path(sys.executable).with_name("gainsight"))


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
