"""A folder with a meltano.yml, run with the installed commands, and its tenant read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent
MELTANO_SECONDS = 300
SUMMARY = "summary.json"


@dataclass(frozen=True)
class MeltanoProject:
    """A folder with a meltano.yml, and the embedded tenant that its target writes to."""

    folder: Path
    database: str = "gainsight-sandbox.db"

    @property
    def tenant(self) -> Path:
        return self.folder / self.database

    def meltano(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        piped: str = "",
        exit_code: int = 0,
    ) -> str:
        """Run meltano here and return its output, logs included.

        Args:
            arguments: What comes after `meltano`.
            env: Environment variables beside those of the shell.
            piped: Standard input.
            exit_code: How meltano has to end.
        """
        done = self._run(*arguments, env=env, piped=piped, errors=subprocess.STDOUT)
        assert done.returncode == exit_code, done.stdout[-8000:]
        return done.stdout

    def output(self, *arguments: str, env: Mapping[str, str] | None = None, piped: str = "") -> str:
        """Run meltano here and return its standard output alone."""
        done = self._run(*arguments, env=env, piped=piped, errors=subprocess.PIPE)
        assert done.returncode == 0, done.stderr[-8000:]
        return done.stdout

    def _run(
        self, *arguments: str, env: Mapping[str, str] | None, piped: str, errors: int
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMANDS / "meltano", "--log-format", "plain", *arguments],
            cwd=self.folder,
            env={**_environment_without_settings(), **(env or {})},
            input=piped,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=MELTANO_SECONDS,
            check=False,
        )

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of the latest run, which `summary_path` has to put here."""
        text = (self.folder / SUMMARY).read_text(encoding="utf-8")
        summary: dict[str, Any] = json.loads(text)
        return summary

    def rows(self, object_name: str) -> list[dict[str, Any]]:
        """Read all rows of an object from the tenant, as its API returns them."""
        done = subprocess.run(
            [
                *(COMMANDS / "gainsight", "sandbox", "show", object_name),
                *("--db", self.tenant, "--limit", "10000", "--format", "json"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows


def project_yml(tap: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The meltano.yml of a project with one tap and this checkout's target.

    Args:
        tap: The tap's plugin definition.
        config: The target's settings; the tenant is the embedded one.
    """
    definition = yaml.safe_load((CHECKOUT / "hub" / "target-gainsight.yml").read_text("utf-8"))
    target = {
        **{name: definition[name] for name in ("name", "namespace", "executable", "settings")},
        "pip_url": f"-e '{CHECKOUT}[sandbox]'",
        "config": {"sandbox_config": "tenant.yml", "calls_per_minute": 6000, **config},
    }
    target["config"] |= {"domain": "sandbox", "summary_path": SUMMARY}
    return {
        "default_environment": "test",
        "environments": [{"name": "test"}],
        "send_anonymous_usage_stats": False,
        "plugins": {"extractors": [dict(tap)], "loaders": [target]},
    }


def _environment_without_settings() -> dict[str, str]:
    """Return the environment without the variables that the shell exports for a tenant.

    Bytecode is kept in any environment: without it every start of Meltano compiles it anew.
    """
    foreign = ("TARGET_GAINSIGHT_", "MELTANO_", "TAP_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "MELTANO_CLI_DISABLE_VERSION_CHECK": "true"}
