"""Conversion of source values, type by type."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from tenant_fields import COMMA, GOLD, OLD, SILVER, TIERS, a_field

from target_gainsight.api import PicklistOption
from target_gainsight.mapping.errors import FieldError, RecordRejectedError
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.datetimes import reformat_date

CEST = timezone(timedelta(hours=2))
NAIVE = datetime(2026, 2, 1, 9, 30)  # noqa: DTZ001 - what a naive one becomes is the point
GSID = "1P02" + "X" * 32


def written(data_type: str, value: object, **described: object) -> object:
    return Converter("Field", a_field("Field", data_type, **described)).write(value)


def refusal(data_type: str, value: object, **described: object) -> FieldError:
    with pytest.raises(RecordRejectedError) as refused:
        written(data_type, value, **described)
    return refused.value.errors[0]


@pytest.mark.parametrize("data_type", ["NUMBER", "CURRENCY", "PERCENTAGE", "JSONNUMBER"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (Decimal("0.10"), Decimal("0.10")),
        (0.1, 0.1),
        ("12", Decimal(12)),
        (" 1,234,567.89 ", Decimal("1234567.89")),
        ("-1,000", Decimal(-1000)),
        ("+.5", Decimal("0.5")),
        ("1e3", Decimal("1E+3")),
        ("0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_number_is_written_exactly(data_type: str, value: object, expected: object) -> None:
    result = written(data_type, value)
    assert result == expected
    assert str(result) == str(expected)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("$5", "currency"),
        ("5 €", "currency"),
        ("USD 5", "currency"),
        ("12%", "percent sign"),
        ("1.234,56", "decimal comma"),
        ("1,23,456", "decimal comma"),
        ("12,3456", "decimal comma"),
        ("twelve", "not a number"),
        ("1_000", "not a number"),
        ("(5)", "not a number"),
        ("٣", "not a number"),
        (True, "not a number"),
        ([1], "not a number"),
        (date(2026, 2, 1), "not a number"),
    ],
)
def test_invalid_number_is_refused_with_reason(value: object, reason: str) -> None:
    error = refusal("NUMBER", value)
    assert error.code == "not_a_number"
    assert reason in error.message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN")])
def test_number_without_json_form_is_refused(value: object) -> None:
    assert refusal("NUMBER", value).code == "not_finite"


@pytest.mark.parametrize("value", [10**400, Decimal("1E+999999999"), "1e400", "1e-400"])
def test_number_beyond_the_range_of_a_double_is_refused(value: object) -> None:
    assert refusal("NUMBER", value).code == "number_out_of_range"


@pytest.mark.parametrize("data_type", ["BOOLEAN", "JSONBOOLEAN"])
@pytest.mark.parametrize(
    ("expected", "values"),
    [
        (True, (True, "true", "T", "Yes", "y", " ON ", "1", "1.0", "\ufeff1.", 1, Decimal(1), 1.0)),
        (False, (False, "FALSE", "f", "no", "N", "off", "0", "0.00", 0, Decimal(0))),
        (None, (None, "", " ", "\u200b")),
    ],
)
def test_boolean_words_are_understood(
    data_type: str, expected: object, values: tuple[object, ...]
) -> None:
    assert [written(data_type, value) for value in values] == [expected] * len(values)


@pytest.mark.parametrize("value", ["maybe", "10", "1.5", 2, Decimal("sNaN"), [], date(2026, 2, 1)])
def test_invalid_boolean_is_refused(value: object) -> None:
    assert refusal("BOOLEAN", value).code == "not_a_boolean"


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-01",
        "20260201",
        "2026-W05-7",
        "2026W057",
        "2026-032",
        "2026032",
        " 2026-02-01 ",
        "2026-02-01T23:59:59+02:00",
        "2026-02-01 23:30:00-11",
        "2026-01-31T24:00:00Z",
        date(2026, 2, 1),
        datetime(2026, 2, 1, 23, 30, tzinfo=CEST),
        NAIVE,
        1769904000,
        1769904000000,
        Decimal(1769904000),
        1769904000.0,
    ],
)
def test_date_is_day_in_zone_of_source(value: object) -> None:
    assert written("DATE", value) == "2026-02-01"


def test_date_format_is_configurable() -> None:
    converter = Converter("Field", a_field("Field", "DATE"), date_format="MM-DD-YYYY")
    assert converter.write("2026-02-01") == "02-01-2026"
    assert converter.write("") is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-30",
        "2026-13-01",
        "2026-366",
        "2026-000",
        "2026-W54-1",
        "2026-02",
        "2026",
        "02-01-2026",
        "01/02/2026",
        "tomorrow",
        "2026-02-01T25:00",
        "2026-02-01T24:01",
        "2026-02-01T10:60",
        "2026-02-01T10:00+02:75",
        "9999-12-31T24:00",
        10**30,
        1.5,
        Decimal("1E+999999999"),
        float("inf"),
        True,
        time(9, 30),
        [],
    ],
)
@pytest.mark.parametrize("data_type", ["DATE", "DATETIME"])
def test_impossible_date_is_refused(data_type: str, value: object) -> None:
    error = refusal(data_type, value)
    assert error.code == f"not_a_{data_type.lower()}"
    assert "ISO 8601" in error.hint


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-02-01T09:30:00+02:00", "2026-02-01T09:30:00.000+02:00"),
        ("2026-02-01T09:30:00.5-0330", "2026-02-01T09:30:00.500-03:30"),
        ("2026-02-01T09:30:00.123999Z", "2026-02-01T09:30:00.123+00:00"),
        ("2026-02-01T09:30:00,25z", "2026-02-01T09:30:00.250+00:00"),
        ("2026-02-01 09:30:00.000 +0200", "2026-02-01T09:30:00.000+02:00"),
        ("2026-02-01 09:30", "2026-02-01T09:30:00.000+00:00"),
        ("20260201T093000Z", "2026-02-01T09:30:00.000+00:00"),
        ("20260201T0930+02", "2026-02-01T09:30:00.000+02:00"),
        ("2026-W05-7T09", "2026-02-01T09:00:00.000+00:00"),
        ("2026-01-31T24:00:00", "2026-02-01T00:00:00.000+00:00"),
        ("2026-02-01", "2026-02-01T00:00:00.000+00:00"),
        (date(2026, 2, 1), "2026-02-01T00:00:00.000+00:00"),
        (NAIVE, "2026-02-01T09:30:00.000+00:00"),
        (datetime(2026, 2, 1, 9, 30, tzinfo=CEST), "2026-02-01T09:30:00.000+02:00"),
        (1769938200, "2026-02-01T09:30:00.000+00:00"),
        (1769938200123, "2026-02-01T09:30:00.123+00:00"),
        ("", None),
    ],
)
def test_datetime_keeps_offset_and_has_milliseconds(value: object, expected: str | None) -> None:
    assert written("DATETIME", value) == expected


def test_offset_with_seconds_is_converted_to_utc() -> None:
    local_mean_time = timezone(timedelta(minutes=53, seconds=28))
    value = datetime(1890, 1, 1, 1, 0, 0, tzinfo=local_mean_time)
    assert written("DATETIME", value) == "1890-01-01T00:06:32.000+00:00"
    first = datetime(1, 1, 1, tzinfo=local_mean_time)
    assert refusal("DATETIME", first).code == "not_a_datetime"


@pytest.mark.parametrize("value", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_datetime_outside_the_years_in_utc_is_refused(value: str) -> None:
    error = refusal("DATETIME", value)
    assert (error.code, error.message) == (
        "not_a_datetime",
        "it lies outside the years 1 to 9999 in UTC",
    )
    assert written("DATE", value) == value[:10]


@pytest.mark.parametrize(
    ("value", "iso", "month_first"),
    [
        ("2026-02-01", "2026-02-01", "02-01-2026"),
        ("02-01-2026", "2026-02-01", "02-01-2026"),
        ("soon", "soon", "soon"),
    ],
)
def test_refused_date_is_converted_to_other_form(value: str, iso: str, month_first: str) -> None:
    assert reformat_date(value, "iso") == iso
    assert reformat_date(value, "MM-DD-YYYY") == month_first


@pytest.mark.parametrize("value", ["Gold", "Smith, John", GOLD])
def test_picklist_accepts_labels_and_item_gsids(value: str) -> None:
    assert written("PICKLIST", value) == value


def test_number_may_name_picklist_item() -> None:
    five = PicklistOption(GOLD, "5", active=True)
    assert written("PICKLIST", 5, options=(five,)) == "5"


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("Bronze", "inactive_option", "'Bronze' is an inactive item"),
        (OLD, "inactive_option", "is an inactive item"),
        ("gold", "unknown_option", "no item 'gold'. Gold differs only in case."),
        ("Silvre", "unknown_option", "Did you mean Silver?"),
        ("xyz", "unknown_option", "It has ['Gold', 'Silver', 'Smith, John']."),
        (True, "unknown_option", "neither a label nor"),
        (["Gold"], "unknown_option", "neither a label nor"),
        pytest.param(10**5000, "number_out_of_range", "its exponent", id="huge"),
    ],
)
def test_refused_picklist_value_suggests_items(value: object, code: str, message: str) -> None:
    error = refusal("PICKLIST", value)
    assert error.code == code
    assert message in str(error)


def test_reactivated_item_of_same_label_is_writable() -> None:
    twins = (
        PicklistOption(OLD, "Gold", active=False),
        PicklistOption(GOLD, "Gold", active=True),
    )
    assert written("PICKLIST", "Gold", options=twins) == "Gold"


def test_picklist_of_inactive_items_accepts_nothing() -> None:
    assert refusal("PICKLIST", "Gold", options=TIERS[3:]).code == "unknown_option"


def test_picklist_without_listed_items_is_unchecked() -> None:
    assert written("PICKLIST", "Anything", options=()) == "Anything"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["Gold", "Silver"], ["Gold", "Silver"]),
        (("Gold", SILVER), ["Gold", SILVER]),
        ("Gold;Silver;", ["Gold", "Silver"]),
        ("Gold, Silver", ["Gold", "Silver"]),
        ("Gold; Smith, John", ["Gold", "Smith, John"]),
        ("Smith, John", ["Smith, John"]),
        (" Smith, John ", ["Smith, John"]),
        ('["Gold", "Smith, John"]', ["Gold", "Smith, John"]),
        (f"{GOLD};{COMMA};", [GOLD, COMMA]),
        ("", None),
        (";", None),
        ([], None),
    ],
)
def test_multi_select_accepts_lists_and_text(value: object, expected: object) -> None:
    assert written("MULTISELECTDROPDOWNLIST", value) == expected


@pytest.mark.parametrize("value", ["Gold;gold", ["Gold", None], ["Gold", ""], "[Gold", {"a": 1}])
def test_wrong_item_refuses_whole_selection(value: object) -> None:
    assert refusal("MULTISELECTDROPDOWNLIST", value).code == "unknown_option"


TEXT_TYPES = ["STRING", "RICHTEXTAREA", "JSON", "JSONSTRING", "IMAGE"]


@pytest.mark.parametrize("data_type", TEXT_TYPES)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" blanks stay ", " blanks stay "),
        ("", ""),
        ("Müller", "Müller"),
        (5, "5"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (False, "false"),
        (date(2026, 2, 1), "2026-02-01"),
        (time(9, 30), "09:30:00"),
        (datetime(2026, 2, 1, 9, 30, tzinfo=CEST), "2026-02-01T09:30:00.000+02:00"),
        ({"a": [Decimal("1.10"), None, date(2026, 2, 1)]}, '{"a": [1.10, null, "2026-02-01"]}'),
        (["ä", 1], '["ä", 1]'),
    ],
)
def test_text_field_accepts_anything_as_plain_text(
    data_type: str, value: object, expected: str
) -> None:
    assert written(data_type, value) == expected


def test_text_that_is_too_long_is_refused_with_both_lengths() -> None:
    assert written("STRING", "12345", length=5) == "12345"
    error = refusal("STRING", "123456", length=5)
    assert error.code == "too_long"
    assert error.message == "it has 6 characters, and the field holds 5"
    assert refusal("EMAIL", "ann@example.com", length=5).code == "too_long"
    assert refusal("STRING", {"a": "b"}, length=5).code == "too_long"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"bytes", "unsupported_value"),
        ({1, 2}, "unsupported_value"),
        ({"a": b"bytes"}, "unsupported_value"),
        ({(1, 2): 3}, "unsupported_value"),
        (float("nan"), "not_finite"),
        ({"a": Decimal("NaN")}, "not_finite"),
        ({"a": float("inf")}, "not_finite"),
        ("\ud800", "not_text"),
        ({"a": "\ud800"}, "not_text"),
    ],
)
def test_unencodable_text_is_refused(value: object, code: str) -> None:
    assert refusal("STRING", value).code == code


@pytest.mark.parametrize(
    ("data_type", "value", "expected"),
    [
        ("EMAIL", " Ann.O'Hara+x@Example.co.uk ", "Ann.O'Hara+x@Example.co.uk"),
        ("EMAIL", "jürgen@müller.example", "jürgen@müller.example"),
        ("EMAIL", " ", None),
        ("URL", "https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("URL", "www.example.com", "www.example.com"),
        ("URL", "http://intranet/page", "http://intranet/page"),
        ("GSID", GSID, GSID),
        ("LOOKUP", f" {GSID}", GSID),
        ("WHOID", GSID, GSID),
        ("WHATID", "", None),
        ("SFDCID", "0015g00000AbCdE", "0015g00000AbCdE"),
        ("SFDCID", "0015g00000AbCdEAAX", "0015g00000AbCdEAAX"),
    ],
)
def test_shaped_text_is_written_without_the_blanks_around_it(
    data_type: str, value: str, expected: str | None
) -> None:
    assert written(data_type, value) == expected


@pytest.mark.parametrize(
    ("data_type", "value", "code"),
    [
        ("EMAIL", "ann", "not_an_email"),
        ("EMAIL", "ann@example", "not_an_email"),
        ("EMAIL", "Ann <ann@example.com>", "not_an_email"),
        ("EMAIL", "a@b.com;c@d.com", "not_an_email"),
        ("EMAIL", 5, "not_an_email"),
        ("URL", "no address", "not_a_url"),
        ("URL", "example", "not_a_url"),
        ("GSID", GSID.lower(), "not_a_gsid"),
        ("LOOKUP", "ann@example.com", "not_a_gsid"),
        ("LOOKUP", "1P02", "not_a_gsid"),
        ("SFDCID", "0015g00000AbCd", "not_a_salesforce_id"),
        ("SFDCID", "0015g00000AbCdE1", "not_a_salesforce_id"),
        ("SFDCID", "0015g00000AbCd_", "not_a_salesforce_id"),
    ],
)
def test_text_of_another_shape_is_refused(data_type: str, value: object, code: str) -> None:
    assert refusal(data_type, value).code == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        (5, 5),
        (Decimal("1.10"), Decimal("1.10")),
        (NAIVE, "2026-02-01T09:30:00.000+00:00"),
        (date(2026, 2, 1), "2026-02-01"),
        (time(9, 30), "09:30:00"),
        ({"a": 1}, '{"a": 1}'),
        ([1, "b", date(2026, 2, 1)], [1, "b", "2026-02-01"]),
    ],
)
def test_without_metadata_values_are_written_plainly(value: object, expected: object) -> None:
    assert Converter("").write(value) == expected
    assert written("SOMETHING_NEW", value) == expected


def test_values_outside_json_are_refused_without_metadata() -> None:
    for value in (float("nan"), b"bytes", "\ud800"):
        with pytest.raises(RecordRejectedError):
            Converter("").write(value)


def test_error_names_field_type_value_and_remedy() -> None:
    error = refusal("NUMBER", "1\n2")
    assert str(error) == (
        r"Field (NUMBER) refuses '1\n2': not a number, or one with a currency, a percent sign or a "
        "decimal comma. Send digits with a decimal point, such as 1234.5 or 1,234.5."
    )


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000, {"key": "\x1b[31m" * 500}, pytest.param(10**5000, id="huge"), ["\x00"]],
)
def test_error_shortens_and_escapes_values(value: object) -> None:
    shown = str(refusal("NUMBER", value))
    assert len(shown) < 300
    assert shown.isprintable()
