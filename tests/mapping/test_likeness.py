"""Equal bytes prove that a record and a row hold the same; usual records have their row's bytes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenant_fields import GOLD, SILVER, a_field
from test_value_properties import DATA_TYPES, anything

from target_gainsight.api.http.json_codec import decode
from target_gainsight.mapping.errors import ValueRejectedError
from target_gainsight.mapping.likeness import Likeness
from target_gainsight.mapping.types.converters import Converter, converter_for

if TYPE_CHECKING:
    from target_gainsight.api import Json

NEAR_MISSES: list[tuple[Json, Json]] = [
    (True, 1),
    (1, "1"),
    ("", 0),
    ("", False),
    (None, 0),
    ([], None),
    (Decimal("1.5"), "1.5"),
    (Decimal("1E+400"), None),
    (float("inf"), None),
    (float("nan"), None),
    (Decimal("NaN"), None),
    ("a", "A"),
    ("a", "a "),
    ("\ud800", "\ufffd"),
    (2**70, float(2**70)),
]
OTHER_MOMENTS: list[tuple[str, Json, Json]] = [
    ("DATE", "2026-01-02", "2026-01-03"),
    ("DATE", "2026-01-02", 1767312000001),
    ("DATE", "2026-01-02", "2026-01-02T23:00:00Z"),
    ("DATETIME", "2026-01-02T10:30:00.000+02:00", "2026-01-02T10:30:00.000Z"),
    ("DATETIME", "2026-01-02T10:30:00.000+00:00", 1767342600001),
    ("DATETIME", "2026-01-02T10:30:00.000+00:00", None),
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.text(st.characters(codec=None), max_size=4)
    | st.sampled_from(["Gold", GOLD, f"{GOLD};", "", "2026-01-02", "01-02-2026"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=3,
)


def likeness_of(data_type: str, date_format: str = "iso") -> tuple[Likeness, Converter]:
    converter = converter_for(
        a_field("Field", data_type, length=50),
        date_format=date_format,  # type: ignore[arg-type]
    )
    return Likeness(["Field"], {"Field": converter}), converter


def proves(likeness: Likeness, written: Json, held: Json, name: str = "Field") -> bool:
    sent = likeness.of_record({name: written})
    return sent is not None and sent == likeness.of_row({name: held})


@settings(max_examples=400)
@given(
    data_type=st.sampled_from(DATA_TYPES),
    date_format=st.sampled_from(["iso", "MM-DD-YYYY"]),
    value=anything | json_values,
    held=json_values,
)
def test_what_bytes_prove_equal_the_comparison_of_values_finds_equal(
    data_type: str, date_format: str, value: object, held: Json
) -> None:
    likeness, converter = likeness_of(data_type, date_format)
    try:
        written = converter.write(value)
    except ValueRejectedError:
        return
    if proves(likeness, written, held):
        same = converter.written_comparable(written) == converter.read_comparable(held)
        assert same or written == held


@pytest.mark.parametrize(("written", "held"), NEAR_MISSES)
def test_values_that_are_not_the_same_have_other_bytes(written: Json, held: Json) -> None:
    likeness, _ = likeness_of("SOMETHING_NEW")
    assert not proves(likeness, written, held)
    assert not proves(likeness, held, written)


@pytest.mark.parametrize(
    ("data_type", "written", "held"),
    [
        ("STRING", "as it is", "as it is"),
        ("STRING", None, ""),
        ("STRING", "", None),
        ("NUMBER", 5, Decimal("5.0")),
        ("NUMBER", Decimal("5.00"), 5),
        ("CURRENCY", Decimal("1000.250"), Decimal("1000.25")),
        ("DATE", None, ""),
        ("DATE", "2026-01-02", "2026-01-02"),
        ("PICKLIST", "Gold", GOLD),
        ("PICKLIST", GOLD, GOLD),
        ("MULTISELECTDROPDOWNLIST", ["Gold", SILVER], f"{GOLD};{SILVER};"),
        ("BOOLEAN", False, False),
        ("DATE", "2026-01-02", 1767312000000),
        ("DATE", "2026-01-02", "2026-01-02T00:00:00Z"),
        ("DATETIME", "2026-01-02T10:30:00.000+02:00", "2026-01-02T08:30:00.000Z"),
        ("DATETIME", "2026-01-02T10:30:00.000+02:00", "2026-01-02 08:30:00"),
        ("DATETIME", "2026-01-02T10:30:00.123+02:00", 1767342600123),
        ("DATETIME", "2026-01-02T08:30:00.000+00:00", "2026-01-02T08:30:00.000+0000"),
        ("DATETIME", None, ""),
    ],
)
def test_the_usual_answers_of_a_tenant_prove_that_nothing_changed(
    data_type: str, written: Json, held: Json
) -> None:
    likeness, _ = likeness_of(data_type)
    assert proves(likeness, written, held)


@pytest.mark.parametrize(("data_type", "written", "held"), OTHER_MOMENTS)
def test_another_moment_has_other_bytes(data_type: str, written: Json, held: Json) -> None:
    likeness, _ = likeness_of(data_type)
    assert not proves(likeness, written, held)


def test_a_date_written_month_first_is_read_as_iso() -> None:
    likeness, _ = likeness_of("DATE", "MM-DD-YYYY")
    assert proves(likeness, "01-02-2026", "2026-01-02")


def test_a_record_that_lacks_a_field_proves_nothing() -> None:
    converters = {name: converter_for(a_field(name)) for name in ("One", "Two")}
    likeness = Likeness(["One", "Two", "One"], converters)
    assert likeness.names == ("One", "Two")
    assert likeness.of_record({"One": "a"}) is None
    assert likeness.of_row({"One": "a"}) == b'["a",null]'


def test_what_the_fast_encoder_refuses_is_kept_all_the_same() -> None:
    likeness, _ = likeness_of("NUMBER")
    assert decode(likeness.of_row({"Field": 10**40})) == [10**40]


def test_a_field_that_is_not_described_is_read_as_it_is_written() -> None:
    likeness = Likeness(["Csm"], {})
    assert proves(likeness, "1P01A", "1P01A", "Csm")
    assert not proves(likeness, "1P01A", "1P01B", "Csm")
