"""Fields that the API's documentation states, for when an object's metadata is of no use.

Timeline activities and CTAs are written by other names than their metadata has: their streams are
checked, converted and compared by the fields listed here and by the custom fields that the tenant
describes.
Companies and people have theirs for a tenant that does not let its metadata be read; their
picklists have no items here, so that values are written unchecked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from target_gainsight.api.resources.metadata import Field, ObjectSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_gainsight.api.resources.metadata import PicklistOption

ACTIVITY = "activity_timeline"
CTA = "call_to_action"
EXTERNAL_ID = "ExternalId"
TYPE_NAME = "TypeName"
AUTHOR = "Author"
AUTHOR_ID = "AuthorId"
EXPECTED = ("Subject", "Notes")
"""Fields that no activity is saved without, probably; Gainsight's page does not say so."""

LIST_TYPE = "MULTISELECTDROPDOWNLIST"
UNCOMPARED: Mapping[str, frozenset[str]] = {ACTIVITY: frozenset({AUTHOR})}
"""Fields that are written and not read back under their name."""

READ_AS: Mapping[str, Mapping[str, str]] = {
    CTA: {
        "type": "TypeId__gr.Name",
        "reason": "ReasonId__gr.Name",
        "status": "StatusId__gr.Name",
        "priority": "PriorityId__gr.Name",
    }
}
"""Fields that a query shows under another name than a write gives them."""

_TYPES: Mapping[str, Mapping[str, str]] = {
    ACTIVITY: {
        EXTERNAL_ID: "STRING",
        "ContextName": "STRING",
        "ContextId": "GSID",
        TYPE_NAME: "STRING",
        "Subject": "STRING",
        "Notes": "RICHTEXTAREA",
        "ActivityDate": "DATETIME",
        "DurationInMins": "NUMBER",
        AUTHOR: "EMAIL",
        AUTHOR_ID: "LOOKUP",
        "GsCompanyId": "LOOKUP",
        "GsRelationshipId": "LOOKUP",
        "InternalAttendees": LIST_TYPE,
        "ExternalAttendees": LIST_TYPE,
    },
    CTA: {
        "Name": "STRING",
        "CompanyId": "LOOKUP",
        "OwnerId": "LOOKUP",
        "DueDate": "DATE",
        "type": "STRING",
        "reason": "STRING",
        "status": "STRING",
        "priority": "STRING",
        "Comments": "RICHTEXTAREA",
    },
}
_REQUIRED: Mapping[str, frozenset[str]] = {
    ACTIVITY: frozenset({EXTERNAL_ID, AUTHOR, "ContextName", TYPE_NAME, "ActivityDate"}),
    CTA: frozenset({"Name", "CompanyId", "type"}),
}
_LENGTHS: Mapping[str, int] = {"Subject": 255}
_LOOKED_UP: Mapping[str, tuple[str, ...]] = {
    AUTHOR_ID: ("gsuser",),
    "OwnerId": ("gsuser",),
    "InternalAttendees": ("gsuser",),
    "ExternalAttendees": ("person",),
    "GsCompanyId": ("company",),
    "CompanyId": ("company",),
    "GsRelationshipId": ("relationship",),
}
_NAMES: Mapping[str, frozenset[str]] = {
    ACTIVITY: frozenset({TYPE_NAME}),
    CTA: frozenset({"type", "reason", "status", "priority"}),
}
"""Fields that hold a name an administrator has given."""

_LABELS: Mapping[str, str] = {ACTIVITY: "Timeline activity", CTA: "Call to action"}
_CUSTOM: Mapping[str, re.Pattern[str]] = {
    ACTIVITY: re.compile(r"Ant__\w+__c|\w+__gc"),
    CTA: re.compile(r"\w+__gc"),
}


def static_schema(
    object_name: str,
    names: Iterable[str] = (),
    *,
    described: ObjectSchema | None = None,
    options: Mapping[str, tuple[PicklistOption, ...]] = MappingProxyType({}),
) -> ObjectSchema:
    """Return an object whose fields are known from its API's documentation.

    Args:
        object_name: `activity_timeline` or `call_to_action`.
        names: Names that a stream mentions; those in the form of a custom field are taken for one
            where the tenant does not describe the object.
        described: The object as the tenant describes it, for its custom fields.
        options: The names that the tenant lists for a field.
    """
    documented = _TYPES[object_name]
    fields = [
        _field(name, data_type, options.get(name, ()), required=name in _REQUIRED[object_name])
        for name, data_type in documented.items()
    ]
    is_custom = _CUSTOM[object_name].fullmatch
    if described is not None and described.fields:
        fields += [_custom_field(field) for field in described.fields if is_custom(field.name)]
    else:
        fields += [named_field(name, "") for name in dict.fromkeys(names) if is_custom(name)]
    return ObjectSchema(
        name=object_name,
        label=_LABELS[object_name],
        object_type="STANDARD",
        transactional=None,
        fields=tuple(fields),
        documented=True,
    )


def unlisted_names(schema: ObjectSchema) -> tuple[str, ...]:
    """Name the fields that hold a name of the tenant's which it does not list."""
    return tuple(
        field.name
        for field in schema.fields
        if field.name in _NAMES[schema.name] and not field.options
    )


def _custom_field(field: Field) -> Field:
    """A custom field as described. Whether it is required depends on the activity's type."""
    return replace(
        field,
        required=False,
        nillable=True,
        createable=True,
        updateable=True,
        read_only=False,
        formula=False,
    )


def _field(
    name: str, data_type: str, options: tuple[PicklistOption, ...], *, required: bool
) -> Field:
    looked_up = _LOOKED_UP.get(name, ())
    field = named_field(name, "PICKLIST" if options else data_type, required=required)
    return replace(
        field,
        has_lookup=bool(looked_up),
        lookup_objects=looked_up,
        length=_LENGTHS.get(name),
        options=options,
    )


_STANDARD_FIELDS: Mapping[str, Mapping[str, str]] = {
    "company": {
        "Name": "STRING",
        "Industry": "STRING",
        "ARR": "CURRENCY",
        "Employees": "NUMBER",
        "Stage": "PICKLIST",
        "Status": "PICKLIST",
        "RenewalDate": "DATE",
    },
    "person": {"Email": "EMAIL", "FirstName": "STRING", "LastName": "STRING"},
}


_STANDARD_REQUIRED = frozenset({("company", "Name"), ("person", "Email")})


def well_known_fields(object_name: str) -> tuple[Field, ...]:
    """The well-known fields of an object; none for an object that is not one of the standard ones.

    Args:
        object_name: The object's API name, in any case.
    """
    name = object_name.lower()
    return tuple(
        named_field(field, data_type, required=(name, field) in _STANDARD_REQUIRED)
        for field, data_type in _STANDARD_FIELDS.get(name, {}).items()
    )


def named_field(name: str, data_type: str, *, required: bool = False) -> Field:
    """A field of which no more is known than this.

    Args:
        name: Its API name.
        data_type: Its Gainsight data type, or empty.
        required: Whether no record is created without it.
    """
    return Field(
        name=name,
        label=name,
        data_type=data_type,
        required=required,
        nillable=not required,
        createable=True,
        updateable=True,
        read_only=False,
        formula=False,
        has_lookup=False,
        length=None,
        decimal_places=None,
        lookup_objects=(),
        options=(),
    )
