"""Fields from the API's documentation, for objects whose metadata is unusable or unreadable.

Writes name the fields of Timeline activities and CTAs differently than the metadata does: their
streams are checked, converted and compared by the fields listed here and by the custom fields that
the tenant describes. The fields of companies and people are for tenants whose metadata cannot be
read; their picklists have no items here, so that values are written unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from target_gainsight.api.resources.metadata import Field, ObjectSchema, PicklistOption

ACTIVITY = "activity_timeline"
CTA = "call_to_action"
EXTERNAL_ID = "ExternalId"
TYPE_NAME = "TypeName"
AUTHOR = "Author"
AUTHOR_ID = "AuthorId"
EXPECTED_FIELDS = ("Subject", "Notes")
"""Fields that an activity probably needs to be saved; Gainsight's page does not mention it."""

CONTEXT_FIELDS: Mapping[str, str] = {
    "Company": "GsCompanyId",
    "Relationship": "GsRelationshipId",
}
"""The field that leads to the row which an activity of that context belongs to."""

LIST_TYPE = "MULTISELECTDROPDOWNLIST"
UNCOMPARED: Mapping[str, frozenset[str]] = {ACTIVITY: frozenset({AUTHOR})}
"""Fields that are written but cannot be read back under their name."""

READ_AS: Mapping[str, Mapping[str, str]] = {
    CTA: {
        "type": "TypeId__gr.Name",
        "reason": "ReasonId__gr.Name",
        "status": "StatusId__gr.Name",
        "priority": "PriorityId__gr.Name",
    }
}
"""Fields that a query names differently than a write."""

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
_LOOKUP_OBJECTS: Mapping[str, tuple[str, ...]] = {
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
"""Fields that hold a name defined by an administrator."""

_LABELS: Mapping[str, str] = {ACTIVITY: "Timeline activity", CTA: "Call to action"}
_CUSTOM: Mapping[str, re.Pattern[str]] = {
    ACTIVITY: re.compile(r"Ant__\w+__c|\w+__gc"),
    CTA: re.compile(r"\w+__gc"),
}
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


def static_schema(
    object_name: str,
    names: Iterable[str] = (),
    *,
    described: ObjectSchema | None = None,
    options: Mapping[str, tuple[PicklistOption, ...]] = MappingProxyType({}),
) -> ObjectSchema:
    """Return the schema of an object whose fields are known from its API's documentation.

    Args:
        object_name: `activity_timeline` or `call_to_action`.
        names: Names that a stream mentions. If the tenant does not describe the object, those that
            look like a custom field are taken for one.
        described: The object as the tenant describes it, for its custom fields.
        options: The names that the tenant lists for a field.
    """
    fields = [
        _field(
            name,
            "PICKLIST" if options.get(name) else data_type,
            required=name in _REQUIRED[object_name],
            length=_LENGTHS.get(name),
            lookup_objects=_LOOKUP_OBJECTS.get(name, ()),
            options=options.get(name, ()),
        )
        for name, data_type in _TYPES[object_name].items()
    ]
    is_custom = _CUSTOM[object_name].fullmatch
    if described is not None and described.fields:
        # Whether a custom field is required depends on the activity's type.
        fields += [
            replace(
                field,
                required=False,
                nillable=True,
                createable=True,
                updateable=True,
                read_only=False,
                formula=False,
            )
            for field in described.fields
            if is_custom(field.name)
        ]
    else:
        fields += [_field(name, "") for name in dict.fromkeys(names) if is_custom(name)]
    return ObjectSchema(
        name=object_name,
        label=_LABELS[object_name],
        object_type="STANDARD",
        transactional=None,
        fields=tuple(fields),
        documented=True,
    )


def unlisted_names(schema: ObjectSchema) -> tuple[str, ...]:
    """Return the fields that hold names of the tenant's which it does not list."""
    return tuple(
        field.name
        for field in schema.fields
        if field.name in _NAMES[schema.name] and not field.options
    )


def well_known_fields(object_name: str) -> tuple[Field, ...]:
    """Return the standard fields of a company or person, given in any case; none of others."""
    name = object_name.lower()
    return tuple(
        _field(field, data_type, required=(name, field) in _STANDARD_REQUIRED)
        for field, data_type in _STANDARD_FIELDS.get(name, {}).items()
    )


def _field(
    name: str,
    data_type: str,
    *,
    required: bool = False,
    length: int | None = None,
    lookup_objects: tuple[str, ...] = (),
    options: tuple[PicklistOption, ...] = (),
) -> Field:
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
        has_lookup=bool(lookup_objects),
        length=length,
        decimal_places=None,
        lookup_objects=lookup_objects,
        options=options,
    )
