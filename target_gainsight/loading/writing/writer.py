"""The interface that every kind of object implements to be written: one call for one batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.records import LoadRecord

Action = Literal["create", "update", "delete"]
Batch = Sequence[LoadRecord]

WRITTEN: Mapping[Action, Outcome] = {
    "create": Outcome.CREATED,
    "update": Outcome.UPDATED,
    "delete": Outcome.DELETED,
}
"""The outcome of a record that was written."""


@dataclass(frozen=True)
class Unresolved:
    """A record that may or may not have been created, or whose row may have been deleted.

    Attributes:
        cause: What happened, as a phrase.
        sent_at: When it was sent, in epoch seconds, if possible on the tenant's clock.
        reason: Why it is rejected if the call had no effect; None if it is to be sent again.
        may_still_commit: The call timed out, so that the tenant may still be working on it.
        resent: An earlier response for the same record was lost in this run.
    """

    record: LoadRecord
    cause: str
    sent_at: float = 0.0
    may_still_commit: bool = False
    reason: Reason | None = None
    resent: bool = False


class Writer(ABC):
    """Writes the records of one stream. Its methods run in worker threads.

    Attributes:
        after_lost_response: The recovery of creates whose response was lost, for the log.
    """

    batch_size: int
    after_lost_response: ClassVar[str] = "looking up the records"

    @abstractmethod
    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Make one call and settle the records whose outcome the response states.

        Records to update carry their row's GSID. A refusal or a lost response is raised.

        Returns:
            The records that the response does not account for, each with a reason.
        """

    def body(self, action: Action, record: LoadRecord) -> Mapping[str, Any]:  # noqa: ARG002
        """Return a record as it is sent, to find the one that a refusal names."""
        return record.fields

    def recover(self, unresolved: Sequence[Unresolved], result: BatchResult) -> Batch:  # noqa: ARG002
        """Settle records whose lookup is conclusive; return those that exist with other values."""
        return ()
