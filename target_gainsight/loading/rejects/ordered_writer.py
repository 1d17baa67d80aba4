"""Rejects on their way to the reject file: in input order, and no state passes them.

Knows neither how a record came to be rejected nor when there are too many.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.loading.outcomes import Outcome, Reason
    from target_gainsight.loading.records import SourceRecord
    from target_gainsight.loading.rejects.open_index import OpenRejects
    from target_gainsight.loading.rejects.reject_file import RejectFile
    from target_gainsight.loading.rejects.reject_id import RejectId

MAX_PENDING = 5000


@dataclass(frozen=True)
class _PendingReject:
    """A record on its way into the reject file.

    Attributes:
        source: The record as it came.
        outcome: What it ended as.
        reason: Why.
        id: What names the reject.
        retires: The older rejects that it stands for from now on.
    """

    source: SourceRecord
    outcome: Outcome
    reason: Reason
    id: RejectId
    retires: Sequence[RejectId]

    @property
    def is_covered(self) -> bool:
        """Whether everything before it in its own stream is settled."""
        return self.source.watermark.settled >= self.source.position


class OrderedRejectWriter:
    """Holds rejects back until everything before them is settled.

    Args:
        rejects: The reject file.
        open_rejects: Knows which rejects a settled record retires.
    """

    def __init__(self, rejects: RejectFile, open_rejects: OpenRejects) -> None:
        self._rejects = rejects
        self._open_rejects = open_rejects
        self._pending: list[tuple[int, _PendingReject]] = []

    def add(
        self, source: SourceRecord, outcome: Outcome, reason: Reason, retires: Sequence[RejectId]
    ) -> None:
        """Take a reject, to be filed at its place in the input.

        Args:
            source: The record as it came.
            outcome: What it ended as.
            reason: Why.
            retires: The older rejects that it stands for once it is filed.
        """
        listed = _PendingReject(source, outcome, reason, self._open_rejects.add(source), retires)
        heapq.heappush(self._pending, (source.sequence, listed))

    def flush_through(self, settled: int) -> None:
        """File, in input order, the rejects that the next state may cover.

        Args:
            settled: The number of the record up to which all are settled.
        """
        while self._pending and self._pending[0][0] <= settled:
            self._file(heapq.heappop(self._pending)[1])
        if len(self._pending) > MAX_PENDING:
            self._flush_early()

    def flush_all(self) -> None:
        """File everything that is held back."""
        for _, listed in sorted(self._pending):
            self._file(listed)
        self._pending = []

    def flush(self) -> None:
        """Bring rejects to disk, and only then the retirement of those they stand for."""
        self._rejects.flush()
        self._open_rejects.flush()

    def _flush_early(self) -> None:
        """File what waits for an earlier record of another stream, so that memory stays bounded."""
        covered = [held for held in self._pending if held[1].is_covered]
        self._pending = [held for held in self._pending if not held[1].is_covered]
        heapq.heapify(self._pending)
        for _, listed in sorted(covered):
            self._file(listed)

    def _file(self, listed: _PendingReject) -> None:
        self._rejects.add(listed.source, listed.outcome, listed.reason, listed.id)
        self._open_rejects.retire(listed.retires, listed.outcome.value)
