"""The fields that every tenant has, for when its metadata cannot be read (Company and People API).

Picklists are known as such, but not their items: their values are written unchecked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.api.resources.metadata import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Mapping[str, Mapping[str, str]] = {
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
_REQUIRED = frozenset({("company", "Name"), ("person", "Email")})


def well_known_fields(object_name: str) -> tuple[Field, ...]:
    """The well-known fields of an object; none for an object that is not one of the standard ones.

    Args:
        object_name: The object's API name, in any case.
    """
    name = object_name.lower()
    return tuple(
        named_field(field, data_type, required=(name, field) in _REQUIRED)
        for field, data_type in _TYPES.get(name, {}).items()
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
