"""Outcomes of records and batches, and their reasons."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from target_gainsight.api import GainsightError, StopRunError
from target_gainsight.loading.records import LoadRecord
from target_gainsight.mapping.errors import FieldError, display
from target_gainsight.mapping.escaping import one_line

DATA_INDEPENDENT_CODES = ("unavailable", "outcome_unknown")
"""Codes of rejects that do not depend on the values."""

REJECTED_PARENT = "lookup_rejected_parent"
"""The code of a record whose parent was rejected in the same run."""


class Outcome(str, enum.Enum):
    """The outcome of a record; every record gets exactly one."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    MERGED = "merged"
    """Written as part of a later record with the same key, which has the outcome of the write."""


@dataclass(frozen=True)
class Reason:
    """Why a record was not written.

    Attributes:
        code: Gainsight's code (``GSOBJ_1012``) or ours (``no_match``).
        request_id: The refused call, for Gainsight's support.
        sent_at: When a write with an unknown outcome was sent, in epoch seconds.
        is_listed: A skipped record is listed in the reject file, too.
    """

    code: str
    message: str
    field: str | None = None
    value: object = None
    hint: str = ""
    request_id: str | None = None
    sent_at: float | None = None
    is_listed: bool = False

    def __str__(self) -> str:
        parts = [self.code]
        if self.field and not self.message.startswith(self.field):
            parts.append(f"{self.field} = {display(self.value)}")
        text = one_line(": ".join([*parts, self.message]))
        if self.hint in self.message:
            return text
        if text.endswith("."):
            return f"{text} {self.hint[0].upper()}{self.hint[1:]}"
        return f"{text}; {self.hint}"


class Settlement(NamedTuple):
    """The outcome of one record, its reason unless it was written, and its row, if known.

    A row `was_created` if its record was rejected after that, for lack of its parent.
    """

    record: LoadRecord
    outcome: Outcome
    reason: Reason | None = None
    gsid: str | None = None
    was_created: bool = False


@dataclass
class BatchResult:
    """The outcomes of one batch.

    Attributes:
        pauses: Start and end of each wait before creates whose response was lost were sent again.
        unavailable: The records whose retries are exhausted.
        stopped: The error that ends the run; the other records have no outcome.
        is_local: Settled without a call, so that it does not show that the tenant is available.
    """

    settlements: list[Settlement] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    unavailable: list[LoadRecord] = field(default_factory=list)
    unavailable_reason: Reason | None = None
    stopped: Exception | None = None
    is_local: bool = False

    def hold_back(self, records: Iterable[LoadRecord], error: GainsightError) -> "BatchResult":
        """Hold back records whose retries are exhausted; raise what stops the run."""
        if isinstance(error, StopRunError):
            raise error
        reason = Reason("unavailable", str(error), hint="replay it when Gainsight responds again")
        self.unavailable, self.unavailable_reason = list(records), reason
        return self

    def settle(
        self,
        record: LoadRecord,
        outcome: Outcome,
        reason: Reason | None = None,
        gsid: str | None = None,
    ) -> None:
        """Record one record's outcome."""
        self.settlements.append(Settlement(record, outcome, reason, gsid))

    def take_refused_merges(self) -> list[LoadRecord]:
        """Remove refused merges; return the records they were made of, to be sent one by one."""
        unmerged: list[LoadRecord] = []
        kept = []
        for settlement in self.settlements:
            record, outcome, reason, *_ = settlement
            code = reason.code if reason else ""
            if outcome is Outcome.REJECTED and record.parts and code not in DATA_INDEPENDENT_CODES:
                unmerged.extend(record.parts)
            else:
                kept.append(settlement)
        self.settlements = kept
        return unmerged

    def unsettled(self, records: Sequence[LoadRecord]) -> list[LoadRecord]:
        """List those of some records that have no outcome yet, in order."""
        settled = {id(settlement.record) for settlement in self.settlements}
        return [record for record in records if id(record) not in settled]


class RunStoppedError(Exception):
    """The run must stop. Its text is the reason and the suggestion; its code is for the summary."""

    def __init__(self, message: str, *, code: str = "stopped", suggestion: str = "") -> None:
        end = "" if message.endswith(("?", ".")) else "."
        text = f"{message}{end} {suggestion}" if suggestion else message
        super().__init__(one_line(text))
        self.code = code
        self.suggestion = one_line(suggestion)


def reason_of_fields(errors: Sequence[FieldError]) -> Reason:
    """Return one reason that names all fields in error; of several, each with its own hint."""
    first, *others = errors
    return Reason(
        first.code,
        " ".join(map(str, errors)) if others else str(replace(first, hint="")),
        field=first.field,
        value=first.value,
        hint=first.hint,
    )
