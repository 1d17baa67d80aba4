"""Records with one key in one group: merged into one write, and parted again if it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.reading.person_rows import merged_fields
from target_gainsight.loading.records import LoadRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_gainsight.loading.references import Key

REREAD = ("unavailable", "outcome_unknown")
"""Rejects that say nothing about the values, so that a merge is not undone for them."""


def merged_by_key(group: Sequence[LoadRecord]) -> list[LoadRecord]:
    """Merge records with the same key: later fields win, earlier ones stay.

    Args:
        group: Records in the order they came.

    Returns:
        A record for each key, in the order in which the keys came first.
    """
    by_key: dict[Key, LoadRecord] = {}
    for record in group:
        earlier = by_key.get(record.key)
        by_key[record.key] = record if earlier is None else _merged(earlier, record)
    return list(by_key.values())


def without_repeats(group: Sequence[LoadRecord]) -> Iterator[list[LoadRecord]]:
    """Split a group so that no key comes twice in a part.

    Args:
        group: Records in the order they came.
    """
    part: dict[Key, LoadRecord] = {}
    for record in group:
        if record.key in part:
            yield list(part.values())
            part = {}
        part[record.key] = record
    if part:
        yield list(part.values())


def refused_merges(result: BatchResult) -> list[LoadRecord]:
    """Take the merges out of a result that were refused: their records are sent one by one.

    Args:
        result: What became of a batch; keeps what is not undone.

    Returns:
        The records that were merged, in the order they came.
    """
    undone: list[LoadRecord] = []
    kept = []
    for settlement in result.settlements:
        reason = settlement.reason
        refused = settlement.outcome is Outcome.REJECTED and reason is not None
        if refused and settlement.record.parts and reason and reason.code not in REREAD:
            undone.extend(settlement.record.parts)
        else:
            kept.append(settlement)
    result.settlements = kept
    return undone


def _merged(earlier: LoadRecord, record: LoadRecord) -> LoadRecord:
    still_waiting = {k: v for k, v in earlier.waiting.items() if k not in record.fields}
    return LoadRecord(
        record.source,
        merged_fields(earlier.fields, record.fields),
        key=record.key,
        parts=(*(earlier.parts or (earlier,)), record),
        waiting={**still_waiting, **record.waiting},
    )
