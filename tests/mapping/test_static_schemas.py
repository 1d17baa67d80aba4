"""Timeline activities and CTAs have documented and custom fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA, static_schema
from target_gainsight.mapping.types.converters import Converter


@pytest.mark.parametrize("object_name", [ACTIVITY, CTA])
def test_custom_fields_are_recognized_by_name(object_name: str) -> None:
    names = ("Mine__gc", "Subject_", "Ant__Mine", "__gc", "Mine__gc", "Mine__g")
    schema = static_schema(object_name, names)
    documented = {field.name for field in static_schema(object_name).fields}
    assert {field.name for field in schema.fields} - documented == {"Mine__gc"}
    mine = schema.field("Mine__gc")
    assert mine is not None
    assert (mine.data_type, mine.required, mine.nillable) == ("", False, True)


def test_activities_have_ant_fields() -> None:
    assert static_schema(ACTIVITY, ["Ant__Mine__c"]).field("Ant__Mine__c") is not None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (5, "5", True),
        (Decimal("5.00"), "5", True),
        ("007", "7", False),
        ("5.0", 5, False),
        (True, 1, False),
        (None, "", True),
        ("x", "X", False),
    ],
)
def test_field_of_unknown_type_compares_number_with_its_text(
    one: Any, other: Any, equal: bool
) -> None:
    field = static_schema(CTA, ["Mine__gc"]).field("Mine__gc")
    assert field is not None
    converter = Converter(field.name, field)
    assert (converter.comparable(one) == converter.comparable(other)) is equal
