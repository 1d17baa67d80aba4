"""The fault matrix: whatever fault hits whichever call, nothing is lost or duplicated.

Each cell is a run against a tenant, and docs/fault-matrix.md lists its result; with
``--write-matrix`` the page is written from the results.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_cells import CELLS, Cell, Played, play
from fault_jobs import UPLOADS
from fault_table import PAGE, page, place_of, read_page
from fault_verdicts import AS_USUAL, MEANINGS, verdict

from target_gainsight.loading.outcomes import Outcome

MINUTES_ONCE, MINUTES_LASTING = 6, 66
HOURS_ONCE, HOURS_LASTING = 1, 3
"""Of uploads, whose limit is one of an hour."""

TIMES = (
    f"within {MINUTES_ONCE} minutes when one call fails, {MINUTES_LASTING} when every one does (of "
    f"uploads, whose limit is hourly: {HOURS_ONCE} and {HOURS_LASTING} hours)"
)
"""The longest that a run may take, in seconds."""

EVERY = 23
"""The unit tests run every n-th cell; prime to the number of columns."""

CROSS_SECTION = CELLS[::EVERY]


@pytest.fixture(scope="module")
def usual() -> dict[Cell, Played]:
    """Results without a fault, filled on demand."""
    return {}


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest) -> Iterator[dict[Cell, str]]:
    """Verdicts of the cells; written to the page on request."""
    words: dict[Cell, str] = {}
    yield words
    if not request.config.getoption("write_matrix"):
        return
    assert len(words) == len(CELLS), "the page is written from all cells, in one process"
    ordered = {cell: words[cell] for cell in CELLS}
    PAGE.write_text(page(ordered, TIMES), encoding="utf-8")


def without_fault(
    cell: Cell, known: dict[Cell, Played], folder: Path, caplog: pytest.LogCaptureFixture
) -> Played:
    lost_as_well = cell.endpoint if cell.endpoint.lost else cell.job.endpoints[0]
    bare = Cell(cell.job, lost_as_well, None)
    if bare not in known:
        (folder / "usual").mkdir()
        known[bare] = play(bare, folder / "usual", caplog)
    return known[bare]


def most_seconds(cell: Cell) -> float:
    if cell.endpoint.path == UPLOADS:
        return (HOURS_LASTING if cell.lasting else HOURS_ONCE) * 3600 + 60
    return (MINUTES_LASTING if cell.lasting else MINUTES_ONCE) * 60


def assert_nothing_is_lost_or_duplicated(cell: Cell, played: Played) -> None:
    wanted = [cell.job.wanted(each["record"]) for each in cell.job.records]
    keys = Counter(key for key, *_ in played.held.elements())
    assert set(keys.values()) <= {1}, "doubled"
    rejected = {cell.job.wanted(line["record"]) for line in played.run.rejects}
    covered = set(wanted[: played.covered])
    assert covered <= set(played.held) | rejected, "the state is ahead"
    assert [run.exit_code for run in played.later] == [0] * len(played.later)
    assert played.finally_held == Counter(wanted), "lost, or doubled, in the end"


def assert_counts_add_up(cell: Cell, played: Played) -> None:
    counts = played.run.summary["streams"].get(cell.job.schema["stream"])
    if counts is None:
        assert played.run.exit_code == 1
        return
    outcomes = [outcome.value for outcome in Outcome]
    settled = sum(counts[name] for name in outcomes) + counts.get("by_file", {}).get("settled", 0)
    assert settled == counts["read"] or (played.run.exit_code and settled < counts["read"])
    assert len(played.run.rejects) == counts["rejected"]
    assert settled >= played.covered


def judge(
    cell: Cell,
    seen: dict[Cell, str],
    usual: dict[Cell, Played],
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    compare: bool,
) -> None:
    without = without_fault(cell, usual, folder, caplog)
    played = play(cell, folder, caplog)
    assert_nothing_is_lost_or_duplicated(cell, played)
    assert_counts_add_up(cell, played)
    word = seen[cell] = verdict(cell, played, without)
    assert cell.column is not None
    assert word == AS_USUAL or re.search(cell.column.cause, played.texts)
    assert played.seconds <= most_seconds(cell)
    if compare:
        assert read_page()[place_of(cell)] == word


@pytest.mark.parametrize("cell", CROSS_SECTION, ids=str)
def test_sampled_cells_lose_and_duplicate_nothing(
    cell: Cell, usual: dict[Cell, Played], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judge(cell, {}, usual, tmp_path, caplog, compare=True)


@pytest.mark.e2e
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_no_fault_loses_or_duplicates_records(
    cell: Cell,
    seen: dict[Cell, str],
    usual: dict[Cell, Played],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    pytestconfig: pytest.Config,
) -> None:
    compare = not pytestconfig.getoption("write_matrix")
    judge(cell, seen, usual, tmp_path, caplog, compare=compare)


def test_sample_covers_every_fault_operation_and_endpoint() -> None:
    def of(cells: Any) -> tuple[set[Any], ...]:
        return (
            {cell.column for cell in cells},
            {(cell.job.operation, cell.endpoint.name) for cell in cells},
            {cell.lasting for cell in cells},
        )

    assert of(CROSS_SECTION) == of(CELLS)


def test_every_cell_of_page_has_explained_verdict() -> None:
    words = read_page()
    assert set(words) == {place_of(cell) for cell in CELLS}
    assert set(words.values()) == set(MEANINGS)
    assert PAGE.read_text(encoding="utf-8") == page({c: words[place_of(c)] for c in CELLS}, TIMES)
