"""Writes the settings into README.md and meltano.yml as `target-gainsight --about` states them.

What the target declares is the only source; a table that people edit by hand drifts from it.
`python scripts/docs.py` writes both files, `--check` only tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import difflib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from target_gainsight.target import TargetGainsight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT = Path(__file__).resolve().parent.parent

MELTANO_KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    "object": "object",
    "string": "string",
}


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

    @classmethod
    def from_schema(cls, name: str, schema: Mapping[str, Any]) -> Setting:
        """Read one property of the configuration's JSON schema.

        Args:
            name: The setting's name.
            schema: The property as `--about` prints it.

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
        )

    @property
    def meltano_kind(self) -> str:
        """Meltano's kind: text where text is allowed, so that `a,b` works in the environment."""
        if self.choices:
            return "options"
        if "string" in self.types:
            return "string"
        return next(MELTANO_KINDS[t] for t in self.types if t in MELTANO_KINDS)


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    declared = schema.get("type", [])
    yield from [declared] if isinstance(declared, str) else declared
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _types(part)


def declared_settings() -> list[Setting]:
    """Ask the installed target for its settings.

    Returns:
        The settings in the order they are declared.
    """
    command = Path(sys.executable).parent / "target-gainsight"
    about = subprocess.run(  # noqa: S603
        [command, "--about", "--format", "json"], check=True, capture_output=True, text=True
    ).stdout
    properties = json.loads(about)["settings"]["properties"]
    return [Setting.from_schema(name, schema) for name, schema in properties.items()]


def sdk_setting_names() -> set[str]:
    """Name the settings that the Singer SDK adds to the target's own."""
    schema: dict[str, dict[str, object]] = {"properties": {}}
    TargetGainsight.append_builtin_config(schema)
    return set(schema["properties"])


def settings_table(settings: list[Setting]) -> str:
    """Lay the target's own settings out as a Markdown table; the SDK's follow in one line.

    Args:
        settings: All settings of the target.

    Returns:
        Markdown, ending in a newline.
    """
    inherited = sdk_setting_names()
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    rows += [_table_row(setting) for setting in settings if setting.name not in inherited]
    names = ", ".join(f"`{s.name}`" for s in settings if s.name in inherited)
    return "\n".join([*rows, "", f"From the Singer SDK, with its meaning: {names}.", ""])


def _table_row(setting: Setting) -> str:
    name = f"`{setting.name}`" + (" (secret)" if setting.secret else "")
    default = "" if setting.default is None else f"`{_plain(setting.default)}`"
    choices = f" One of {', '.join(f'`{c}`' for c in setting.choices)}." if setting.choices else ""
    meaning = (setting.description + choices).replace("|", "\\|")
    return f"| {name} | {default} | {meaning} |"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def meltano_settings(settings: list[Setting]) -> str:
    """Lay all settings out as the `settings` of a Meltano plugin.

    Defaults stay out: Meltano would send them as if the user had chosen them.

    Args:
        settings: All settings of the target.

    Returns:
        YAML, indented for its place in meltano.yml, ending in a newline.
    """
    block = {"settings": [_meltano_setting(setting) for setting in settings]}
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"    {line}\n" for line in text.splitlines())


def _meltano_setting(setting: Setting) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": setting.name,
        "label": setting.title,
        "kind": setting.meltano_kind,
    }
    if setting.choices:
        entry["options"] = [{"label": choice, "value": choice} for choice in setting.choices]
    if setting.meltano_kind == "object":
        entry["value_processor"] = "nest_object"  # else the environment gets keys like a.b.c
    if setting.secret:
        entry["sensitive"] = True
    entry["description"] = setting.description
    return entry


def replace_between(text: str, begin: str, end: str, block: str) -> str:
    """Put a block between the line that holds one marker and the line that holds the other.

    Args:
        text: The whole file.
        begin: What the line above the block contains.
        end: What the line below the block contains.
        block: The new lines in between.

    Returns:
        The whole file with the block in place.

    Raises:
        ValueError: A marker is missing or there twice.
    """
    if text.count(begin) != 1 or text.count(end) != 1:
        message = f"expected the markers {begin!r} and {end!r} once each"
        raise ValueError(message)
    head, rest = text.split(begin)
    opening = rest.split("\n", 1)[0]
    closing_line = rest.split(end)[0].rsplit("\n", 1)[1]
    return f"{head}{begin}{opening}\n{block}{closing_line}{end}{rest.split(end)[1]}"


def generated_files(settings: list[Setting]) -> dict[Path, str]:
    """Build the text that each documented file should have.

    Args:
        settings: All settings of the target.

    Returns:
        Path to whole text.
    """
    readme, meltano = PROJECT / "README.md", PROJECT / "meltano.yml"
    return {
        readme: replace_between(
            readme.read_text(encoding="utf-8"),
            "<!-- settings: begin",
            "<!-- settings: end",
            settings_table(settings),
        ),
        meltano: replace_between(
            meltano.read_text(encoding="utf-8"),
            "# settings: begin",
            "# settings: end",
            meltano_settings(settings),
        ),
    }


def difference(path: Path, wanted: str) -> str:
    """Show how a file differs from what it should be, as a unified diff, empty if it does not."""
    lines = difflib.unified_diff(
        path.read_text(encoding="utf-8").splitlines(),
        wanted.splitlines(),
        f"{path.name} as it is",
        f"{path.name} as the target declares it",
        lineterm="",
    )
    return "\n".join(lines)


def main() -> int:
    """Write or check the generated parts.

    Returns:
        1 if `--check` found a difference, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    stale = {
        path: text
        for path, text in generated_files(declared_settings()).items()
        if difference(path, text)
    }
    for path, text in stale.items():
        if check:
            print(difference(path, text))
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.name}")
    if check and stale:
        print("Run: python scripts/docs.py")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
