"""Runs the target by a fast clock: ``fast_clock.py SPEED --config FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from target_gainsight.api import Clock
from target_gainsight.target import TargetGainsight


class FastClock(Clock):
    """A clock that runs fast, and waits accordingly less.

    Args:
        speed: How many times as fast.
    """

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def now(self) -> float:
        """Seconds since an epoch long ago."""
        return super().now() * self._speed

    def wait(self, seconds: float) -> bool:
        """Wait. True if woken before the time was over."""
        return super().wait(seconds / self._speed)


def main(speed: str, _option: str, config: str) -> int:
    """Run the target over standard input."""
    settings = json.loads(Path(config).read_text(encoding="utf-8"))
    return TargetGainsight(config=settings, clock=FastClock(float(speed))).run_to_end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
