"""Waits of calls that overlap are counted once."""

from __future__ import annotations

import random

from target_gainsight.loading.settling.summary import CallCounts


def test_waits_in_any_order_have_the_length_of_their_union() -> None:
    chance = random.Random(7)
    counts, covered = CallCounts(), set()
    for _ in range(500):
        start = chance.randrange(5000)
        end = start + chance.randrange(8)
        counts.count_resends([(start, end)])
        covered.update(range(start, end))
    assert counts.seconds_waited == len(covered)


def test_very_many_waits_are_all_counted() -> None:
    counts = CallCounts()
    counts.count_resends((10 * number, 10 * number + 1) for number in range(3000))
    counts.count_resends([(29_990, 29_991.5)])  # overlaps the last one
    assert counts.seconds_waited == 3000.5
