"""The fields of Timeline activities and CTAs as their APIs document them.

Their metadata cannot be relied on, so that streams are checked, converted and compared by these
and by the names of custom fields that a stream mentions. Of a custom field only the name is known.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from target_gainsight.api.resources.metadata import ObjectSchema
from target_gainsight.mapping.planning.well_known import named_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_gainsight.api.resources.metadata import Field

ACTIVITY = "activity_timeline"
CTA = "call_to_action"
EXTERNAL_ID = "ExternalId"
LIST_TYPE = "MULTISELECTDROPDOWNLIST"
UNCOMPARED: Mapping[str, frozenset[str]] = {ACTIVITY: frozenset({"Author"})}
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
        "TypeName": "STRING",
        "Subject": "STRING",
        "Notes": "RICHTEXTAREA",
        "ActivityDate": "DATETIME",
        "DurationInMins": "NUMBER",
        "Author": "EMAIL",
        "AuthorId": "LOOKUP",
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
    ACTIVITY: frozenset({EXTERNAL_ID, "ContextName", "TypeName", "ActivityDate"}),
    CTA: frozenset({"Name", "CompanyId", "type"}),
}
_LOOKED_UP: Mapping[str, tuple[str, ...]] = {
    "AuthorId": ("gsuser",),
    "OwnerId": ("gsuser",),
    "InternalAttendees": ("gsuser",),
    "ExternalAttendees": ("person",),
    "GsCompanyId": ("company",),
    "CompanyId": ("company",),
    "GsRelationshipId": ("relationship",),
}
_LABELS: Mapping[str, str] = {ACTIVITY: "Timeline activity", CTA: "Call to action"}
_CUSTOM: Mapping[str, re.Pattern[str]] = {
    ACTIVITY: re.compile(r"Ant__\w+__c|\w+__gc"),
    CTA: re.compile(r"\w+__gc"),
}


def documented_schema(object_name: str, names: Iterable[str] = ()) -> ObjectSchema:
    """An object whose fields are known from its API's documentation.

    Args:
        object_name: `activity_timeline` or `call_to_action`.
        names: Names that a stream mentions; those in the form of a custom field are taken for one.
    """
    custom = _CUSTOM[object_name]
    documented = _TYPES[object_name]
    fields = [
        _field(name, data_type, required=name in _REQUIRED[object_name])
        for name, data_type in documented.items()
    ]
    fields += [
        named_field(name, "")
        for name in dict.fromkeys(names)
        if name not in documented and custom.fullmatch(name)
    ]
    return ObjectSchema(
        name=object_name,
        label=_LABELS[object_name],
        object_type="STANDARD",
        transactional=None,
        fields=tuple(fields),
    )


def _field(name: str, data_type: str, *, required: bool) -> Field:
    looked_up = _LOOKED_UP.get(name, ())
    field = named_field(name, data_type, required=required)
    return replace(field, has_lookup=bool(looked_up), lookup_objects=looked_up)
