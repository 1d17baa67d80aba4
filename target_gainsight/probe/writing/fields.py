"""Proposes which fields of a custom object a probe writes, from its description."""

from __future__ import annotations

from collections.abc import Mapping

from target_gainsight.api import Field, Json, ObjectSchema
from target_gainsight.probe.reading.facts import TEXT_TYPES
from target_gainsight.probe.writing.marked_rows import MARK_LENGTH

DAY = "2026-01-27"
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


def find_key(schema: ObjectSchema) -> Field:
    """Return the field that holds the mark, best one that a record needs anyway.

    Raises:
        UnsuitableForProbeError: The object is not a low-volume custom object, or has no such field.
    """
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


def propose_fields(schema: ObjectSchema, key: Field) -> dict[str, Field | None]:
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


def active_labels(field: Field) -> tuple[str, ...]:
    """Return the labels that a picklist accepts; empty if they are not known."""
    options = field.options or field.load_options()
    return tuple(option.label for option in options if option.active)


def required_values(schema: ObjectSchema, key: Field) -> dict[str, Json]:
    """Return the further fields that a new record needs, with values.

    A LOOKUP has None, which stands for any row of its object.

    Raises:
        UnsuitableForProbeError: The object needs a value that the probe cannot make up.
    """
    return {
        field.name: _made_up_value(schema, field)
        for field in schema.fields
        if field is not key and field.insertable and _is_mandatory(field)
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


def _made_up_value(schema: ObjectSchema, field: Field) -> Json:
    value = _PLAIN_VALUES.get(field.data_type)
    if value is not None:
        is_text = field.data_type in TEXT_TYPES
        return str(value)[: field.length] if is_text else value
    if _is_lookup(field):
        return None
    labels = active_labels(field)
    if field.data_type == "PICKLIST" and labels:
        return labels[0]
    if field.data_type == "MULTISELECTDROPDOWNLIST" and labels:
        return [labels[0]]
    message = (
        f"{schema.name} requires {field.name} ({field.data_type}), for which the probe has no "
        "value. Name another object"
    )
    raise UnsuitableForProbeError(message)
