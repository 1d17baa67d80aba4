"""Garbage collection of a process that does nothing but load."""

from __future__ import annotations

import gc

GARBAGE_THRESHOLDS = (20_000, 50, 50)
"""A group of records in flight is some ten thousand objects, none of them garbage."""


def tune_gc() -> None:
    """Collect less often: the collector finds next to nothing among records.

    For a process of our own only; a library must not change its host's thresholds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
