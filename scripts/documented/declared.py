"""The target and its settings, as it declares them: the only source of all generated text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from target_gainsight.settings.model import SETTINGS, declared_settings
from target_gainsight.settings.setting import SDK_GROUP, Setting
from target_gainsight.target import TargetGainsight

PREFIX = "TARGET_GAINSIGHT_"

ESSENTIAL = (
    *("domain", "access_key", "streams", "object_type"),
    *("field_mapping", "lookups", "sync_mode", "lookup_keys"),
)
"""The settings that everyone needs. The README explains them."""

GROUPS = (
    "Connection",
    "Streams",
    "Object and mapping",
    "Modes and keys",
    "Limits",
    "Rejects and output",
    "Bulk jobs and survey files",
    "Sandbox",
    SDK_GROUP,
)
"""The headings of the documentation, in order."""


@dataclass(frozen=True)
class Target:
    """The declared properties of the installed target.

    Attributes:
        settings: All settings, those of the Singer SDK last.
    """

    name: str
    summary: str
    capabilities: tuple[str, ...]
    python_versions: tuple[str, ...]
    urls: Mapping[str, str]
    settings: tuple[Setting, ...]

    @property
    def top_settings(self) -> tuple[Setting, ...]:
        """The settings that may be given at the top, and so in the environment."""
        return tuple(each for each in self.settings if each.scope != "entry")


def declared_target() -> Target:
    """Ask the installed target about itself."""
    command = Path(sys.executable).parent / "target-gainsight"
    about = json.loads(
        subprocess.run(  # noqa: S603
            [command, "--about", "--format", "json"], check=True, capture_output=True, text=True
        ).stdout
    )
    package = metadata(about["name"])
    schema: dict[str, Any] = {"properties": {}}
    TargetGainsight.append_builtin_config(schema)
    ours = sorted(SETTINGS.values(), key=lambda each: GROUPS.index(each.group))
    of_the_sdk = (each for each in declared_settings(schema) if each.name not in SETTINGS)
    return Target(
        name=about["name"],
        summary=package["Summary"],
        capabilities=tuple(sorted(about["capabilities"])),
        python_versions=tuple(about["supported_python_versions"]),
        urls=dict(line.split(", ") for line in package.get_all("Project-URL") or ()),
        settings=(*ours, *of_the_sdk),
    )


def variable(setting: Setting) -> str:
    """Return the environment variable that carries a setting."""
    return PREFIX + setting.name.upper()
