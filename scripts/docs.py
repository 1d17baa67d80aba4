"""Generate the documentation of settings from their declaration in `target_gainsight.settings`.

`python scripts/docs.py` writes the files; `--check` only reports whether they are up to date.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from documented.declared import Target, declared_target
from documented.environment import environment_example
from documented.hub import hub_definition
from documented.markdown import settings_reference, settings_table
from documented.meltano import meltano_block
from documented.switches import tenant_tables

PROJECT = Path(__file__).resolve().parent.parent


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


def generated_files(target: Target) -> dict[str, str]:
    """Return the text of each file that is generated or has a generated part, by path."""
    in_markdown = ("<!-- settings: begin", "<!-- settings: end")
    in_yaml = ("# settings: begin", "# settings: end")
    parts = {
        "README.md": (*in_markdown, settings_table(target.settings)),
        "docs/sandbox.md": ("<!-- tenant: begin", "<!-- tenant: end", tenant_tables()),
        "docs/settings.md": (*in_markdown, settings_reference(target.settings)),
        "meltano.yml": (*in_yaml, meltano_block(target.top_settings)),
    }
    return {
        ".env.example": environment_example(target.top_settings),
        "hub/target-gainsight.yml": hub_definition(target),
        **{name: replace_between(_text(name), *part) for name, part in parts.items()},
    }


def difference(name: str, wanted: str) -> str:
    """Return how a file differs from the wanted text as a unified diff, empty if it does not."""
    lines = difflib.unified_diff(
        _text(name).splitlines(),
        wanted.splitlines(),
        f"{name} as it is",
        f"{name} as the target declares it",
        lineterm="",
    )
    return "\n".join(lines)


def _text(name: str) -> str:
    path = PROJECT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> int:
    """Write or check the generated files.

    Returns:
        1 if `--check` found a difference, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    files = generated_files(declared_target())
    stale = {name: text for name, text in files.items() if difference(name, text)}
    for name, text in stale.items():
        if check:
            print(difference(name, text))
        else:
            (PROJECT / name).write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if check and stale:
        print("Run: python scripts/docs.py")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
