"""Waits of calls that overlap are counted once."""

from __future__ import annotations

import random

from target_gainsight.loading.settling.call_counts import TimeSpans


def test_spans_in_any_order_have_the_length_of_their_union() -> None:
    chance = random.Random(7)
    spans, covered = TimeSpans(), set()
    for _ in range(500):
        start = chance.randrange(5000)
        end = start + chance.randrange(8)
        spans.add(start, end)
        covered.update(range(start, end))
    assert spans.seconds == len(covered)


def test_many_separate_spans_are_closed_and_still_counted() -> None:
    spans = TimeSpans(max_spans=3)
    for number in range(100):
        spans.add(10 * number, 10 * number + 1)
    spans.add(0, 10)  # before the end of what is closed
    assert spans.seconds == 100
