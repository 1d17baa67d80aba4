"""The tables of docs/benchmarks.md. Knows nothing of how the figures came about."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

PACKAGES = ("singer-sdk", "requests", "msgspec", "jsonschema-rs", "uvicorn")
MEBIBYTE = 2**20
GIBIBYTE = 2**30


@dataclass(frozen=True)
class Bound:
    """A figure that is promised.

    Attributes:
        text: As it is promised.
        held: Whether it is so.
    """

    text: str
    held: bool

    def __str__(self) -> str:
        return f"{self.text}: {'held' if self.held else 'MISSED'}"


@dataclass
class Table:
    """One comparison.

    Attributes:
        title: What is compared.
        columns: The heads of the columns.
        notes: How it was measured, in sentences.
        rows: The figures, as they are shown.
        bounds: What is promised about them.
    """

    title: str
    columns: Sequence[str]
    notes: str
    rows: list[Sequence[str]] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row."""
        self.rows.append([str(cell) for cell in cells])

    def promise(self, text: str, *, held: bool) -> None:
        """Say whether what is promised is held."""
        self.bounds.append(Bound(text, held))

    def to_markdown(self) -> str:
        """The table as it stands in the documentation."""
        rule = ["---", *("---:" for _ in self.columns[1:])]
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows)]
        bounds = [f"- {bound}" for bound in self.bounds]
        parts = [f"## {self.title}", self.notes, "\n".join(lines), "\n".join(bounds)]
        return "\n\n".join(part for part in parts if part)


def document(tables: Iterable[Table], command: str, minutes: float) -> str:
    """The whole of docs/benchmarks.md.

    Args:
        tables: The comparisons.
        command: What was run.
        minutes: How long it took.
    """
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    head = (
        "# Benchmarks\n\n"
        "Everything is measured side by side in one run, each figure in fresh processes and the "
        "tenant, Gainsight's local stand-in (`gainsight sandbox serve`), in a process of its own. "
        "Ratios carry over to other machines; seconds do not. *Plain target* is "
        "`benchmarks/plain_target.py`, written from the SDK's documentation; *do-nothing target* "
        "is the SDK's own cost, `benchmarks/noop_target.py`.\n\n"
        "```bash\n"
        f"{command}\n"
        "```\n\n"
        f"{machine()}; Python {platform.python_version()}; commit {commit()}; {versions}. "
        f"The run took {minutes:.0f} minutes."
    )
    return "\n\n".join([head, *(table.to_markdown() for table in tables)]) + "\n"


def commit() -> str:
    """The commit that is measured; an editable installation names the one it was made from."""
    asked = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(
        asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def machine() -> str:
    """The machine, by what matters and nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIBIBYTE
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, {sys.platform}"


def write(text: str, path: Path) -> None:
    """Write the document and print it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(text)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the range where there is one."""
    middle = f"{median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def mebibytes(count: float) -> str:
    """Bytes, readable."""
    return f"{count / MEBIBYTE:.0f} MiB"
