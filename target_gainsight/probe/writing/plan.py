"""Plans a probe of an object by reads alone: what is written, and what earlier probes have left."""

from __future__ import annotations

from dataclasses import dataclass

from target_gainsight.api import (
    Field,
    GainsightError,
    Json,
    NotFoundError,
    ObjectNotFoundError,
    ObjectSchema,
    RefusedError,
)
from target_gainsight.probe.session import ProbeSession
from target_gainsight.probe.writing.field_mapping import (
    ProbeFields,
    UnsuitableForProbeError,
    propose_fields,
)
from target_gainsight.probe.writing.interruption import Interruption
from target_gainsight.probe.writing.marked_rows import GSID, MarkedRows
from target_gainsight.probe.writing.marks import RunMark
from target_gainsight.probe.writing.trial import MAX_CREATED, Trial

MAX_QUESTION_CALLS = 50
"""Calls of the questions and of finding leftovers, retries apart."""
_USUAL_DELETES = 5

_PREFERRED_MATCH = "Name"


@dataclass(frozen=True)
class WritePlan:
    """What a probe is going to write.

    Attributes:
        trial: The fields and the rows.
        leftovers: The number of records that earlier probes have left.
    """

    trial: Trial
    leftovers: int

    @property
    def max_calls(self) -> int:
        """The number of calls at most, retries apart: each created record is deleted by one."""
        return MAX_QUESTION_CALLS + MAX_CREATED + self.leftovers

    @property
    def usual_calls(self) -> int:
        """The number of calls of a tenant that behaves as assumed."""
        return MAX_QUESTION_CALLS + _USUAL_DELETES + self.leftovers


def plan_writes(session: ProbeSession, object_name: str, interruption: Interruption) -> WritePlan:
    """Read the object's description, a row that it can be linked to, and leftovers.

    Raises:
        UnsuitableForProbeError: The object is not to be written to; the message has the reason.
        GainsightError: The tenant cannot be read.
    """
    schema = _describe(session, object_name)
    fields = propose_fields(schema)
    rows = MarkedRows(
        session, schema.name, fields.key.name, mark=RunMark.new(), interruption=interruption
    )
    lookup = fields.lookup
    trial = Trial(
        rows,
        fields,
        _complete(session, schema, fields),
        linked_gsid=_any_gsid(session, lookup) if lookup else None,
        match_field=_match_field(session, lookup) if lookup else None,
    )
    try:
        return WritePlan(trial, len(rows.find()))
    except (RefusedError, NotFoundError) as error:
        message = (
            f"{schema.name} cannot be read by {fields.key.name}, so the probe could not find its "
            f"records again: {error}. Name another object"
        )
        raise UnsuitableForProbeError(message) from error


def _describe(session: ProbeSession, object_name: str) -> ObjectSchema:
    try:
        return session.client.metadata.describe(object_name)
    except ObjectNotFoundError as error:
        message = f"the tenant has no object {object_name}; 'gainsight describe' lists its objects"
        raise UnsuitableForProbeError(message) from error


def _complete(session: ProbeSession, schema: ObjectSchema, fields: ProbeFields) -> dict[str, Json]:
    """Return the values of required fields, with rows for the lookups among them."""
    values = dict(fields.required)
    for name in [name for name, value in values.items() if value is None]:
        field = schema.field(name)
        values[name] = _any_gsid(session, field) if field else None
        if values[name] is None:
            message = (
                f"{schema.name} requires a link in {name}, and no row to link to can be read. Name "
                "another object"
            )
            raise UnsuitableForProbeError(message)
    return values


def _any_gsid(session: ProbeSession, lookup: Field) -> str | None:
    """Return the GSID of a row to link to, if one can be read."""
    try:
        rows = list(session.client.records.query(lookup.lookup_objects[0], select=[GSID], limit=1))
    except (GainsightError, IndexError):
        return None
    gsid = rows[0].get(GSID) if rows else None
    return gsid if isinstance(gsid, str) else None


def _match_field(session: ProbeSession, lookup: Field) -> str | None:
    """Return a text field by which the linked object can be looked up."""
    try:
        schema = session.client.metadata.describe(lookup.lookup_objects[0])
    except GainsightError:
        return None
    texts = [field.name for field in schema.fields if field.data_type == "STRING"]
    return _PREFERRED_MATCH if _PREFERRED_MATCH in texts else next(iter(texts), None)
