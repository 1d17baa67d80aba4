"""Makes a process of its own for each run of the target, without importing everything each time.

Reads an order a line from standard input and answers with the process's id, then its exit code.
With ``--eager`` states are written as soon as they are read, which a soak must find out.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from target_gainsight.target import TargetGainsight

EAGER = "--eager"


def _write_at_once(target: TargetGainsight, message: dict[str, Any]) -> None:
    target._write_state_message(message["value"])  # noqa: SLF001


def run(order: dict[str, str]) -> int:
    """Run the target over a file, its states into another; in a process of its own."""
    os.dup2(os.open(order["input"], os.O_RDONLY), 0)
    os.dup2(os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    with open(0, encoding="utf-8", closefd=False) as messages:
        return TargetGainsight(config=order["config"]).run_to_end(messages)


def main() -> None:
    """Take orders until there are none."""
    TargetGainsight.STATE_INTERVAL_SECONDS = 0.0
    if EAGER in sys.argv:
        TargetGainsight._process_state_message = _write_at_once  # type: ignore[method-assign]  # noqa: SLF001 - what else would break it
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            os._exit(run(order))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
