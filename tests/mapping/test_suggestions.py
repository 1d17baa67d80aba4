"""Wrong names have similar names suggested."""

from __future__ import annotations

import pytest
from tenant_fields import a_field, company

from target_gainsight.mapping.near_names import suggest_names

FIELDS = company(a_field("Sfdc_Id__gc", label="Salesforce Account")).fields


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("renewal_date", "RenewalDate"),
        ("RENEWALDATE", "RenewalDate"),
        ("Renewal Date", "RenewalDate"),
        ("RenewalDat", "RenewalDate"),
        ("employes", "Employees"),
        ("arr", "ARR"),
        ("external_id", "ExternalId__gc"),
        ("ExternalId", "ExternalId__gc"),
        ("externalid__gc", "ExternalId__gc"),
        ("salesforce account", "Sfdc_Id__gc"),
        ("salesforce_acount", "Sfdc_Id__gc"),
    ],
)
def test_most_similar_field_comes_first(name: str, meant: str) -> None:
    assert suggest_names(name, FIELDS)[0] == meant


def test_nothing_is_suggested_for_dissimilar_name() -> None:
    assert suggest_names("zzz", FIELDS) == ()
    assert suggest_names("", FIELDS) == ()


def test_missing_object_suffix_is_suggested() -> None:
    objects = ("Company", "Usage_Data__gc", "Usage_Daily__gc")
    assert suggest_names("usage_data", objects)[0] == "Usage_Data__gc"
    assert suggest_names("company", objects) == ("Company",)


def test_at_most_three_are_suggested() -> None:
    assert len(suggest_names("Field", [f"Field{number}" for number in range(9)])) == 3
