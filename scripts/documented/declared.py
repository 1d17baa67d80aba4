"""The settings and the target itself, as `target-gainsight --about` states them.

The only source of everything that is generated. Knows no form of output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_gainsight.settings.stream_schema import STREAM_SETTINGS
from target_gainsight.target import TargetGainsight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "TARGET_GAINSIGHT_"


@dataclass(frozen=True)
class Setting:
    """One setting as the target declares it."""

    name: str
    title: str
    description: str
    types: tuple[str, ...]
    default: object
    choices: tuple[str, ...]
    secret: bool
    inherited: bool = False
    """Whether it is the Singer SDK's."""

    @classmethod
    def from_schema(
        cls, name: str, schema: Mapping[str, Any], *, inherited: bool = False
    ) -> Setting:
        """Read one property of the configuration's JSON schema.

        Args:
            name: The setting's name.
            schema: The property as `--about` prints it.
            inherited: Whether it is the Singer SDK's.

        Returns:
            The setting; a union of schemas counts as the union of its types.
        """
        return cls(
            name=name,
            title=str(schema.get("title") or name.replace("_", " ").capitalize()),
            description=" ".join(str(schema.get("description") or "").split()),
            types=tuple(dict.fromkeys(_types(schema))),
            default=schema.get("default"),
            choices=tuple(str(c) for c in schema.get("enum", ()) if c is not None),
            secret=schema.get("secret") is True,
            inherited=inherited,
        )

    @property
    def variable(self) -> str:
        """The environment variable that carries the setting."""
        return PREFIX + self.name.upper()

    @property
    def routed(self) -> bool:
        """Whether an entry of `streams` may carry the setting."""
        return self.name in STREAM_SETTINGS

    @property
    def shown_default(self) -> str:
        """The default as people write it; empty where there is none."""
        if self.default is None or isinstance(self.default, str):
            return self.default or ""
        return json.dumps(self.default)


@dataclass(frozen=True)
class Target:
    """What the installed target says about itself."""

    name: str
    summary: str
    capabilities: tuple[str, ...]
    python_versions: tuple[str, ...]
    urls: Mapping[str, str]
    settings: tuple[Setting, ...]


def declared_target() -> Target:
    """Ask the installed target about itself.

    Returns:
        The target, its settings in the order they are declared.
    """
    command = Path(sys.executable).parent / "target-gainsight"
    about = json.loads(
        subprocess.run(  # noqa: S603
            [command, "--about", "--format", "json"], check=True, capture_output=True, text=True
        ).stdout
    )
    package, inherited = metadata(about["name"]), _sdk_setting_names()
    return Target(
        name=about["name"],
        summary=package["Summary"],
        capabilities=tuple(sorted(about["capabilities"])),
        python_versions=tuple(about["supported_python_versions"]),
        urls=dict(line.split(", ") for line in package.get_all("Project-URL") or ()),
        settings=tuple(
            Setting.from_schema(name, schema, inherited=name in inherited)
            for name, schema in about["settings"]["properties"].items()
        ),
    )


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    declared = schema.get("type", [])
    yield from [declared] if isinstance(declared, str) else declared
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _types(part)


def _sdk_setting_names() -> set[str]:
    """Name the settings that the Singer SDK adds to the target's own."""
    schema: dict[str, dict[str, object]] = {"properties": {}}
    TargetGainsight.append_builtin_config(schema)
    return set(schema["properties"])
