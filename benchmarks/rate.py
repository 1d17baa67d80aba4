"""The share of the allowed rate that a run uses, and whether it is ever throttled.

A minute is made short: the clocks of tenant and target go as many times as fast as latency is
divided by, so that the share is the one of real minutes, and our own CPU time weighs more.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.inputs import Record, write_input
from benchmarks.processes import HERE, OURS, TenantProcess, run, tenant
from benchmarks.report import Table
from benchmarks.sizes import Bench

LIMIT = 100
ALLOWED = 90
MINUTE = 60.0
LEAST = 0.97
REFRESH_BOUND = 1.10


@dataclass(frozen=True)
class Run:
    """A run against limits.

    Attributes:
        name: What varies.
        latency: Seconds, or a range of them.
        kind: company or person.
        processes: How many share the limits, through one `quota_store`.
    """

    name: str
    latency: tuple[float, float]
    kind: str = "company"
    processes: int = 1


RUNS = (
    Run("records, no latency", (0, 0)),
    Run("records, 0.3 s", (0.3, 0.3)),
    Run("records, 0.1 to 1.2 s", (0.1, 1.2)),
    Run("people, 0.1 to 1.2 s", (0.1, 1.2), "person"),
    Run("records, 0.1 to 1.2 s, 3 processes", (0.1, 1.2), processes=3),
)


def rate_table(bench: Bench) -> Table:
    """Share of the allowed rate, and calls refused for it."""
    speed, minutes = bench.sizes.speed, bench.sizes.minutes
    table = Table(
        "Share of the allowed rate",
        ("latency of a call", "calls", "share", "most in a window", "refused with 429"),
        f"The tenant refuses more than {LIMIT} calls a minute; {ALLOWED} of them "
        f"(`quota_percent`) are the allowed rate. Both clocks go {speed} times as fast and latency "
        f"is divided by {speed}: a minute takes {MINUTE / speed:g} s. A permit is released a "
        "minute after the response, so a share of 60 / (60 + latency) is the most that is possible "
        f"without risk. Each run lasts {minutes} such minutes; the share is calculated from the "
        f"mean time that {ALLOWED} calls in a row took.",
    )
    shares, throttled = [], 0
    for each in RUNS:
        calls, share, most, refused = _measure(bench, each)
        shares.append(share)
        throttled += refused
        table.add(each.name, calls, f"{share:.1%}", most, refused)
    table.promise(f"share at least {LEAST:.0%}", held=min(shares) >= LEAST)
    table.promise("no call refused with 429", held=throttled == 0)
    return table


def _measure(bench: Bench, each: Run) -> tuple[int, float, int, int]:
    speed = bench.sizes.speed
    place = bench.place()
    window = MINUTE / speed
    limits = {"calls_per_minute": LIMIT, "calls_per_day": 0, "minute_seconds": window}
    pause = {"kind": "latency", "seconds": [seconds / speed for seconds in each.latency]}
    described: dict[str, Any] = {"limits": limits, "faults": [pause]}
    with (
        tenant(place / "tenant", described=described) as served,
        ThreadPoolExecutor(each.processes) as pool,
    ):
        runs = [pool.submit(_load, bench, each, served, n) for n in range(each.processes)]
        for started in runs:
            started.result()
        answered = served.answered()
    times = [call.at for call in answered]
    rounds = [later - at for at, later in zip(times, times[ALLOWED:], strict=False)]
    share = window * len(rounds) / sum(rounds)
    most = max(Counter(int(at // window) for at in times).values())
    return len(times), share, most, sum(call.status == 429 for call in answered)  # noqa: PLR2004


def _load(bench: Bench, each: Run, served: TenantProcess, process: int) -> None:
    """Write one process's part of the records."""
    place = bench.place()
    place.mkdir()
    key = "Name" if each.kind == "company" else "Email"

    def own(_number: int, record: Record) -> Record:
        return {**record, key: f"{process}{record[key]}"}

    count = ALLOWED * bench.sizes.minutes // each.processes
    source = write_input(place / "input.singer", count, kind=each.kind, change=own)
    settings = {"object_type": each.kind, "batch_size_rows": 1, "sync_mode": "upsert"}
    store = str(served.database.parent / "quota.db")
    config = served.ours(**settings, calls_per_minute=LIMIT, quota_store=store)
    command = (sys.executable, str(HERE / "fast_clock.py"), str(bench.sizes.speed))
    run(command, folder=place, config=config, source=source)


def refresh_table(bench: Bench) -> Table:
    """A full refresh of unchanged rows in real time, against what its calls alone take."""
    count = bench.sizes.refreshed
    table = Table(
        f"Full refresh of {count:,} unchanged rows at {ALLOWED} calls a minute",
        ("calls", "seconds", "calls alone, s", "ratio"),
        "In real time, start-up included. *Calls alone* is the minimum: the full minutes that the "
        "calls fill, plus the response times of those in the last minute.",
    )
    place = bench.place()
    place.mkdir()
    source = write_input(place / "input.singer", count)
    limits = {"calls_per_minute": LIMIT, "calls_per_day": 0}
    held = ("company", source, 1)
    with tenant(place / "tenant", described={"limits": limits}, held=held) as served:
        config = served.ours(lookup_keys=["Name"], calls_per_minute=LIMIT)
        taken = run(OURS, folder=place, config=config, source=source)
        seconds = [call.milliseconds / 1000 for call in served.answered()]
    full_minutes = math.ceil(len(seconds) / ALLOWED) - 1
    alone = full_minutes * MINUTE + sum(seconds[full_minutes * ALLOWED :])
    ratio = taken.seconds / alone
    table.add(len(seconds), f"{taken.seconds:.1f}", f"{alone:.1f}", f"{ratio:.2f}")
    if full_minutes:  # else start-up is most of it
        table.promise(
            f"at most {REFRESH_BOUND:.2f} times what its calls alone take ({ratio:.2f})",
            held=ratio <= REFRESH_BOUND,
        )
    return table
