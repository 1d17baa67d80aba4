"""Cleaning of values, and what counts as missing."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenant_fields import GOLD, TIERS, a_field

from target_gainsight.mapping.csv_columns import cell
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import is_blank, strip_blanks
from target_gainsight.mapping.types.strings import join_keys

UNSEEN = (
    " \t\n\r\x00\x0b\x1f\x7f\x85\xa0\xad\u115f\u2003\u200b\u200d\u200e\u2028\u202e\u2060\u2800"
    "\u3000\u3164\ufeff"
)
unseen = st.text(st.sampled_from(UNSEEN), max_size=5)
key_texts = st.text(st.sampled_from("ab|\\"), min_size=1)
whole = st.integers(-(10**24), 10**24)


def written(data_type: str, value: object, **described: object) -> object:
    return Converter("Field", a_field("Field", data_type, **described)).write(value)


def rejected_as(data_type: str, value: object) -> str:
    with pytest.raises(RecordRejectedError) as refused:
        written(data_type, value)
    return refused.value.errors[0].code


@given(unseen, st.text(st.characters(codec="ascii", min_codepoint=33)), unseen)
def test_blanks_and_invisible_characters_come_off_both_ends(
    before: str, text: str, after: str
) -> None:
    assert strip_blanks(before + text + after) == text.strip("\x7f")
    assert is_blank(before + after)


@given(unseen, unseen, st.sampled_from(["", "mailto:", "MAILTO:"]))
def test_address_is_the_same_person_whatever_surrounds_it(
    before: str, after: str, scheme: str
) -> None:
    assert written("EMAIL", f"{before}{scheme}ann.b+c@ex-ample.co.uk{after}") == (
        "ann.b+c@ex-ample.co.uk"
    )


@pytest.mark.parametrize(
    "value",
    [
        "ann@example..com",
        "ann..b@example.com",
        ".ann@example.com",
        "ann.@example.com",
        "ann@.example.com",
        "ann@example.com.",
        "ann@-example.com",
        "ann@example-.com",
        "ann@example",
        "mailto:mailto:ann@example.com",
        "mailto:ann@example.com?subject=x",
        "ann\u200b@example.com",
        "ann@exa\u00admple.com",
        "ann@\ufeffexample.com",
        "ann\x00@example.com",
        "ann @example.com",
        "Ann <ann@example.com>",
        "ann@example.com;bob@example.com",
    ],
)
def test_invalid_address_is_rejected(value: str) -> None:
    assert rejected_as("EMAIL", value) == "not_an_email"


@pytest.mark.parametrize(
    "value", ["o'hara@example.com", "jörg@bücher.example", "a@b.co", "a_b@1.io"]
)
def test_unusual_address_stays_as_it_is(value: str) -> None:
    assert written("EMAIL", value) == value


@pytest.mark.parametrize("data_type", ["NUMBER", "BOOLEAN", "DATE", "DATETIME", "EMAIL", "URL"])
def test_text_that_shows_nothing_is_null(data_type: str) -> None:
    assert written(data_type, f" {UNSEEN} ") is None


@given(whole)
def test_whole_number_in_text_field_is_plain_digits(number: int) -> None:
    for value in (number, Decimal(number), Decimal(f"{number}.000"), Decimal(number).normalize()):
        assert written("STRING", value) == str(number)
        assert cell(Converter("").write(value)) == str(number)
        assert join_keys({"id": value, "sub": Decimal("2.0")}, ("id", "sub")) == f"{number}|2"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7000123456.0, "7000123456"),
        (Decimal("7000123456.0"), "7000123456"),
        (Decimal("1E+3"), "1000"),
        (9007199254740993, "9007199254740993"),
        (Decimal("9007199254740993.0"), "9007199254740993"),
        (1e22, "10000000000000000000000"),
        (-0.0, "0"),
        (Decimal("1.50"), "1.50"),
        (1e-7, "0.0000001"),
        ("1.0", "1.0"),
        ("1E+3", "1E+3"),
    ],
)
def test_number_in_a_text_field_keeps_its_digits(value: object, text: str) -> None:
    assert written("STRING", value) == text


def test_whole_number_is_integer_for_unknown_field() -> None:
    value = Converter("").write([7000123456.0, Decimal("5.0"), Decimal("5.5"), Decimal("1E+300")])
    assert [str(each) for each in value] == ["7000123456", "5", "5.5", "1E+300"]  # type: ignore[union-attr]


@given(unseen, unseen)
def test_blanks_around_a_label_come_off(before: str, after: str) -> None:
    label = f"{before}Gold{after}"
    assert written("PICKLIST", label, options=TIERS) == "Gold"
    assert written("PICKLIST", f"{before}{GOLD}{after}", options=TIERS) == GOLD
    assert written("MULTISELECTDROPDOWNLIST", [label], options=TIERS) == ["Gold"]
    assert written("MULTISELECTDROPDOWNLIST", f"{label};Silver", options=TIERS) == [
        "Gold",
        "Silver",
    ]


@pytest.mark.parametrize("names", [("id",), ("id", "sub")])
def test_identifier_of_a_blank_part_is_missing(names: tuple[str, ...]) -> None:
    assert join_keys({"id": " \u200b", "sub": "1"}, names) is None


def test_list_with_objects_is_json_text_for_unknown_field() -> None:
    written = Converter("").write([{"sku": 1, "tags": ["a"]}, "b"])
    assert written == '[{"sku": 1, "tags": ["a"]}, "b"]'


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


@given(st.tuples(key_texts, key_texts), st.tuples(key_texts, key_texts))
def test_different_keys_have_different_identifiers(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    names = ("x", "y")
    joined = [join_keys(dict(zip(names, each, strict=True)), names) for each in (one, other)]
    assert (joined[0] == joined[1]) == (one == other)
