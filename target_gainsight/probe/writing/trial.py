"""What a probe of an object writes: the rows, the fields and how many of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from target_gainsight.api import Field, Json, Record
from target_gainsight.probe.observations import NotSettledError
from target_gainsight.probe.session import Reply
from target_gainsight.probe.writing.marked_rows import MarkedRows

DAY = "2026-01-27"
"""The day that is written to dates."""

FIRST, SECOND, TWIN, UNTOUCHED = 3, 1, 4, 2
"""Numbers of the rows, in the order in which they are created: not that of their keys."""
CREATED = (FIRST, SECOND, TWIN, UNTOUCHED)
ABSENT = 5
"""The number of a key that no row has."""
TOO_MANY = range(10, 61)
"""The numbers of one record more than a call may have."""
USUALLY_CREATED = len(CREATED) + 1
"""Rows in a tenant that behaves as assumed: TWIN has a second one with its key."""
MAX_CREATED = USUALLY_CREATED + 1 + len(TOO_MANY)
"""Rows at most: whatever a tolerant tenant accepts."""
_QUESTION_CALLS = 50
"""Calls of the questions and of finding leftovers at most, retries apart."""


@dataclass(frozen=True)
class Trial:
    """What a probe is going to write, and what the questions work with.

    Attributes:
        rows: The marked records.
        fields: The fields that are written, by role; None for those that the object lacks.
        required: The values of the other fields that a new record needs.
        leftovers: The number of records that earlier probes have left.
        linked_gsid: The GSID of any row of the lookup field's object; None if none is known.
        match_field: A text field of that object, by which it can be looked up.
        created: The records that the response to their creation lists.
    """

    rows: MarkedRows
    fields: Mapping[str, Field | None]
    required: dict[str, Json]
    leftovers: int
    linked_gsid: str | None
    match_field: str | None
    created: tuple[Record, ...] = ()

    def count_calls(self, created: int) -> int:
        """Return the number of calls at most, retries apart: each created record is deleted."""
        return _QUESTION_CALLS + created + self.leftovers

    def field(self, role: str) -> Field:
        """Return the field with a role.

        Raises:
            NotSettledError: The object has none.
        """
        field = self.fields[role]
        if field is None:
            message = f"the object has no {role}"
            raise NotSettledError(message)
        return field

    @property
    def further_keys(self) -> dict[str, Json]:
        """The fields that can be keys beside the mark, each with a value."""
        text, number = self.fields["nullable text"], self.fields["number"]
        keys: dict[str, Json] = {}
        if number is not None and number.data_type == "NUMBER":
            keys[number.name] = 5
        if text is not None:
            keys[text.name] = "probe key"
        return keys

    def change(self, step: int) -> dict[str, Json]:
        """Return a harmless change that no other step makes; empty if no field can show one."""
        text, number = self.fields["nullable text"], self.fields["number"]
        if text is not None:
            return {text.name: f"probe {step}"}
        return {} if number is None else {number.name: step}

    def write(self, role: str, value: Json, number: int = FIRST) -> Reply:
        """Write a value to the field with a role, in one row."""
        return self.rows.update([(number, {self.field(role).name: value})])


def active_labels(field: Field) -> tuple[str, ...]:
    """Return the labels that a picklist accepts; empty if they are not known."""
    options = field.options or field.load_options()
    return tuple(option.label for option in options if option.active)
