"""Several real processes that share one tenant's limits."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("sharing_process.py")


@contextmanager
def sharing_process(options: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """Start a process and wait until it has opened the store."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(f"{json.dumps(options)}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ready\n", process.communicate()
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str], end: float) -> None:
    """Let a process work until a time in epoch seconds."""
    assert process.stdin
    process.stdin.write(f"{json.dumps(end)}\n")
    process.stdin.flush()


def results(all_options: list[dict[str, Any]], seconds: float) -> list[dict[str, int]]:
    """Run processes at the same time, once all are ready, and return what each prints."""
    with ExitStack() as stack:
        processes = [stack.enter_context(sharing_process(options)) for options in all_options]
        end = time.time() + seconds
        for process in processes:
            begin(process, end)
        return [_result(process) for process in processes]


def _result(process: subprocess.Popen[str]) -> dict[str, int]:
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), err
    result: dict[str, int] = json.loads(out)
    return result
