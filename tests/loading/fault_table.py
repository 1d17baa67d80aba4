"""docs/fault-matrix.md: the fault matrix as people read it, written from what the tests saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fault_cells import CELLS, Cell
from fault_columns import COLUMNS
from fault_verdicts import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).parents[2] / "docs" / "fault-matrix.md"
WRITTEN_BY = "pytest tests/loading/test_fault_matrix.py --write-matrix"
HEAD = f"""\
# Fault matrix

What becomes of a run when a call fails: each operation, each endpoint that it calls, each \
fault. Written by `{WRITTEN_BY}` from {{count:,}} runs against the \
[embedded tenant](sandbox.md); the same tests compare each run with this page.

In every cell

- no record is lost: it is in the tenant with the values that were sent, or in the reject file \
with its reason, or after the last state;
- no record is doubled, also when commits come late, the next run goes on from the last state and \
what is left in the reject file is replayed;
- the counts of the summary add up to what was read, and the state covers nothing else;
- the log or the reject names the cause;
- the run ends {{times}}.

| word | means |
|---|---|
"""
SECTIONS = {False: "One call fails", True: "Every call fails"}


def page(verdicts: Mapping[Cell, str], times: str) -> str:
    """The whole page.

    Args:
        verdicts: What became of each cell.
        times: When a run ends.
    """
    parts = [HEAD.format(count=len(CELLS), times=times)]
    parts += [f"| {word} | {meaning} |\n" for word, meaning in MEANINGS.items()]
    for lasting, title in SECTIONS.items():
        parts.append(f"\n## {title}\n\n")
        parts += _table({c: word for c, word in verdicts.items() if c.lasting is lasting})
    return "".join(parts)


def _table(verdicts: Mapping[Cell, str]) -> Iterator[str]:
    yield f"| | {' | '.join(column.name for column in COLUMNS)} |\n"
    yield f"|---|{'---|' * len(COLUMNS)}\n"
    rows: dict[str, list[str]] = {}
    for cell, word in verdicts.items():
        rows.setdefault(_row_name(cell), []).append(word)
    for name, words in rows.items():
        yield f"| {name} | {' | '.join(words)} |\n"


def _row_name(cell: Cell) -> str:
    return f"**{cell.job.operation}** {cell.endpoint.name}"


def read_page() -> dict[tuple[bool, str, str], str]:
    """What the page says: by whether the fault lasts, row and column."""
    said: dict[tuple[bool, str, str], str] = {}
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    for lasting, section in zip(SECTIONS, sections, strict=True):
        head, _, *rows = [_cells(line) for line in section.splitlines() if line.startswith("|")]
        for name, *words in rows:
            said |= {
                (lasting, name, column): word for column, word in zip(head[1:], words, strict=True)
            }
    return said


def _cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip("|").split("|")]


def place_of(cell: Cell) -> tuple[bool, str, str]:
    """Where the page tells of a cell."""
    return cell.lasting, _row_name(cell), cell.column.name if cell.column else ""
