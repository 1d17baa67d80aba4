"""What the tenant holds: its objects and their fields, as the metadata API describes them.

Keys that are missing or new are tolerated: an answer is read for what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from target_gainsight.api.errors import ObjectNotFoundError
from target_gainsight.api.http.json_codec import (
    Json,
    Record,
    as_mapping,
    as_mappings,
    as_text,
    is_list_of_mappings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api.client import GainsightClient

_PATH = "/v1/meta/services/objects"
_WORTH_SECONDS = 60.0
"""Metadata only spares mistakes: without it a stream is loaded unchecked."""
_DESCRIBE_ALL = {"ic": "true", "cl": "2", "idd": "true"}


@dataclass(frozen=True)
class PicklistOption:
    """An item of a picklist. Reads show its GSID; writes take the label of an active one."""

    gsid: str
    label: str
    active: bool
    system_name: str | None


@dataclass(frozen=True)
class Field:
    """A field of an object. `name` is what writes call it, `label` what people see.

    `data_type` is Gainsight's: STRING, NUMBER, PICKLIST, … `length` bounds text.
    """

    name: str
    label: str
    data_type: str
    required: bool
    nillable: bool
    createable: bool
    updateable: bool
    read_only: bool
    formula: bool
    has_lookup: bool
    length: int | None
    decimal_places: int | None
    lookup_objects: tuple[str, ...]
    options: tuple[PicklistOption, ...]

    @property
    def insertable(self) -> bool:
        """Whether a new record may carry it."""
        return self.createable and not (self.formula or self.read_only)

    @property
    def updatable(self) -> bool:
        """Whether it may be changed in an existing record."""
        return self.updateable and not (self.formula or self.read_only)


@dataclass(frozen=True)
class ObjectSchema:
    """An object and its fields.

    `transactional` marks low-volume objects, the only ones that the custom object API writes;
    `None` when the tenant does not say.
    """

    name: str
    label: str
    object_type: str
    transactional: bool | None
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """The field of exactly this name, if there is one."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}


@dataclass(frozen=True)
class ObjectSummary:
    """An object as the list of objects shows it."""

    name: str
    label: str
    object_type: str
    transactional: bool | None


class MetadataApi:
    """Asks the tenant what it holds."""

    def __init__(self, client: GainsightClient) -> None:
        self._client = client

    def describe(self, object_name: str) -> ObjectSchema:
        """An object with all its fields.

        Raises:
            ObjectNotFoundError: the tenant has no such object.
        """
        answer = self._client.call(
            "GET",
            f"{_PATH}/{quote(object_name, safe='')}/describe",
            kind="describe",
            params=_DESCRIBE_ALL,
            max_seconds=_WORTH_SECONDS,
            expects=lambda data: isinstance(data, dict) or is_list_of_mappings(data),
        )
        described = as_mapping(answer.data) or next(iter(as_mappings(answer.data)), {})
        if not described:
            message = f"the tenant has no object {object_name}"
            raise ObjectNotFoundError(message, request_id=answer.request_id)
        return _schema(described, object_name)

    def list_objects(self) -> tuple[ObjectSummary, ...]:
        """Every object of the tenant."""
        answer = self._client.call(
            "GET",
            f"{_PATH}/list",
            kind="list objects",
            expects=lambda data: isinstance(data, list),
        )
        return tuple(_summary(said) for said in as_mappings(answer.data))


def _schema(said: Record, asked_for: str) -> ObjectSchema:
    summary = _summary(said)
    return ObjectSchema(
        name=summary.name or asked_for,
        label=summary.label or asked_for,
        object_type=summary.object_type,
        transactional=summary.transactional,
        fields=tuple(_field(field) for field in as_mappings(said.get("fields"))),
    )


def _summary(said: Record) -> ObjectSummary:
    name = as_text(said.get("objectName")) or ""
    return ObjectSummary(
        name=name,
        label=as_text(said.get("label")) or name,
        object_type=as_text(said.get("objectType")) or "",
        transactional=_flag(said.get("transactional")),
    )


def _field(said: Record) -> Field:
    """A field; what is not said about it is left for the tenant to refuse."""
    meta = as_mapping(said.get("meta"))
    name = as_text(said.get("fieldName")) or ""
    lookups = as_mappings(as_mapping(meta.get("lookupDetail")).get("lookupObjects"))
    return Field(
        name=name,
        label=as_text(said.get("label")) or name,
        data_type=(as_text(said.get("dataType")) or "STRING").upper(),
        required=_flag(meta.get("required")) or False,
        nillable=_flag(meta.get("nillable")) is not False,
        createable=_flag(meta.get("createable")) is not False,
        updateable=_flag(meta.get("updateable")) is not False,
        read_only=_flag(meta.get("readOnly")) or False,
        formula=_flag(meta.get("formulaField")) or False,
        has_lookup=_flag(meta.get("hasLookup")) or bool(lookups),
        length=_whole(meta.get("length")),
        decimal_places=_whole(meta.get("decimalPlaces")),
        lookup_objects=tuple(
            target for lookup in lookups if (target := as_text(lookup.get("objectName")))
        ),
        options=tuple(_option(option) for option in as_mappings(said.get("options"))),
    )


def _option(said: Record) -> PicklistOption:
    return PicklistOption(
        gsid=as_text(said.get("value")) or "",
        label=as_text(said.get("label")) or "",
        active=_flag(said.get("active")) is not False,
        system_name=as_text(said.get("systemName")),
    )


def _flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
