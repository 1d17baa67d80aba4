"""The rows with which the questions of a probe are answered, and how replies are judged."""

from __future__ import annotations

from dataclasses import dataclass

from target_gainsight.api import Json, Record, RefusedError
from target_gainsight.probe.session import Reply
from target_gainsight.probe.writing.field_mapping import ProbeFields
from target_gainsight.probe.writing.marked_rows import MarkedRows

FIRST, SECOND, TWIN, UNTOUCHED = 3, 1, 4, 2
"""Numbers of the rows, in the order in which they are created: not that of their keys."""
CREATED = (FIRST, SECOND, TWIN, UNTOUCHED)
ABSENT = 5
"""The number of a key that no row has."""
TOO_MANY = range(10, 61)
"""The numbers of one record more than a call may have."""
MAX_CREATED = len(CREATED) + 1 + 1 + len(TOO_MANY)
"""Rows at most: a second one with the key of TWIN, and whatever a tolerant tenant accepts."""


@dataclass(frozen=True)
class Trial:
    """What the questions work with.

    Attributes:
        rows: The marked records.
        fields: The fields that are written.
        required: The values of the other fields that a new record needs.
        linked_object: The object of the lookup field.
        linked_gsid: The GSID of any row of that object; None if none is known.
        match_field: A text field of that object, by which it can be looked up.
    """

    rows: MarkedRows
    fields: ProbeFields
    required: dict[str, Json]
    linked_object: str | None = None
    linked_gsid: str | None = None
    match_field: str | None = None


def is_accepted(reply: Reply) -> bool:
    """Return whether the tenant calls the write a success and lists no error."""
    errors = reply.data.get("errors") if isinstance(reply.data, dict) else None
    return reply.error is None and not errors


def is_refused(reply: Reply) -> bool:
    """Return whether the tenant refuses the write; otherwise its outcome may be unknown."""
    return isinstance(reply.error, RefusedError)


def has_change(row: Record, change: Record) -> bool:
    """Return whether a row was given this change."""
    return bool(change) and all(row.get(name) == value for name, value in change.items())
