"""Waits of calls that overlap are counted once."""

from __future__ import annotations

import random

from target_gainsight.loading.settling.call_counts import CallCounts, join_spans


def test_spans_in_any_order_have_the_length_of_their_union() -> None:
    chance = random.Random(7)
    spans, covered = [], set()
    for _ in range(500):
        start = chance.randrange(5000)
        end = start + 1 + chance.randrange(8)
        spans.append((start, end))
        covered.update(range(start, end))
    assert sum(end - start for start, end in join_spans(spans)) == len(covered)


def test_very_many_waits_are_all_counted() -> None:
    counts = CallCounts()
    counts.count_resends((10 * number, 10 * number + 1) for number in range(5000))
    counts.count_resends([(49_990, 49_991.5)])  # overlaps the last one
    assert counts.seconds_waited == 5000.5
