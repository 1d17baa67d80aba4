"""What every kind of object implements to be written: one call for one batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from target_gainsight.api import RefusedError, UnavailableError, UnknownOutcomeError
from target_gainsight.loading.writing.attempts import (
    Recovered,
    Refused,
    Unavailable,
    Unknown,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.writing.attempts import Action, Attempt, Body, Unresolved


class Writer(ABC):
    """Writes the records of one stream. Its methods run in worker threads.

    Attributes:
        batch_size: Records of one call at most.
        after_lost_response: What is done about creates whose response was lost, for the log.
    """

    batch_size: int
    after_lost_response: ClassVar[str] = "looking up the records"

    @abstractmethod
    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Make one call.

        Args:
            action: Whether the tenant has the records; one to update carries its row's GSID.
            records: At most ``batch_size`` records.

        Raises:
            RefusedError: The tenant refused the call.
            UnknownOutcomeError: The response of a call that must not be repeated was lost.
            UnavailableError: The retries were exhausted.
            StopRunError: The run must stop.
        """

    def body(self, action: Action, record: LoadRecord) -> Body:  # noqa: ARG002 - see subclasses
        """Return a record as it is sent, to find the one that a refusal names."""
        return record.fields

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:  # noqa: ARG002
        """Find out what became of creates. By default nothing is found: calls are idempotent."""
        return Recovered()

    def attempt(self, action: Action, records: Sequence[LoadRecord]) -> Attempt:
        """Make one call and return what came of it.

        Raises:
            StopRunError: The run must stop.
        """
        try:
            return self.write(action, records)
        except RefusedError as error:
            return Refused(error)
        except UnknownOutcomeError as error:
            return Unknown(error)
        except UnavailableError as error:
            return Unavailable(error)
