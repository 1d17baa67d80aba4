"""Records as they arrived and as they are loaded, and how far they are settled without a gap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_gainsight.loading.keys import Link, LookupKey, Reference


@dataclass(eq=False)
class Watermark:
    """How far the records of one sink instance, or of the run, are settled without a gap.

    Attributes:
        received: Records taken so far; positions run from 1 to this.
        settled: The position up to which every record is settled.
    """

    received: int = 0
    settled: int = 0
    _bounds: list[int] = field(default_factory=lambda: [0, 1])
    """Where ranges of settled positions begin and end in turn: one record may wait for minutes
    while very many after it are settled."""

    def register(self) -> int:
        """Take one more record and return its position."""
        self.received += 1
        return self.received

    def settle(self, position: int) -> None:
        """Note that the record at a position is settled.

        Raises:
            ValueError: It is settled already or was never given out.
        """
        bounds = self._bounds
        place = bisect_right(bounds, position)
        if place % 2 or position > self.received:
            message = f"position {position} of {self.received} cannot be settled (again)"
            raise ValueError(message)
        joins_before = bounds[place - 1] == position
        joins_after = bounds[place : place + 1] == [position + 1]
        added = [] if joins_before else [position]
        if not joins_after:
            added.append(position + 1)
        bounds[place - joins_before : place + joins_after] = added
        self.settled = bounds[1] - 1


_EMPTY: Mapping[str, Any] = {}
"""Shared: two dictionaries of its own would cost a record an eighth of a kilobyte."""


@dataclass(slots=True, eq=False)
class SourceRecord:
    """One record as it reached a sink.

    Attributes:
        stream: The stream's name as the tap gives it.
        alias: The stream's name as it comes out of the stream maps.
        message: The RECORD message as it came; its ``record`` is the source record.
        schema: The SCHEMA message that held for it, as it came.
        sequence: Its number among the records of the run, in the order of the input.
        position: Its place in its sink instance.
    """

    stream: str
    alias: str
    message: Mapping[str, Any]
    schema: Mapping[str, Any]
    sequence: int
    watermark: Watermark
    position: int

    @property
    def key(self) -> dict[str, Any]:
        """Its key properties, as the source sent them."""
        record, names = self.message["record"], self.schema.get("key_properties") or ()
        return {name: record.get(name) for name in names}


@dataclass(slots=True, eq=False)
class LoadRecord:
    """A record on its way into the tenant.

    Attributes:
        fields: Gainsight field to the value that is written.
        key: The comparable values of its lookup keys, empty without keys.
        parts: The records it was merged from, in order; empty when it stands for itself.
        gsid: The row it updates, once that is known.
        sent_before: When an earlier run sent it without learning the outcome (epoch seconds).
        references: Field to the row, or rows, of another object that it refers to.
        links: The companies that a person is linked to.
        waiting: Field to the row of its own object that is not there yet.
        claimed: The row without lookup keys that it updates, as it was found by fallback keys.
        changed: The fields that an update changes, as far as its row was compared.
        deletes: It deletes its row; its fields are the lookup keys only.
    """

    source: SourceRecord
    fields: dict[str, Any]
    key: tuple[Any, ...] = ()
    parts: tuple[LoadRecord, ...] = ()
    gsid: str | None = None
    sent_before: float | None = None
    references: Mapping[str, Reference] = field(default_factory=lambda: _EMPTY)
    links: tuple[Link, ...] = ()
    waiting: Mapping[str, LookupKey] = field(default_factory=lambda: _EMPTY)
    claimed: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()
    deletes: bool = False
