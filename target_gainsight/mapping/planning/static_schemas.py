"""Fields from the API's documentation, for objects whose metadata is unusable or unreadable.

Writes name the fields of Timeline activities and CTAs differently than the metadata does, which
only describes their custom fields. The fields of companies and people are for tenants whose
metadata cannot be read; their picklists have no items here, so that values are written unchecked.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from target_gainsight.api import Field, ObjectSchema, PicklistOption

ACTIVITY, CTA = "activity_timeline", "call_to_action"
EXTERNAL_ID, TYPE_NAME, AUTHOR, AUTHOR_ID = "ExternalId", "TypeName", "Author", "AuthorId"
EXPECTED_FIELDS = ("Subject", "Notes")
"""Fields that an activity probably needs to be saved; Gainsight's page does not mention it."""

CONTEXT_FIELDS = {"Company": "GsCompanyId", "Relationship": "GsRelationshipId"}
"""The field that leads to the row which an activity of that context belongs to."""

LIST_TYPE = "MULTISELECTDROPDOWNLIST"
HTML_BY_DEFAULT = frozenset({"Notes", "Comments"})
"""Rich text fields that are written as HTML unless a setting says otherwise."""

UNCOMPARED: Mapping[str, frozenset[str]] = {ACTIVITY: frozenset({AUTHOR})}
"""Fields that are written but cannot be read back under their name."""

_CTA_NAMES = ("type", "reason", "status", "priority")
READ_AS = {CTA: {name: f"{name.capitalize()}Id__gr.Name" for name in _CTA_NAMES}}
"""Fields that a query names differently than a write."""


def _field(
    name: str, data_type: str, *objects: str, required: bool = False, length: int | None = None
) -> Field:
    return Field(
        name, name, data_type, required, not required, length=length, lookup_objects=objects
    )


_DOCUMENTED: Mapping[str, tuple[Field, ...]] = {
    ACTIVITY: (
        _field("ExternalId", "STRING", required=True),
        _field("ContextName", "STRING", required=True),
        _field("ContextId", "GSID"),
        _field("TypeName", "STRING", required=True),
        _field("Subject", "STRING", length=255),
        _field("Notes", "RICHTEXTAREA"),
        _field("ActivityDate", "DATETIME", required=True),
        _field("DurationInMins", "NUMBER"),
        _field("Author", "EMAIL", required=True),
        _field("AuthorId", "LOOKUP", "gsuser"),
        _field("GsCompanyId", "LOOKUP", "company"),
        _field("GsRelationshipId", "LOOKUP", "relationship"),
        _field("InternalAttendees", LIST_TYPE, "gsuser"),
        _field("ExternalAttendees", LIST_TYPE, "person"),
    ),
    CTA: (
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
_CUSTOM_NAME = re.compile(r"Ant__\w+__c|\w+__gc")


def static_schema(
    object_name: str,
    names: Iterable[str] = (),
    *,
    described: ObjectSchema | None = None,
    options: Mapping[str, tuple[PicklistOption, ...]] | None = None,
) -> ObjectSchema:
    """Return the schema of activities or CTAs, with the custom fields of the tenant.

    If the tenant does not describe the object, these are the `names` that look like one.
    """
    fields = []
    for field in _DOCUMENTED[object_name]:
        listed = (options or {}).get(field.name)
        fields.append(replace(field, data_type="PICKLIST", options=listed) if listed else field)
    own = described.fields if described else ()
    for field in own or [_field(name, "") for name in dict.fromkeys(names)]:
        if _CUSTOM_NAME.fullmatch(field.name):
            # Whether a custom field is required depends on the activity's type.
            custom = replace(field, required=False, nillable=True, formula=False)
            fields.append(replace(custom, insertable=True, updatable=True))
    label = object_name.replace("_", " ").capitalize()
    return ObjectSchema(object_name, label, "STANDARD", None, tuple(fields), documented=True)


def unlisted_names(schema: ObjectSchema) -> tuple[str, ...]:
    """Return the fields that hold names of the tenant's which it does not list."""
    named = READ_AS.get(schema.name, {TYPE_NAME: ""})
    return tuple(each.name for each in schema.fields if each.name in named and not each.options)


def well_known_fields(object_name: str) -> tuple[Field, ...]:
    """Return the standard fields of a company or person, given in any case; none of others."""
    return _DOCUMENTED.get(object_name.lower(), ())
