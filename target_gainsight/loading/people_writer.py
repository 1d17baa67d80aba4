"""Writes people: one in a call, upserted by the People API itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.loading.isolation import Isolation
from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.writers import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.api import PeopleApi
    from target_gainsight.loading.outcomes import LoadRecord


class PeopleWriter(Writer):
    """Person: one record in one call, native upsert by Email.

    Args:
        people: The People API.
    """

    batch_size = 1

    def __init__(self, people: PeopleApi) -> None:
        self._people = people

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a person whose email the tenant does not know."""
        return self._deliver(batch, Outcome.CREATED)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a person whose email the tenant knows."""
        return self._deliver(batch, Outcome.UPDATED)

    def _deliver(self, batch: Sequence[LoadRecord], outcome: Outcome) -> BatchResult:
        def send(part: Sequence[LoadRecord], result: BatchResult) -> None:
            for record in part:
                answer = self._people.upsert(record.fields)
                result.settle(record, outcome, gsid=answer.gsid or record.gsid)

        return Isolation(send, lambda record: record.fields).deliver(batch)
