"""Cost of a run before its first record."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import NOTHING, OURS, Measured, run
from benchmarks.report import Table, spread
from benchmarks.sizes import Bench

MOST = 0.25
RIGHT = {"base_url": "http://127.0.0.1:9", "access_key": "none", "object_type": "company"}
WRONG = {**RIGHT, "sync_mode": "upsrt"}


def start_table(bench: Bench) -> Table:
    """Import, start and the first refused configuration."""
    table = Table(
        "Start-up",
        ("what", "ours, s", "the SDK's own, s", "difference, s", "difference in CPU time, s"),
        "Fresh processes; the SDK's own is the do-nothing target. A run of an empty input reads "
        "the configuration, starts and ends.",
    )
    place = bench.place()
    place.mkdir()
    imports = _pair(
        bench,
        place,
        (sys.executable, "-c", "import target_gainsight.target"),
        (sys.executable, "-c", "from singer_sdk import BatchSink, Target"),
    )
    started = _pair(bench, place, OURS, NOTHING, RIGHT, {})
    for name, (ours, theirs) in (("import", imports), ("an empty input", started)):
        later = _difference([each.seconds for each in ours], [each.seconds for each in theirs])
        longer = _difference([each.cpu for each in ours], [each.cpu for each in theirs])
        seconds = [spread([each.seconds for each in runs]) for runs in (ours, theirs)]
        table.add(name, *seconds, f"{later:+.2f}", f"{longer:+.2f}")
        table.promise(f"{name}: at most {MOST} s more ({later:+.2f})", held=later <= MOST)
    refused = [
        run(OURS, folder=place, config=WRONG, exit_code=1).seconds
        for _ in range(bench.sizes.starts)
    ]
    table.add("a refused configuration", spread(refused), "", "", "")
    return table


def _difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(ours) - median(theirs)


def _pair(
    bench: Bench,
    place: Path,
    ours: Sequence[str],
    theirs: Sequence[str],
    config: Mapping[str, Any] | None = None,
    other: Mapping[str, Any] | None = None,
) -> tuple[list[Measured], list[Measured]]:
    taken: tuple[list[Measured], list[Measured]] = ([], [])
    for _ in range(bench.sizes.starts):
        taken[0].append(run(ours, folder=place, config=config))
        taken[1].append(run(theirs, folder=place, config=other))
    return taken
