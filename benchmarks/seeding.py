"""Puts the records of a Singer file into a tenant's file, without a call. Runs as a process.

``python seeding.py FILE OBJECT INPUT [EVERY]``: only every n-th record.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from target_gainsight.sandbox import Tenant
from target_gainsight.sandbox.config.config import load_config


def records(path: Path, step: int) -> Iterator[dict[str, Any]]:
    """Read the records of a Singer file."""
    number = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            message = json.loads(line)
            if message["type"] == "RECORD":
                number += 1
                if number % step == 0:
                    yield message["record"]


def main(database: str, object_name: str, source: str, step: str = "1") -> None:
    """Seed one object."""
    tenant = Tenant(database, load_config(None), time.time)
    tenant.seed(object_name, records(Path(source), int(step)))
    tenant.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
