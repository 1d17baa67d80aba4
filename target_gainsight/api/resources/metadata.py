"""The tenant's objects and their fields, from the metadata API. Unknown keys are tolerated."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal
from urllib.parse import quote

from target_gainsight.api import errors
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import (
    Json,
    Record,
    as_mapping,
    as_mappings,
    as_text,
    object_list,
)
from target_gainsight.api.http.responses import Send

logger = logging.getLogger(__name__)

_PATH = "/v1/meta/services"
LIST_CALL = Call(
    "GET",
    f"{_PATH}/objects/list",
    kind="list objects",
    expects=lambda data: isinstance(data, list),
)
"""Get Lite API Call."""
_MAX_SECONDS = 30.0
"""Metadata only prevents mistakes: without it a stream is loaded unchecked."""
_MAX_DESCRIBED = 25
"""Objects per call: the most seen in one (Data Management APIs, Post Describe)."""
_DESCRIBE_SEVERAL = {
    "includeChilds": "false",
    "childLevels": "0",
    "populatePickListOptions": "true",
    "useCollectionId": "false",
    "removeDeleted": "false",
    "removeHidden": "false",
    "host": "MDA",
    "sortFieldsByLabel": "true",
    "populateFieldId": "false",
    "honorUserContext": "true",
    "honorCustomLookup": "true",
    "populateAutoSuggestDetails": "true",
    "externalContext": "false",
}
METADATA_ERRORS = (
    errors.AccessDeniedError,
    errors.NotFoundError,
    errors.RefusedError,
    errors.UnavailableError,
    errors.UnknownRouteError,
)
"""Metadata that a tenant does not give, by permission, version or fault; the run goes on."""


@dataclass(frozen=True)
class PicklistOption:
    """An item of a picklist. Reads show its GSID; writes take the label of an active one."""

    gsid: str
    label: str
    active: bool


@dataclass(frozen=True)
class Field:
    """A field of an object. `name` is the API name, `label` the name on screen.

    `data_type` is Gainsight's: STRING, NUMBER, PICKLIST, … A picklist may be described without
    `options`: `load_options` reads them from its category, in one call.
    """

    name: str
    label: str
    data_type: str
    required: bool = False
    nillable: bool = True
    insertable: bool = True
    updatable: bool = True
    formula: bool = False
    length: int | None = None
    decimal_places: int | None = None
    lookup_objects: tuple[str, ...] = ()
    options: tuple[PicklistOption, ...] = ()
    load_options: Callable[[], tuple[PicklistOption, ...]] = field(
        default=tuple, compare=False, repr=False
    )


@dataclass(frozen=True)
class ObjectSchema:
    """An object; the list of objects shows it without its fields.

    Standard objects have no `volume`. Only fields of a `documented` object are surely required.
    """

    name: str
    label: str
    object_type: str
    volume: Literal["low", "high"] | None
    fields: tuple[Field, ...] = ()
    documented: bool = False

    def field(self, name: str) -> Field | None:
        """Return the field of exactly this name, if there is one."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class MetadataApi:
    """Describes the tenant's objects."""

    _send: Send
    _categories: dict[str, tuple[PicklistOption, ...]] = field(default_factory=dict)

    def describe(self, object_name: str) -> ObjectSchema:
        """Describe one object with all its fields (Get Describe)."""
        call = Call(
            "GET",
            f"{_PATH}/objects/{quote(object_name, safe='')}/describe",
            kind="describe",
            params={"ic": "false", "cl": "0", "idd": "true"},
            max_seconds=_MAX_SECONDS,
            expects=lambda data: _entries(data) is not None,
        )
        response = self._send(call)
        entries = _entries(response.data) or ()
        if schema := self._find_schema(object_name, entries):
            return schema
        described = ", ".join(str(each.get("objectName")) for each in entries[:5]) or "nothing"
        message = f"asked to describe {object_name}, the tenant describes {described} instead"
        kind = errors.NotFoundError if entries else errors.ObjectNotFoundError
        raise kind(message, request_id=response.request_id)

    def describe_several(self, object_names: Sequence[str]) -> dict[str, ObjectSchema]:
        """Describe objects, 25 per call (Post Describe); return those found, by lower-case name."""
        schemas: dict[str, ObjectSchema] = {}
        for start in range(0, len(object_names), _MAX_DESCRIBED):
            names = object_names[start : start + _MAX_DESCRIBED]
            call = Call(
                "POST",
                f"{_PATH}/objects/describe",
                kind="describe",
                json={"objectNames": list(names), **_DESCRIBE_SEVERAL},
                max_seconds=_MAX_SECONDS,
                expects=lambda data: _entries(data) is not None,
            )
            with suppress(*METADATA_ERRORS):
                entries = _entries(self._send(call).data) or ()
                for name in names:
                    if schema := self._find_schema(name, entries):
                        schemas[name.lower()] = schema
        return schemas

    def list_objects(self) -> tuple[ObjectSchema, ...]:
        """List every object of the tenant (Get Lite API Call)."""
        return tuple(_schema(entry) for entry in as_mappings(self._send(LIST_CALL).data))

    def _load_category(self, category_id: str) -> tuple[PicklistOption, ...]:
        """List a dropdown category once (Get API - categoryID); none if it is not whole."""
        if category_id and category_id not in self._categories:
            call = Call(
                "GET",
                f"{_PATH}/dropdowns/{quote(category_id, safe='')}",
                kind="dropdown",
                max_seconds=_MAX_SECONDS,
                expects=lambda data: object_list(as_mapping(data).get("childItems")) is not None,
            )
            try:
                data = as_mapping(self._send(call).data)
            except METADATA_ERRORS as error:
                data = {}
                logger.warning(
                    "picklist category %s cannot be read (%s); its labels are left to the "
                    "tenant to check",
                    category_id,
                    error,
                )
            items, details = data.get("childItems"), as_mapping(data.get("categoryDetails"))
            is_whole = len(as_mappings(items)) >= (_integer(details, "count") or 0)
            self._categories[category_id] = _options(items if is_whole else (), "gsid", "name")
        return self._categories.get(category_id, ())

    def _find_schema(self, object_name: str, entries: Sequence[Record]) -> ObjectSchema | None:
        """Return the object's schema, if it has fields; a single one need not repeat the name."""
        default = object_name if len(entries) == 1 else ""
        for entry in entries:
            schema, listed = _schema(entry, default), entry.get("fields")
            if schema.name.lower() == object_name.lower() and isinstance(listed, list):
                return replace(schema, fields=tuple(map(self._field, _existing(listed))))
        return None

    def _field(self, entry: Record) -> Field:
        """Parse a field. What its description leaves out is left to the tenant to refuse."""
        meta = as_mapping(entry.get("meta"))
        name = as_text(entry.get("fieldName")) or ""
        formula = _flag(meta, "formulaField") is True
        writable = not formula and _flag(meta, "readOnly") is not True
        looked_up = _existing(as_mapping(meta.get("lookupDetail")).get("lookupObjects"))
        targets = (as_text(each.get("objectName")) for each in looked_up)
        category = as_text(as_mapping(meta.get("properties")).get("PICKLIST_CATEGORY_ID"))
        return Field(
            name=name,
            label=as_text(entry.get("label")) or name,
            data_type=(as_text(entry.get("dataType")) or "").upper(),
            required=_flag(meta, "required") is True,
            nillable=_flag(meta, "nillable") is not False,
            insertable=writable and _flag(meta, "createable") is not False,
            updatable=writable and _flag(meta, "updateable") is not False,
            formula=formula,
            length=_integer(meta, "length"),
            decimal_places=_integer(meta, "decimalPlaces"),
            lookup_objects=tuple(filter(None, targets)),
            options=_options(entry.get("options"), "value", "label"),
            load_options=partial(self._load_category, category or ""),
        )


def _entries(data: Json) -> tuple[Record, ...] | None:
    """Return the described objects: a list, or the one asked for. None for any other payload."""
    return object_list([data] if isinstance(data, Mapping) else data)


def _schema(entry: Record, default: str = "") -> ObjectSchema:
    """Parse an entry without its fields. `transactional` is low volume, for custom objects only."""
    name = as_text(entry.get("objectName")) or default
    object_type = (as_text(entry.get("objectType")) or "").upper()
    low = _flag(entry, "transactional") if object_type == "CUSTOM" else None
    volume: Literal["low", "high"] | None = None if low is None else "low" if low else "high"
    return ObjectSchema(name, as_text(entry.get("label")) or name, object_type, volume)


def _existing(listed: Json) -> Iterator[Record]:
    """Yield the entries of a list that are not marked as deleted."""
    for entry in as_mappings(listed):
        if not _flag(entry, "deleted") and not _flag(as_mapping(entry.get("meta")), "deleted"):
            yield entry


def _options(listed: Json, gsid: str, label: str) -> tuple[PicklistOption, ...]:
    return tuple(
        PicklistOption(
            gsid=as_text(item.get(gsid)) or "",
            label=as_text(item.get(label)) or "",
            active=_flag(item, "active") is not False,
        )
        for item in _existing(listed)
    )


def _flag(record: Record, name: str) -> bool | None:
    """Return a flag, which may come as text."""
    value = str(record.get(name)).strip().lower()
    return value == "true" if value in {"true", "false"} else None


def _integer(record: Record, name: str) -> int | None:
    """Return a whole number, which may come as text."""
    value = str(record.get(name))
    return int(value) if value.isdecimal() else None
