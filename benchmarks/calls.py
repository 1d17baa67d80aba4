"""Calls: how many a thousand records take, and what latency makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inputs import as_is, every, write_input
from benchmarks.processes import OURS, PLAIN, Measured, TenantProcess, run, tenant
from benchmarks.report import Table
from benchmarks.sizes import Bench

LATENCY = 0.3
POISON = {
    "rules": [{"object": "company", "field": "Industry", "value": "poison", "code": "GSOBJ_1002"}]
}


@dataclass(frozen=True)
class Load:
    """A thousand records that are loaded both ways.

    Attributes:
        name: What is loaded.
        kind: company or person.
        sync_mode: insert or upsert.
        held: Of how many records the tenant holds one before; 0 for none.
        change: What is made of each record.
        described: The tenant.
    """

    name: str
    kind: str = "company"
    sync_mode: str = "upsert"
    held: int = 0
    change: Callable[[int, dict[str, Any]], dict[str, Any]] = as_is
    described: Mapping[str, Any] | None = None


LOADS = (
    Load("insert", sync_mode="insert"),
    Load("upsert, all new"),
    Load("upsert, half new", held=2, change=every(1, Users=7)),
    Load("upsert, 1% changed", held=1, change=every(100, Users=7)),
    Load("upsert, nothing changed", held=1),
    Load("people, all new", "person"),
    Load("people, 1% changed", "person", held=1, change=every(100, LastName="Changed")),
    Load(
        "insert, one poison record",
        sync_mode="insert",
        change=lambda n, record: {**record, "Industry": "poison"} if n == 50 else record,  # noqa: PLR2004
        described=POISON,
    ),
)


def call_table(bench: Bench) -> Table:
    """Calls per 1,000 records, ours and the plain target's."""
    count = bench.sizes.counted
    table = Table(
        f"Calls per {count:,} records",
        ("what", "calls", "plain target", "ratio", "rows landed", "plain target"),
        "Gainsight allows 100 calls a minute and 50,000 a day, so calls are the cost of a run. "
        "The target reads 1,000 current rows with one call and the object's fields once. "
        "These are counts, not timings.",
    )
    for load in LOADS:
        ours = _count(bench, load, ours=True)
        plain = _count(bench, load, ours=False)
        table.add(load.name, ours[0], plain[0], f"{ours[0] / plain[0]:.2f}", ours[1], plain[1])
    return table


def _count(bench: Bench, load: Load, *, ours: bool) -> tuple[int, int]:
    """Return the number of calls that a load takes, and of rows after it."""
    place = bench.place()
    place.mkdir()
    before = write_input(place / "before.singer", bench.sizes.counted, kind=load.kind)
    source = write_input(
        place / "input.singer", bench.sizes.counted, kind=load.kind, change=load.change
    )
    held = (load.kind, before, load.held) if load.held else None
    with tenant(place / "tenant", described=load.described, held=held) as served:
        _load(place, served, load, source, ours=ours)
        return served.calls().total(), served.count(load.kind)


def _load(place: Path, served: TenantProcess, load: Load, source: Path, *, ours: bool) -> Measured:
    mode = {"sync_mode": load.sync_mode}
    if ours:
        config = served.ours(object_type=load.kind, **mode)
        return run(OURS, folder=place, config=config, source=source)
    return run(PLAIN, folder=place, config=served.plain(object=load.kind, **mode), source=source)


def latency_table(bench: Bench) -> Table:
    """Seconds for an insert at latency, without limits."""
    count = bench.sizes.late
    table = Table(
        f"{count:,} inserts at {LATENCY} s latency, without limits",
        ("what", "seconds", "ratio"),
        "Up to 8 calls are in flight (`max_concurrency`); the plain target waits for each. "
        "Measured once: nearly all of it is waiting, which does not vary.",
    )
    place = bench.place()
    place.mkdir()
    source = write_input(place / "input.singer", count)
    load = Load("insert", sync_mode="insert")
    slow = {"faults": [{"kind": "latency", "seconds": LATENCY}]}
    taken: dict[bool, float] = {}
    for ours in (False, True):
        with tenant(bench.place(), described=slow) as served:
            taken[ours] = _load(place, served, load, source, ours=ours).seconds
    table.add("plain target", f"{taken[False]:.1f}", "1.00")
    table.add("ours", f"{taken[True]:.1f}", f"{taken[True] / taken[False]:.2f}")
    return table
