"""Files rejects in input order, and before any state that covers them."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.open_index import OpenRejects
from target_gainsight.loading.rejects.reject_file import RejectFile
from target_gainsight.loading.rejects.reject_id import RejectId

MAX_PENDING = 5000


class _PendingReject(NamedTuple):
    """A reject that is not filed yet, ordered by its number in the input."""

    sequence: int
    source: SourceRecord
    outcome: Outcome
    reason: Reason
    id: RejectId
    retires: Sequence[RejectId]


class OrderedRejectWriter:
    """Holds rejects back until everything before them is settled.

    Args:
        max_pending: More rejects are not held in memory: those that wait only for records of
            other streams are filed out of order.
    """

    def __init__(
        self, rejects: RejectFile, open_rejects: OpenRejects, max_pending: int = MAX_PENDING
    ) -> None:
        self._rejects = rejects
        self._open_rejects = open_rejects
        self._max_pending = max_pending
        self._pending: list[_PendingReject] = []

    def add(
        self, source: SourceRecord, outcome: Outcome, reason: Reason, retires: Sequence[RejectId]
    ) -> None:
        """Add a reject, and the older rejects that it replaces once it is filed."""
        id_ = self._open_rejects.add(source)
        pending = _PendingReject(source.sequence, source, outcome, reason, id_, retires)
        heapq.heappush(self._pending, pending)

    def flush_through(self, settled: int) -> None:
        """File the rejects that a state may cover; ``settled`` is the input's watermark.

        Raises:
            OSError: A file cannot be written.
        """
        while self._pending and self._pending[0].sequence <= settled:
            self._file(heapq.heappop(self._pending))
        if len(self._pending) > self._max_pending:
            covered = [each for each in self._pending if _is_covered(each.source)]
            self._pending = [each for each in self._pending if not _is_covered(each.source)]
            heapq.heapify(self._pending)
            for each in sorted(covered):
                self._file(each)
        self._flush()

    def flush_all(self) -> None:
        """File all rejects.

        Raises:
            OSError: A file cannot be written.
        """
        for each in sorted(self._pending):
            self._file(each)
        self._pending = []
        self._flush()

    def _file(self, pending: _PendingReject) -> None:
        self._rejects.add(pending.source, pending.outcome, pending.reason, pending.id)
        self._open_rejects.retire(pending.retires, pending.outcome.value)

    def _flush(self) -> None:
        """Bring rejects to disk, and only then the retirement of those they replace."""
        self._rejects.flush()
        self._open_rejects.flush()


def _is_covered(source: SourceRecord) -> bool:
    """Return whether everything before a record in its own stream is settled."""
    return source.watermark.settled >= source.position
