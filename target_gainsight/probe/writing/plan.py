"""Plans a probe of an object by reads alone: which fields it writes, and what is left of others."""

from __future__ import annotations

from collections.abc import Mapping

from target_gainsight.api import (
    Field,
    GainsightError,
    Json,
    NotFoundError,
    ObjectNotFoundError,
    ObjectSchema,
    RefusedError,
)
from target_gainsight.api.http.json_codec import as_text
from target_gainsight.probe.reading.facts import TEXT_TYPES
from target_gainsight.probe.session import ProbeSession
from target_gainsight.probe.writing.marked_rows import GSID, MARK_LENGTH, MarkedRows
from target_gainsight.probe.writing.trial import DAY, Trial, active_labels

_NUMBERS = ("NUMBER", "CURRENCY", "PERCENTAGE")
_CUSTOM_SUFFIXES = ("__gc", "__lv")
_TEXT_CHARACTERS = 10
_PLAIN_VALUES: Mapping[str, Json] = {
    **dict.fromkeys(_NUMBERS, 1),
    "STRING": "probe",
    "RICHTEXTAREA": "probe",
    "EMAIL": "probe@example.invalid",
    "URL": "https://example.invalid",
    "BOOLEAN": False,
    "DATE": DAY,
    "DATETIME": f"{DAY}T10:20:30.000Z",
}


class UnsuitableForProbeError(Exception):
    """The probe does not write to this object; the message has the reason and what to do."""


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
    key = _find_key(schema)
    fields = _propose_fields(schema, key)
    lookup = fields["lookup"]
    required = {
        field.name: _make_up_value(session, schema, field)
        for field in schema.fields
        if field is not key and field.insertable and _is_mandatory(field)
    }
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


def _find_key(schema: ObjectSchema) -> Field:
    """Return the field that holds the mark, best one that a record needs anyway."""
    name = schema.name
    is_custom = schema.object_type == "CUSTOM" or (
        not schema.object_type and name.endswith(_CUSTOM_SUFFIXES)
    )
    keys = _texts(_writable(schema), MARK_LENGTH)
    if not is_custom:
        message = (
            f"{name} is a standard object: scores, rules and CTAs depend on its records. Name a "
            "low-volume custom object, best one without rules, that an administrator has made "
            "for tests"
        )
    elif schema.volume == "high":
        message = (
            f"{name} is listed as a high-volume object, which only bulk jobs can write. Name a "
            "low-volume custom object"
        )
    elif not keys:
        message = (
            f"{name} has no writable text field (String) of {MARK_LENGTH} characters or more, "
            "which must hold the mark of the probe's records. Name another object"
        )
    else:
        return next(filter(_is_mandatory, keys), keys[0])
    raise UnsuitableForProbeError(message)


def _propose_fields(schema: ObjectSchema, key: Field) -> dict[str, Field | None]:
    """Choose the fields to write, by their role; None for those that the object lacks."""
    others = [each for each in _writable(schema) if each is not key]
    picklists = [each for each in others if each.data_type == "PICKLIST"]
    texts = (each for each in _texts(others, _TEXT_CHARACTERS) if not _is_mandatory(each))
    return {
        "key": key,
        "nullable text": next(texts, None),
        "number": _first(others, *_NUMBERS),
        "date": _first(others, "DATE"),
        "datetime": _first(others, "DATETIME"),
        "picklist": next(filter(active_labels, picklists), picklists[0] if picklists else None),
        "boolean": _first(others, "BOOLEAN"),
        "lookup": next(filter(_is_lookup, others), None),
    }


def _writable(schema: ObjectSchema) -> list[Field]:
    return [each for each in schema.fields if each.insertable and each.updatable]


def _texts(fields: list[Field], characters: int) -> list[Field]:
    return [
        each
        for each in fields
        if each.data_type == "STRING" and (each.length is None or each.length >= characters)
    ]


def _first(fields: list[Field], *data_types: str) -> Field | None:
    return next((each for each in fields if each.data_type in data_types), None)


def _is_lookup(field: Field) -> bool:
    return field.data_type == "LOOKUP" and bool(field.lookup_objects)


def _is_mandatory(field: Field) -> bool:
    return field.required or not field.nillable


def _make_up_value(session: ProbeSession, schema: ObjectSchema, field: Field) -> Json:
    """Return a value that a new record may have in a field."""
    value = _PLAIN_VALUES.get(field.data_type)
    reason = f"requires {field.name} ({field.data_type}), for which the probe has no value"
    labels = active_labels(field)
    if field.data_type in TEXT_TYPES and value is not None:
        value = str(value)[: field.length]
    elif _is_lookup(field):
        value = _any_gsid(session, field)
        reason = f"requires a link in {field.name}, and no row to link to can be read"
    elif labels and field.data_type == "PICKLIST":
        value = labels[0]
    elif labels and field.data_type == "MULTISELECTDROPDOWNLIST":
        value = [labels[0]]
    if value is None:
        message = f"{schema.name} {reason}. Name another object"
        raise UnsuitableForProbeError(message)
    return value


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
