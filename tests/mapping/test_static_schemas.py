"""Timeline and CTAs are checked by their documented fields; key values make one identifier."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_gainsight.mapping.composite_key import join_keys
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA, static_schema
from target_gainsight.mapping.types.converters import converter_for


@pytest.mark.parametrize("object_name", [ACTIVITY, CTA])
def test_custom_fields_are_known_by_their_form_alone(object_name: str) -> None:
    names = ("Mine__gc", "Subject_", "Ant__Mine", "__gc", "Mine__gc", "Mine__g")
    schema = static_schema(object_name, names)
    documented = {field.name for field in static_schema(object_name).fields}
    assert {field.name for field in schema.fields} - documented == {"Mine__gc"}
    mine = schema.field("Mine__gc")
    assert mine is not None
    assert (mine.data_type, mine.required, mine.nillable) == ("", False, True)


def test_only_activities_have_ant_fields() -> None:
    assert static_schema(ACTIVITY, ["Ant__Mine__c"]).field("Ant__Mine__c") is not None
    assert static_schema(CTA, ["Ant__Mine__c"]).field("Ant__Mine__c") is None


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        (["r-1"], "r-1"),
        (["a|b"], "a|b"),
        ([7], "7"),
        ([Decimal("1.50")], "1.50"),
        (["a", "b"], "a|b"),
        (["a|", "b\\"], "a\\||b\\\\"),
        ([datetime(2026, 2, 1, tzinfo=timezone.utc)], "2026-02-01T00:00:00.000+00:00"),
        (["a", None], None),
        (["", "b"], None),
        (["\ud800"], None),
    ],
)
def test_key_values_are_joined(values: list[Any], joined: str | None) -> None:
    names = [f"k{number}" for number in range(len(values))]
    assert join_keys(dict(zip(names, values, strict=True)), names) == joined


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
def test_a_field_of_unknown_type_compares_a_number_with_its_text(
    one: Any, other: Any, equal: bool
) -> None:
    field = static_schema(CTA, ["Mine__gc"]).field("Mine__gc")
    assert field is not None
    converter = converter_for(field)
    assert (converter.written_comparable(one) == converter.read_comparable(other)) is equal


texts = st.text(st.sampled_from("ab|\\"), min_size=1)


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_different_keys_never_become_one_identifier(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    names = ("x", "y")
    joined = [join_keys(dict(zip(names, each, strict=True)), names) for each in (one, other)]
    assert (joined[0] == joined[1]) == (one == other)
