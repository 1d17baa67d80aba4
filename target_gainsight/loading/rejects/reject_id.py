"""Names of runs and of rejects."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone

REASON_PROPERTY = "gainsight_reject"
"""The property of a rejected RECORD message that holds the reason."""

RUN_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,8}")


@dataclass(frozen=True, order=True)
class RejectId:
    """The run that rejected a record, and the reject's number in that run, from 1."""

    run: str
    number: int

    def __str__(self) -> str:
        return f"{self.run}-{self.number}"

    @classmethod
    def parse(cls, text: object) -> RejectId | None:
        """Parse an id such as ``20260201T093000Z-3f9a-17``; return None for anything else."""
        run, _, number = str(text).rpartition("-")
        if not RUN_NAME.fullmatch(run) or not re.fullmatch(r"[0-9]{1,12}", number):
            return None
        return cls(run, int(number))


def new_run_name(now: float) -> str:
    """Return a unique name that sorts by the run's start, such as ``20260201T093000Z-3f9a17c4``."""
    start = datetime.fromtimestamp(now, tz=timezone.utc)
    return f"{start:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
