"""``python -m benchmarks``: runs the comparisons and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.calls import call_table, latency_table
from benchmarks.processes import HERE, NOTHING, OURS, PLAIN, run
from benchmarks.rate import rate_table, refresh_table
from benchmarks.report import document, write
from benchmarks.sizes import FULL, QUICK, TINY, Bench
from benchmarks.starting import start_table
from benchmarks.throughput import insert_table, sandbox_table, unchanged_table

TABLES = {
    "calls": call_table,
    "rate": rate_table,
    "refresh": refresh_table,
    "latency": latency_table,
    "unchanged": unchanged_table,
    "insert": insert_table,
    "start": start_table,
    "sandbox": sandbox_table,
}
SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller, in some six minutes")
    parser.add_argument("--tiny", action="store_true", help="proves that it runs, no more")
    parser.add_argument("--only", choices=TABLES, action="append", help="may be repeated")
    parser.add_argument("--output", type=Path, default=HERE.parent / "docs" / "benchmarks.md")
    asked = parser.parse_args()
    size = "tiny" if asked.tiny else "quick" if asked.quick else "full"
    began, tables = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        bench = Bench(Path(folder), SIZES[size])
        for command in (OURS, PLAIN, NOTHING):  # the first start compiles what it imports
            run((*command, "--version"), folder=bench.folder)
        for name in asked.only or TABLES:
            print(f"{name} …", file=sys.stderr)
            tables.append(TABLES[name](bench))
    only = "".join(f" --only {name}" for name in asked.only or ())
    flag = "" if size == "full" else f" --{size}"
    minutes = (time.monotonic() - began) / 60
    write(document(tables, f"python -m benchmarks{flag}{only}", minutes), asked.output)


if __name__ == "__main__":
    main()
