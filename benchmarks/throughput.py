"""Records per second, CPU time and memory, against the do-nothing and the plain target."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.inputs import write_input
from benchmarks.processes import HERE, NOTHING, OURS, PLAIN, Measured, run, tenant
from benchmarks.report import MEBIBYTE, Table, mebibytes, spread
from benchmarks.sizes import Bench

FASTER = 1.3
LESS_CPU = 0.75
SAME_MEMORY = 1.2
MOST_MEMORY = 110 * MEBIBYTE
WRITES_A_SECOND = 300
PLAIN_REPEATED_TO = 10_000
"""The plain target takes minutes for what others do in seconds, and is run once there."""

MICRO = 1e6


@dataclass
class Series:
    """The repetitions of one thing.

    Attributes:
        runs: What each took.
    """

    runs: list[Measured] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median of the time."""
        return median(each.seconds for each in self.runs)

    @property
    def cpu(self) -> float:
        """The median of the CPU time."""
        return median(each.cpu for each in self.runs)

    @property
    def peak(self) -> float:
        """The median of the peak memory."""
        return median(each.peak for each in self.runs)

    def rates(self, records: int) -> str:
        """Records per second."""
        return spread([records / each.seconds for each in self.runs], 0)


def unchanged_table(bench: Bench) -> Table:
    """Everything unchanged, validation and metadata checks on."""
    table = Table(
        "Everything unchanged",
        ("records", "target", "records/s", "ratio", "CPU µs/record", "ratio", "peak memory"),
        "Twelve columns, validated and checked against the tenant's metadata; every record is "
        "compared with its row and found unchanged. Whole processes, start-up included. The "
        "ratios are to the SDK's do-nothing target with its default validation on the same input "
        "(for CPU time, lower is better).",
    )
    peaks, last = [], 0.0
    for count in bench.sizes.records:
        place = bench.place()
        place.mkdir()
        source = write_input(place / "input.singer", count)
        ours, nothing, plain = _unchanged(bench, place, source, count)
        for name, series in (("do-nothing", nothing), ("ours", ours), ("plain", plain)):
            _add(table, count, name, series, nothing)
        peaks.append(ours.peak)
        last = nothing.seconds / ours.seconds
        source.unlink()
    grown = peaks[-1] / peaks[0]
    most, least = max(bench.sizes.records), min(bench.sizes.records)
    table.promise(
        f"at least {FASTER:g} times the records per second of the do-nothing target at {most:,} "
        f"({last:.1f})",
        held=last >= FASTER,
    )
    table.promise(
        f"peak memory at {most:,} within {SAME_MEMORY} times that at {least:,} ({grown:.2f})",
        held=grown <= SAME_MEMORY,
    )
    table.promise(
        f"peak memory at most {mebibytes(MOST_MEMORY)} at every size ({mebibytes(max(peaks))})",
        held=max(peaks) <= MOST_MEMORY,
    )
    return table


def _unchanged(
    bench: Bench, place: Path, source: Path, count: int
) -> tuple[Series, Series, Series]:
    ours, nothing, plain = Series(), Series(), Series()
    with tenant(place / "tenant", held=("company", source, 1)) as served:
        for repetition in bench.repetitions(count):
            config = served.ours(lookup_keys=["Name"])
            nothing.runs.append(run(NOTHING, folder=place, source=source))
            ours.runs.append(run(OURS, folder=place, config=config, source=source))
            if repetition == 0 or count <= PLAIN_REPEATED_TO:
                plain.runs.append(run(PLAIN, folder=place, config=served.plain(), source=source))
    return ours, nothing, plain


def _add(table: Table, count: int, name: str, series: Series, base: Series) -> None:
    table.add(
        f"{count:,}",
        name,
        series.rates(count),
        f"{base.seconds / series.seconds:.2f}",
        f"{series.cpu / count * MICRO:.0f}",
        f"{series.cpu / base.cpu:.2f}",
        mebibytes(series.peak),
    )


def insert_table(bench: Bench) -> Table:
    """CPU time of a full insert, against the plain target."""
    count = bench.sizes.inserted
    table = Table(
        f"{count:,} inserts without latency or limits",
        ("target", "CPU µs/record", "ratio", "records/s", "peak memory"),
        "CPU time excludes the tenant's process, which limits records per second.",
    )
    place = bench.place()
    place.mkdir()
    source = write_input(place / "input.singer", count)
    ours, plain = Series(), Series()
    for _ in bench.repetitions(count):
        for series, command in ((plain, PLAIN), (ours, OURS)):
            with tenant(bench.place()) as served:
                make = served.ours if command is OURS else served.plain
                config = make(sync_mode="insert")
                series.runs.append(run(command, folder=place, config=config, source=source))
    for name, series in (("plain", plain), ("ours", ours)):
        ratio = series.cpu / plain.cpu
        cpu = spread([each.cpu / count * MICRO for each in series.runs], 0)
        table.add(name, cpu, f"{ratio:.2f}", series.rates(count), mebibytes(series.peak))
    ratio = ours.cpu / plain.cpu
    table.promise(
        f"at most {LESS_CPU} of the plain target's CPU time ({ratio:.2f})", held=ratio <= LESS_CPU
    )
    return table


def sandbox_table(bench: Bench) -> Table:
    """Calls of 50 records that the tenant itself can handle."""
    count = bench.sizes.writes
    table = Table(
        "The tenant's own speed",
        ("what", "calls/s", "records/s"),
        "Inserts of 50 records, prepared beforehand and sent over 4 connections by a process that "
        "does nothing else: runs against the tenant cannot measure more than this.",
    )
    rates = []
    for _ in bench.repetitions(count):
        place = bench.place()
        with tenant(place) as served:
            arguments = (served.base_url, served.access_key, str(count))
            command = (sys.executable, str(HERE / "write_calls.py"), *arguments)
            rates.append(count / _sending_seconds(command, place))
    table.add("insert", spread(rates, 0), f"{median(rates) * 50:,.0f}")
    rate = median(rates)
    table.promise(f"at least {WRITES_A_SECOND} calls/s ({rate:.0f})", held=rate >= WRITES_A_SECOND)
    return table


def _sending_seconds(command: tuple[str, ...], folder: Path) -> float:
    """The time that the sender took between its first call and its last answer."""
    run(command, folder=folder)
    return float((folder / "seconds.txt").read_text(encoding="utf-8"))
