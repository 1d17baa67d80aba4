"""Equality of written and read values, in every form of response."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tenant_fields import COMMA, GOLD, OLD, SILVER, a_field

from target_gainsight.api import Json, PicklistOption
from target_gainsight.mapping.types.converters import Converter

UNKNOWN = Converter("")


def holds(data_type: str, source: object, read: Json, **described: object) -> bool:
    """Return whether a row that returns `read` needs no write of `source`."""
    converter = Converter("Field", a_field("Field", data_type, **described))
    return converter.comparable(converter.write(source)) == converter.comparable(read)


@pytest.mark.parametrize(
    ("data_type", "source", "read"),
    [
        ("STRING", "a", "a"),
        ("STRING", 5, "5"),
        ("NUMBER", "1,000.50", Decimal("1000.5")),
        ("NUMBER", 1000, Decimal("1E+3")),
        ("NUMBER", 0.1, Decimal("0.1")),
        ("NUMBER", Decimal("0.00"), 0),
        ("CURRENCY", 5, "5.00"),
        ("PERCENTAGE", 5, 5.0),
        ("BOOLEAN", "yes", True),
        ("BOOLEAN", 0, "false"),
        ("DATE", "2026-02-01", "2026-02-01"),
        ("DATE", "2026-02-01", 1769904000000),
        ("DATE", "2026-02-01", "2026-02-01T00:00:00.000Z"),
        ("DATETIME", "2026-02-01T09:30:00+02:00", "2026-02-01T07:30:00.000Z"),
        ("DATETIME", "2026-02-01T09:30:00+02:00", "2026-02-01T07:30:00.000+0000"),
        ("DATETIME", "2026-02-01T09:30:00+02:00", "2026-02-01 07:30:00.0"),
        ("DATETIME", "2026-02-01T09:30:00.123+02:00", 1769931000123),
        ("DATETIME", "2026-02-01T09:30:00.1239Z", "2026-02-01T09:30:00.123Z"),
        ("PICKLIST", "Gold", GOLD),
        ("PICKLIST", GOLD, GOLD),
        ("PICKLIST", "Gold", "Gold"),
        ("MULTISELECTDROPDOWNLIST", ["Gold", "Silver"], f"{SILVER};{GOLD};"),
        ("MULTISELECTDROPDOWNLIST", "Smith, John", f"{COMMA};"),
        ("MULTISELECTDROPDOWNLIST", ["Gold", "Gold"], [GOLD]),
        ("EMAIL", " Ann@Example.com", "ann@example.com"),
        ("LOOKUP", "1P02" + "X" * 32, "1P02" + "X" * 32),
        ("IMAGE", "a.png", "a.png"),
        ("JSON", {"a": 1}, '{"a": 1}'),
    ],
)
def test_same_value_in_other_form_is_unchanged(data_type: str, source: object, read: Json) -> None:
    assert holds(data_type, source, read)


@pytest.mark.parametrize(
    ("data_type", "source", "read"),
    [
        ("STRING", "a", "A"),
        ("STRING", "a", "a "),
        ("STRING", "5", 5),
        ("NUMBER", 1, True),
        ("NUMBER", 1, "one"),
        ("NUMBER", Decimal("0." + "1" * 40), Decimal("0." + "1" * 39)),
        ("BOOLEAN", False, None),
        ("BOOLEAN", True, "perhaps"),
        ("DATE", "2026-02-01", "2026-02-02"),
        ("DATE", "2026-02-01", True),
        ("DATETIME", "2026-02-01T09:30:00Z", "2026-02-01T09:30:00.001Z"),
        ("DATETIME", "2026-02-01T09:30:00Z", "yesterday"),
        ("PICKLIST", "Gold", SILVER),
        ("PICKLIST", "Gold", OLD),
        ("PICKLIST", "Gold", 5),
        ("MULTISELECTDROPDOWNLIST", ["Gold"], f"{GOLD};{SILVER};"),
        ("MULTISELECTDROPDOWNLIST", ["Gold"], f"{GOLD};Something;"),
        ("MULTISELECTDROPDOWNLIST", ["Gold"], 5),
        ("EMAIL", "ann@example.com", "bob@example.com"),
        ("EMAIL", "ann@example.com", 5),
        ("JSON", {"a": 1}, {"a": 1}),
    ],
)
def test_another_value_or_a_doubtful_one_is_written(
    data_type: str, source: object, read: Json
) -> None:
    assert not holds(data_type, source, read)


@pytest.mark.parametrize(
    "read",
    [
        1769900400000,
        "2026-02-01T23:00:00.000Z",
        "2026-02-01 01:00:00",
        "2026-02-01T11:00:00Z",
        "2026-02-01T12:00:00Z",
    ],
)
def test_date_read_as_another_time_than_midnight_is_ambiguous(read: Json) -> None:
    """It may be the tenant's midnight, and then belongs to another day than it seems."""
    assert not holds("DATE", "2026-02-01", read)


@pytest.mark.parametrize(
    "read", ["2026-02-01T11:30:00Z", "2026-02-01T11:59:59.999Z", "2026-02-01T17:00:00+05:30"]
)
def test_date_read_as_a_time_before_noon_is_that_day(read: Json) -> None:
    """No time zone has its midnight then."""
    assert holds("DATE", "2026-02-01", read)
    assert not holds("DATE", "2026-01-31", read)


@pytest.mark.parametrize("date_format", ["iso", "MM-DD-YYYY"])
def test_date_is_equal_in_both_forms(date_format: str) -> None:
    converter = Converter("Field", a_field("Field", "DATE"), date_format=date_format)  # type: ignore[arg-type]
    written = converter.write("2026-02-01")
    assert converter.comparable(written) == converter.comparable("2026-02-01")


@pytest.mark.parametrize(
    "data_type",
    ["STRING", "NUMBER", "DATE", "DATETIME", "PICKLIST", "MULTISELECTDROPDOWNLIST", "LOOKUP", "X"],
)
@pytest.mark.parametrize("source", [None, ""])
@pytest.mark.parametrize("read", [None, ""])
def test_null_and_blank_are_equal(data_type: str, source: object, read: Json) -> None:
    assert holds(data_type, source, read)


def test_label_of_two_active_items_is_uncertain() -> None:
    twins = tuple(PicklistOption(gsid, "Gold", active=True) for gsid in (GOLD, OLD))
    assert not holds("PICKLIST", "Gold", GOLD, options=twins)
    assert holds("PICKLIST", GOLD, GOLD, options=twins)


def test_only_certainly_equal_values_match_without_metadata() -> None:
    assert UNKNOWN.comparable("a") == UNKNOWN.comparable("a")
    assert UNKNOWN.comparable(1) == UNKNOWN.comparable(Decimal("1.0"))
    assert UNKNOWN.comparable(None) == UNKNOWN.comparable("")
    assert UNKNOWN.comparable(1) != UNKNOWN.comparable(True)
    assert UNKNOWN.comparable("1") == UNKNOWN.comparable(1)
    assert UNKNOWN.comparable(["a"]) != UNKNOWN.comparable(["a"])


def test_uncertain_value_equals_nothing_even_in_composite_keys() -> None:
    one, other = UNKNOWN.comparable(["a"]), UNKNOWN.comparable(["a"])
    assert one != one  # noqa: PLR0124 - the point
    assert ("key", one) != ("key", other)
    assert one not in {None, "", 0}
