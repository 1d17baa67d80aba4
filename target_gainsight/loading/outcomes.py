"""What can become of a record, and the record on its way there. Decides nothing itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.mapping.errors import FieldError


class Outcome(str, enum.Enum):
    """What a record ended as; every record gets exactly one."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Reason:
    """Why a record was not written.

    Attributes:
        code: Gainsight's code (``GSOBJ_1012``) or ours (``no_match``).
        message: One sentence.
        field: The field concerned, if one is.
        value: The value concerned.
        hint: What to do.
        request_id: The refused call, for Gainsight's support.
        sent_at: When a write with an unclear outcome was sent, in epoch seconds.
    """

    code: str
    message: str
    field: str | None = None
    value: object = None
    hint: str = ""
    request_id: str | None = None
    sent_at: float | None = None

    def without_values(self) -> Reason:
        """The same reason, saying nothing of what the record holds."""
        return replace(self, value=None, message="the values are not kept (reject_values: keys)")

    def __str__(self) -> str:
        parts = [self.code]
        if self.field and self.field not in self.message:
            parts.append(f"{self.field} = {display(self.value)}")
        said = one_line(": ".join([*parts, self.message]))
        if not self.hint or self.message.endswith(self.hint):
            return said
        return f"{said} {self.hint}" if said.endswith(".") else f"{said}; {self.hint}"


class Settlement(NamedTuple):
    """The outcome of one record.

    Attributes:
        record: The record.
        outcome: What it ended as.
        reason: Why, for skipped and rejected ones.
        gsid: The row that holds it now, if known.
    """

    record: LoadRecord
    outcome: Outcome
    reason: Reason | None = None
    gsid: str | None = None


@dataclass
class BatchResult:
    """What became of one batch.

    Attributes:
        settlements: The records that have an outcome.
        unavailable: The records whose retries are spent.
        unavailable_because: Why.
        stopped: The error that ends the run; the other records have no outcome.
    """

    settlements: list[Settlement] = field(default_factory=list)
    unavailable: list[LoadRecord] = field(default_factory=list)
    unavailable_because: Reason | None = None
    stopped: Exception | None = None

    def settle(
        self,
        record: LoadRecord,
        outcome: Outcome,
        reason: Reason | None = None,
        gsid: str | None = None,
    ) -> None:
        """Note one record's outcome."""
        self.settlements.append(Settlement(record, outcome, reason, gsid))

    def unsettled(self, records: Sequence[LoadRecord]) -> list[LoadRecord]:
        """List those of some records that have no outcome yet, in order."""
        settled = {id(settlement.record) for settlement in self.settlements}
        return [record for record in records if id(record) not in settled]


class RunStoppedError(Exception):
    """The run must stop: its message says why and what to do, on one line.

    Args:
        message: May name streams and fields as they are; what cannot be printed is escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def reason_of_fields(errors: Sequence[FieldError]) -> Reason:
    """Say what is wrong with a record's fields.

    Returns:
        The reason, which names all of them.
    """
    first = errors[0]
    return Reason(
        first.code,
        " ".join(str(replace(error, hint="")) for error in errors),
        field=first.field,
        value=first.value,
        hint=first.hint,
    )
