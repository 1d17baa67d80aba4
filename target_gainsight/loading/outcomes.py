"""What can become of a record, and the record on its way there. Decides nothing itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from target_gainsight.mapping.errors import shown
from target_gainsight.mapping.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_gainsight.loading.lookups.index import Wanted
    from target_gainsight.loading.lookups.resolver import Link, Reference
    from target_gainsight.loading.settling.checkpoint import Watermark
    from target_gainsight.mapping.errors import FieldError


NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The references of records that have none."""


def _nothing() -> Mapping[str, Any]:
    """One empty mapping for all records: most refer to nothing."""
    return NOTHING


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
            parts.append(f"{self.field} = {shown(self.value)}")
        said = one_line(": ".join([*parts, self.message]))
        if not self.hint or self.message.endswith(self.hint):
            return said
        return f"{said} {self.hint}" if said.endswith(".") else f"{said}; {self.hint}"


@dataclass(slots=True, eq=False)
class Arrival:
    """One record as it reached a sink.

    Attributes:
        stream: The stream's name as the tap gives it.
        alias: The stream's name as it comes out of the stream maps.
        message: The RECORD message as it came; its ``record`` is the source record.
        schema: The SCHEMA message that held for it, as it came.
        sequence: Its number among the records of the run, in the order of the input.
        watermark: How far its sink instance is settled.
        position: Its place in that sink instance.
    """

    stream: str
    alias: str
    message: Mapping[str, Any]
    schema: Mapping[str, Any]
    sequence: int
    watermark: Watermark
    position: int


@dataclass(slots=True, eq=False)
class LoadRecord:
    """A record on its way into the tenant.

    Attributes:
        arrival: Where it came from.
        fields: Gainsight field to the value that is written.
        key: The comparable values of its lookup keys, empty without keys.
        parts: The records it was merged from, in order; empty when it stands for itself.
        gsid: The row it updates, once that is known.
        sent_before: When an earlier run sent it without learning the outcome (epoch seconds).
        references: Field to the row, or rows, of another object that it refers to.
        links: The companies that a person is linked to.
        waiting: Field to the row of its own object that is not there yet.
    """

    arrival: Arrival
    fields: dict[str, Any]
    key: tuple[Any, ...] = ()
    parts: tuple[LoadRecord, ...] = ()
    gsid: str | None = None
    sent_before: float | None = None
    references: Mapping[str, Reference] = field(default_factory=_nothing)
    links: tuple[Link, ...] = ()
    waiting: Mapping[str, Wanted] = field(default_factory=_nothing)

    def arrivals(self) -> tuple[Arrival, ...]:
        """List every arrival that shares this record's outcome, in order."""
        if not self.parts:
            return (self.arrival,)
        return tuple(part.arrival for part in self.parts)


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

    Args:
        errors: One at least; the first one gives the code.

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
