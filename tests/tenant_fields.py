"""Fields and objects as a tenant describes them, in one line each."""

from __future__ import annotations

from typing import Any

from target_gainsight.api import Field, ObjectSchema, PicklistOption

GOLD, SILVER, COMMA, OLD = (f"1I00{mark * 32}" for mark in "ABCD")
TIERS = (
    PicklistOption(GOLD, "Gold", active=True),
    PicklistOption(SILVER, "Silver", active=True),
    PicklistOption(COMMA, "Smith, John", active=True),
    PicklistOption(OLD, "Bronze", active=False),
)


def a_field(name: str = "Field", data_type: str = "STRING", **described: Any) -> Field:
    """A writable field; `described` overrides its description."""
    options = TIERS if data_type in {"PICKLIST", "MULTISELECTDROPDOWNLIST"} else ()
    usual = {"name": name, "label": name, "data_type": data_type, "options": options}
    return Field(**{**usual, **described})


def an_object(*fields: Field, name: str = "Company") -> ObjectSchema:
    """An object of exactly these fields."""
    return ObjectSchema(name, name, "STANDARD", volume=None, fields=fields)


def company(*more: Field) -> ObjectSchema:
    """A Company with a field of most kinds."""
    return an_object(
        a_field("Gsid", "GSID", insertable=False, updatable=False),
        a_field("Name", length=20, required=True, nillable=False),
        a_field("RenewalDate", "DATE", label="Renewal Date"),
        a_field("ARR", "CURRENCY"),
        a_field("Employees", "NUMBER"),
        a_field("Stage", "PICKLIST"),
        a_field("IsActive", "BOOLEAN"),
        a_field("Csm", "LOOKUP", lookup_objects=("gsuser",)),
        a_field("ParentCompany", "LOOKUP"),
        a_field("ExternalId__gc", length=40, label="External Id"),
        a_field("Score", "NUMBER", formula=True, insertable=False, updatable=False),
        a_field("ModifiedDate", "DATETIME", insertable=False, updatable=False),
        a_field("CurrencyIsoCode", "STRING", updatable=False),
        *more,
    )
