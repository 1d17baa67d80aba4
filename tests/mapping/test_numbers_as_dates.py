"""Numbers in DATE and DATETIME fields: a date that the source meant, or a reject."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tenant_fields import a_field

from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.types.converters import Converter

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DATE_AND_HOUR = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9][0-2][0-9]")
UNITS = {"seconds": 1_000_000, "milliseconds": 1000, "microseconds": 1}
plausible = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001
    lambda each: each.replace(microsecond=each.microsecond // 1000 * 1000, tzinfo=timezone.utc)
)


def written(data_type: str, value: object) -> object:
    return Converter("Field", a_field("Field", data_type)).write(value)


def is_rejected(data_type: str, value: object) -> bool:
    try:
        written(data_type, value)
    except RecordRejectedError as error:
        return error.errors[0].code == f"not_a_{data_type.lower()}"
    return False


def in_every_notation(number: int) -> list[object]:
    return [number, float(number), Decimal(number), Decimal(f"{number}.0"), str(number)]


@given(st.dates(date(1900, 1, 1), date(9999, 12, 31)))
def test_eight_digits_are_the_calendar_date_they_spell(day: date) -> None:
    for value in in_every_notation(int(day.strftime("%Y%m%d"))):
        assert written("DATE", value) == day.isoformat()
        assert written("DATETIME", value) == f"{day.isoformat()}T00:00:00.000+00:00"


@given(plausible, st.sampled_from(sorted(UNITS)))
def test_epoch_of_any_unit_is_the_instant_it_counts(instant: datetime, unit: str) -> None:
    microseconds = (instant - EPOCH) // timedelta(microseconds=1)
    exact = Decimal(microseconds) / UNITS[unit]
    assume(not DATE_AND_HOUR.fullmatch(str(exact)))
    expected = instant.isoformat(timespec="milliseconds")
    for value in (exact, format(exact, "f"), f"{exact:E}"):
        assert written("DATETIME", value) == expected
        assert written("DATE", value) == expected[:10]
    assert written("DATETIME", microseconds * 1000) == expected


@given(st.integers(-(10**7) + 1, 10**7 - 1))
def test_serial_numbers_years_and_zeros_are_rejected(number: int) -> None:
    for value in (number, float(number), Decimal(number), Decimal(number) + Decimal("0.5")):
        assert is_rejected("DATE", value)
        assert is_rejected("DATETIME", value)


@given(st.dates(date(1980, 1, 1), date(2099, 12, 31)), st.integers(0, 24))
def test_ten_digits_that_spell_a_date_and_an_hour_are_rejected(day: date, hour: int) -> None:
    for value in in_every_notation(int(f"{day:%Y%m%d}{hour:02}")):
        assert is_rejected("DATE", value)
        assert is_rejected("DATETIME", value)


@given(st.integers() | st.floats() | st.decimals())
def test_number_is_never_read_as_a_date_before_1900(value: object) -> None:
    for data_type in ("DATE", "DATETIME"):
        if not is_rejected(data_type, value):
            year = int(str(written(data_type, value))[:4])
            assert year >= 1980 or len(str(int(value))) == 8  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "value",
    [
        0,
        "0",
        2027,
        "2027",
        20849,
        46418,
        "46418",
        46418.5,
        "46418.25",
        20271331,
        253_402_214_400,
        253_402_214_400_000,
        202_701_310_930,
        20_270_131_093_000,
        638_400_000_000_000_000,
        133_500_000_000_000_000,
    ],
    ids=str,
)
@pytest.mark.parametrize("data_type", ["DATE", "DATETIME"])
def test_implausible_number_is_rejected_with_the_accepted_forms(
    data_type: str, value: object
) -> None:
    with pytest.raises(RecordRejectedError) as refused:
        written(data_type, value)
    assert refused.value.errors[0].code == f"not_a_{data_type.lower()}"
    assert "between 1980 and 2100" in refused.value.errors[0].hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01 10:00:00 UTC", "2026-05-01T10:00:00.000+00:00"),
        ("2026-05-01T10:00:00 GMT", "2026-05-01T10:00:00.000+00:00"),
        ("2026-05-01T10:00:00Z[UTC]", "2026-05-01T10:00:00.000+00:00"),
        ("2026-05-01T10:00[Etc/UTC]", "2026-05-01T10:00:00.000+00:00"),
        ("2026-05-01T10:00:00+02:00[Europe/Berlin]", "2026-05-01T10:00:00.000+02:00"),
        ("2026-05-01 10:00:00.123456789 +0200 CEST", "2026-05-01T10:00:00.123+02:00"),
        ("2026-05-01 10:00:00 +0000 UTC", "2026-05-01T10:00:00.000+00:00"),
    ],
)
def test_named_zone_beside_an_offset_is_understood(text: str, expected: str) -> None:
    assert written("DATETIME", text) == expected
    assert written("DATE", text) == "2026-05-01"


@pytest.mark.parametrize(
    "text", ["2026-05-01T10:00:00 EST", "2026-05-01T10:00:00[Europe/Berlin]", "2026-05-01 UTC"]
)
def test_zone_without_an_offset_is_rejected(text: str) -> None:
    assert is_rejected("DATETIME", text)
