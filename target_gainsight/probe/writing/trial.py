"""Plans and runs a probe of an object: what it writes, its questions, and that nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from target_gainsight.api import (
    Field,
    GainsightError,
    Json,
    NotFoundError,
    ObjectNotFoundError,
    ObjectSchema,
    Record,
    RefusedError,
)
from target_gainsight.api.http.json_codec import as_text
from target_gainsight.probe.observations import NotSettledError
from target_gainsight.probe.session import ProbeSession, Reply
from target_gainsight.probe.writing.fields import (
    UnsuitableForProbeError,
    find_key,
    propose_fields,
    required_values,
)
from target_gainsight.probe.writing.marked_rows import GSID, MarkedRows

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


def plan_writes(session: ProbeSession, object_name: str) -> Trial:
    """Read the object's description, a row that it can be linked to, and leftovers.

    Raises:
        UnsuitableForProbeError: The object is not to be written to; the message has the reason.
        GainsightError: The tenant cannot be read.
    """
    try:
        schema = session.client.metadata.describe(object_name)
    except ObjectNotFoundError as error:
        message = f"the tenant has no object {object_name}; 'gainsight describe' lists its objects"
        raise UnsuitableForProbeError(message) from error
    key = find_key(schema)
    fields = propose_fields(schema, key)
    lookup = fields["lookup"]
    required = _link_required(session, schema, required_values(schema, key))
    rows = MarkedRows(session, schema.name, key.name)
    linked_gsid = _any_gsid(session, lookup) if lookup else None
    match_field = _match_field(session, lookup) if lookup else None
    try:
        leftovers = len(rows.find())
    except (RefusedError, NotFoundError) as error:
        message = (
            f"{schema.name} cannot be read by {key.name}, so the probe could not find its "
            f"records again: {error}. Name another object"
        )
        raise UnsuitableForProbeError(message) from error
    return Trial(rows, fields, required, leftovers, linked_gsid, match_field)


def _link_required(
    session: ProbeSession, schema: ObjectSchema, required: dict[str, Json]
) -> dict[str, Json]:
    """Fill the lookups among required values with the GSIDs of any rows."""
    for name in [name for name, value in required.items() if value is None]:
        field = schema.field(name)
        required[name] = _any_gsid(session, field) if field else None
        if required[name] is None:
            message = (
                f"{schema.name} requires a link in {name}, and no row to link to can be read. Name "
                "another object"
            )
            raise UnsuitableForProbeError(message)
    return required


def _any_gsid(session: ProbeSession, lookup: Field) -> str | None:
    """Return the GSID of a row to link to, if one can be read."""
    try:
        rows = list(session.client.records.query(lookup.lookup_objects[0], select=[GSID], limit=1))
    except (GainsightError, IndexError):
        return None
    return as_text(rows[0].get(GSID)) if rows else None


def _match_field(session: ProbeSession, lookup: Field) -> str | None:
    """Return a text field by which the linked object can be looked up."""
    try:
        schema = session.client.metadata.describe(lookup.lookup_objects[0])
    except GainsightError:
        return None
    texts = [field.name for field in schema.fields if field.data_type == "STRING"]
    return "Name" if "Name" in texts else next(iter(texts), None)
