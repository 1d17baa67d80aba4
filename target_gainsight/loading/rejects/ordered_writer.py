"""Rejects on their way to the reject file: in input order, and no state passes them.

Knows neither how a record came to be rejected nor when there are too many.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.loading.outcomes import Arrival, Outcome, Reason
    from target_gainsight.loading.rejects.open_index import OpenRejects
    from target_gainsight.loading.rejects.reject_file import RejectFile
    from target_gainsight.loading.rejects.reject_id import RejectId

MOST_HELD = 5000


@dataclass(frozen=True)
class _Listed:
    """A record on its way into the reject file.

    Attributes:
        arrival: The record as it came.
        outcome: What it ended as.
        reason: Why.
        id: What names the reject.
        retires: The older rejects that it stands for from now on.
    """

    arrival: Arrival
    outcome: Outcome
    reason: Reason
    id: RejectId
    retires: Sequence[RejectId]

    @property
    def is_covered(self) -> bool:
        """Whether everything before it in its own stream is settled."""
        return self.arrival.watermark.settled >= self.arrival.position


class RejectFiling:
    """Holds rejects back until everything before them is settled.

    Args:
        rejects: The reject file.
        open_rejects: Knows which rejects a settled record retires.
    """

    def __init__(self, rejects: RejectFile, open_rejects: OpenRejects) -> None:
        self._rejects = rejects
        self._open_rejects = open_rejects
        self._held: list[tuple[int, _Listed]] = []

    def hold(
        self, arrival: Arrival, outcome: Outcome, reason: Reason, retires: Sequence[RejectId]
    ) -> None:
        """Take a reject, to be filed at its place in the input.

        Args:
            arrival: The record as it came.
            outcome: What it ended as.
            reason: Why.
            retires: The older rejects that it stands for once it is filed.
        """
        listed = _Listed(arrival, outcome, reason, self._open_rejects.add(arrival), retires)
        heapq.heappush(self._held, (arrival.sequence, listed))

    def file_up_to(self, settled: int) -> None:
        """File, in input order, the rejects that the next state may cover.

        Args:
            settled: The number of the record up to which all are settled.
        """
        while self._held and self._held[0][0] <= settled:
            self._file(heapq.heappop(self._held)[1])
        if len(self._held) > MOST_HELD:
            self._file_out_of_order()

    def file_all(self) -> None:
        """File everything that is held back."""
        for _, listed in sorted(self._held):
            self._file(listed)
        self._held = []

    def flush(self) -> None:
        """Bring rejects to disk, and only then the retirement of those they stand for."""
        self._rejects.flush()
        self._open_rejects.flush()

    def _file_out_of_order(self) -> None:
        """File what waits for an earlier record of another stream, so that memory stays bounded."""
        covered = [held for held in self._held if held[1].is_covered]
        self._held = [held for held in self._held if not held[1].is_covered]
        heapq.heapify(self._held)
        for _, listed in sorted(covered):
            self._file(listed)

    def _file(self, listed: _Listed) -> None:
        self._rejects.add(listed.arrival, listed.outcome, listed.reason, listed.id)
        self._open_rejects.retire(listed.retires, listed.outcome.value)
