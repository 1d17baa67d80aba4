"""Proposes which fields of a custom object a probe writes, from its description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from target_gainsight.api import Field, Json, ObjectSchema
from target_gainsight.probe.writing.marks import LENGTH

_NUMBERS = ("NUMBER", "CURRENCY", "PERCENTAGE")
_CUSTOM_SUFFIXES = ("__gc", "__lv")
_TEXT_CHARACTERS = 10
_TEXTS: Mapping[str, str] = {
    "STRING": "probe",
    "RICHTEXTAREA": "probe",
    "EMAIL": "probe@example.invalid",
    "URL": "https://example.invalid",
}
_PLAIN_VALUES: Mapping[str, Json] = {
    **dict.fromkeys(_NUMBERS, 1),
    "BOOLEAN": False,
    "DATE": "2026-01-27",
    "DATETIME": "2026-01-27T10:20:30.000Z",
}


class UnsuitableForProbeError(Exception):
    """The probe does not write to this object; the message has the reason and what to do."""


@dataclass(frozen=True)
class ProbeFields:
    """The fields that a probe writes; those that the object lacks are None.

    Attributes:
        key: A STRING that holds the mark.
        required: Further fields that a new record needs, with their values; a LOOKUP has None,
            which stands for any row of its object.
        required_dates: Those of them that are dates.
        labels: The active labels of the picklist.
    """

    key: Field
    text: Field | None
    number: Field | None
    date: Field | None
    datetime: Field | None
    picklist: Field | None
    boolean: Field | None
    lookup: Field | None
    required: Mapping[str, Json]
    required_dates: frozenset[str]
    labels: tuple[str, ...]

    @property
    def roles(self) -> tuple[tuple[str, Field | None], ...]:
        """Each part of the mapping with its field, the key first."""
        return (
            ("key", self.key),
            ("nullable text", self.text),
            ("number", self.number),
            ("date", self.date),
            ("datetime", self.datetime),
            ("picklist", self.picklist),
            ("boolean", self.boolean),
            ("lookup", self.lookup),
        )

    @property
    def further_keys(self) -> tuple[Field, ...]:
        """The fields that can be keys beside the mark."""
        number = self.number if self.number and self.number.data_type == "NUMBER" else None
        return tuple(each for each in (number, self.text) if each is not None)

    def change(self, step: int) -> dict[str, Json]:
        """Return a harmless change that no other step makes; empty if no field can show one."""
        if self.text is not None:
            return {self.text.name: f"probe {step}"}
        return {} if self.number is None else {self.number.name: step}


def propose_fields(schema: ObjectSchema) -> ProbeFields:
    """Choose the fields to write.

    Raises:
        UnsuitableForProbeError: The object is not a low-volume custom object, or has no field for
            the mark, or needs a value that the probe cannot make up.
    """
    _refuse_object(schema)
    writable = [each for each in schema.fields if each.insertable and each.updatable]
    key = _key_field(schema, writable)
    others = [each for each in writable if each is not key]
    picklist, labels = _picklist(others)
    required = dict(_required_values(schema, key))
    dates = {each.name for each in schema.fields if each.data_type == "DATE"}
    return ProbeFields(
        key=key,
        text=_text_field(others),
        number=_first(others, *_NUMBERS),
        date=_first(others, "DATE"),
        datetime=_first(others, "DATETIME"),
        picklist=picklist,
        boolean=_first(others, "BOOLEAN"),
        lookup=next((each for each in others if _is_lookup(each)), None),
        required=required,
        required_dates=frozenset(dates & set(required)),
        labels=labels,
    )


def _refuse_object(schema: ObjectSchema) -> None:
    name = schema.name
    is_custom = schema.object_type == "CUSTOM" or (
        not schema.object_type and name.endswith(_CUSTOM_SUFFIXES)
    )
    if not is_custom:
        message = (
            f"{name} is a standard object: scores, rules and CTAs depend on its records. Name a "
            "low-volume custom object, best one without rules, that an administrator has made "
            "for tests"
        )
        raise UnsuitableForProbeError(message)
    if schema.volume == "high":
        message = (
            f"{name} is listed as a high-volume object, which only bulk jobs can write. Name a "
            "low-volume custom object"
        )
        raise UnsuitableForProbeError(message)


def _key_field(schema: ObjectSchema, writable: list[Field]) -> Field:
    candidates = [
        each
        for each in writable
        if each.data_type == "STRING" and (each.length is None or each.length >= LENGTH)
    ]
    if not candidates:
        message = (
            f"{schema.name} has no writable text field (String) of {LENGTH} characters or more, "
            "which must hold the mark of the probe's records. Name another object"
        )
        raise UnsuitableForProbeError(message)
    return next((each for each in candidates if _is_mandatory(each)), candidates[0])


def _text_field(fields: list[Field]) -> Field | None:
    for each in fields:
        is_long = each.length is None or each.length >= _TEXT_CHARACTERS
        if each.data_type == "STRING" and is_long and not _is_mandatory(each):
            return each
    return None


def _first(fields: list[Field], *data_types: str) -> Field | None:
    return next((each for each in fields if each.data_type in data_types), None)


def _picklist(fields: list[Field]) -> tuple[Field | None, tuple[str, ...]]:
    """Return the first picklist whose labels are known, otherwise the first one."""
    picklists = [each for each in fields if each.data_type == "PICKLIST"]
    for each in picklists:
        if labels := _labels(each):
            return each, labels
    return (picklists[0] if picklists else None), ()


def _labels(field: Field) -> tuple[str, ...]:
    options = field.options or field.load_options()
    return tuple(option.label for option in options if option.active)


def _is_lookup(field: Field) -> bool:
    return field.data_type == "LOOKUP" and bool(field.lookup_objects)


def _is_mandatory(field: Field) -> bool:
    return field.required or not field.nillable


def _required_values(schema: ObjectSchema, key: Field) -> Iterator[tuple[str, Json]]:
    for field in schema.fields:
        if field is key or not field.insertable or not _is_mandatory(field):
            continue
        yield field.name, _made_up_value(schema, field)


def _made_up_value(schema: ObjectSchema, field: Field) -> Json:
    if field.data_type in _TEXTS:
        return _TEXTS[field.data_type][: field.length]
    if field.data_type in _PLAIN_VALUES:
        return _PLAIN_VALUES[field.data_type]
    if _is_lookup(field):
        return None
    labels = _labels(field)
    if field.data_type == "PICKLIST" and labels:
        return labels[0]
    if field.data_type == "MULTISELECTDROPDOWNLIST" and labels:
        return [labels[0]]
    message = (
        f"{schema.name} requires {field.name} ({field.data_type}), for which the probe has no "
        "value. Name another object"
    )
    raise UnsuitableForProbeError(message)
