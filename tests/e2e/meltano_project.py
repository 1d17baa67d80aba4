"""A folder with a meltano.yml, run with the installed commands, and its tenant read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent
MELTANO_SECONDS = 300


@dataclass(frozen=True)
class MeltanoProject:
    """A folder with a meltano.yml, and the embedded tenant that its target writes to."""

    folder: Path

    @property
    def tenant(self) -> Path:
        return self.folder / "gainsight-sandbox.db"

    def meltano(self, *arguments: str) -> str:
        """Run meltano here and return what it said, logs included."""
        done = subprocess.run(
            [COMMANDS / "meltano", "--log-format", "plain", *arguments],
            cwd=self.folder,
            env=_environment_without_settings(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MELTANO_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-8000:]
        return done.stdout

    def rows(self, object_name: str) -> list[dict[str, Any]]:
        """Read all rows of an object back from the tenant, as its API would answer them."""
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


def _environment_without_settings() -> dict[str, str]:
    """What the developer's shell exports for a tenant must not reach a test."""
    foreign = ("TARGET_GAINSIGHT_", "MELTANO_", "TAP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
