"""Fields from the API's documentation, for objects whose metadata is unusable or unreadable.

Writes name the fields of Timeline activities and CTAs differently than the metadata does: their
streams are checked, converted and compared by the fields listed here and by the custom fields that
the tenant describes. The fields of companies and people are for tenants whose metadata cannot be
read; their picklists have no items here, so that values are written unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
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


def _field(
    name: str,
    data_type: str,
    *lookup_objects: str,
    required: bool = False,
    length: int | None = None,
) -> Field:
    return Field(
        name,
        label=name,
        data_type=data_type,
        required=required,
        nillable=not required,
        length=length,
        lookup_objects=lookup_objects,
    )


def _documented(name: str, label: str, *fields: Field) -> ObjectSchema:
    return ObjectSchema(name, label, "STANDARD", None, fields, documented=True)


_OBJECTS: Mapping[str, ObjectSchema] = {
    ACTIVITY: _documented(
        ACTIVITY,
        "Timeline activity",
        _field(EXTERNAL_ID, "STRING", required=True),
        _field("ContextName", "STRING", required=True),
        _field("ContextId", "GSID"),
        _field(TYPE_NAME, "STRING", required=True),
        _field("Subject", "STRING", length=255),
        _field("Notes", "RICHTEXTAREA"),
        _field("ActivityDate", "DATETIME", required=True),
        _field("DurationInMins", "NUMBER"),
        _field(AUTHOR, "EMAIL", required=True),
        _field(AUTHOR_ID, "LOOKUP", "gsuser"),
        _field("GsCompanyId", "LOOKUP", "company"),
        _field("GsRelationshipId", "LOOKUP", "relationship"),
        _field("InternalAttendees", LIST_TYPE, "gsuser"),
        _field("ExternalAttendees", LIST_TYPE, "person"),
    ),
    CTA: _documented(
        CTA,
        "Call to action",
        _field("Name", "STRING", required=True),
        _field("CompanyId", "LOOKUP", "company", required=True),
        _field("OwnerId", "LOOKUP", "gsuser"),
        _field("DueDate", "DATE"),
        _field("type", "STRING", required=True),
        _field("reason", "STRING"),
        _field("status", "STRING"),
        _field("priority", "STRING"),
        _field("Comments", "RICHTEXTAREA"),
    ),
}
_NAMES: Mapping[str, Collection[str]] = {ACTIVITY: {TYPE_NAME}, CTA: READ_AS[CTA]}
"""Fields that hold a name defined by an administrator."""

_CUSTOM_NAMES: Mapping[str, re.Pattern[str]] = {
    ACTIVITY: re.compile(r"Ant__\w+__c|\w+__gc"),
    CTA: re.compile(r"\w+__gc"),
}
_WELL_KNOWN: Mapping[str, tuple[Field, ...]] = {
    "company": (
        _field("Name", "STRING", required=True),
        _field("Industry", "STRING"),
        _field("ARR", "CURRENCY"),
        _field("Employees", "NUMBER"),
        _field("Stage", "PICKLIST"),
        _field("Status", "PICKLIST"),
        _field("RenewalDate", "DATE"),
    ),
    "person": (
        _field("Email", "EMAIL", required=True),
        _field("FirstName", "STRING"),
        _field("LastName", "STRING"),
    ),
}


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
    documented = _OBJECTS[object_name]
    fields = [
        replace(field, data_type="PICKLIST", options=options[field.name])
        if options.get(field.name)
        else field
        for field in documented.fields
    ]
    listed = described.fields if described is not None else ()
    own = listed or [_field(name, "") for name in dict.fromkeys(names)]
    fields += [
        # Whether a custom field is required depends on the activity's type.
        replace(
            field,
            required=False,
            nillable=True,
            insertable=True,
            updatable=True,
            formula=False,
        )
        for field in own
        if _CUSTOM_NAMES[object_name].fullmatch(field.name)
    ]
    return replace(documented, fields=tuple(fields))


def unlisted_names(schema: ObjectSchema) -> tuple[str, ...]:
    """Return the fields that hold names of the tenant's which it does not list."""
    fields = (field for field in schema.fields if not field.options)
    return tuple(field.name for field in fields if field.name in _NAMES[schema.name])


def well_known_fields(object_name: str) -> tuple[Field, ...]:
    """Return the standard fields of a company or person, given in any case; none of others."""
    return _WELL_KNOWN.get(object_name.lower(), ())
