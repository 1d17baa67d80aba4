"""Parse, write and compare dates and datetimes.

Read: the extended and basic forms of ISO 8601, calendar, week and ordinal dates, with `T` or a
blank before the time, and an offset that may have a name (`+0200 CEST`, `Z[UTC]`); numbers as
calendar dates or epochs where they are plausible as such. Without an offset, UTC is assumed.
"""

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Literal

from target_gainsight.api import Json
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.numeric import NUMBERS, exact_decimal
from target_gainsight.mapping.types.spellings import strip_blanks

DateFormat = Literal["iso", "MM-DD-YYYY"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST = datetime.min.replace(tzinfo=timezone.utc)
_LAST = datetime.max.replace(tzinfo=timezone.utc)
_EPOCHS = {
    Decimal(1_000_000): range(1980, 2100),
    Decimal(1_000): range(1980, 2100),
    Decimal(1): range(2000, 2100),
    Decimal("0.001"): range(2000, 2100),
}
"""Seconds, milliseconds, microseconds and nanoseconds: the unit in microseconds, and the years of a
plausible epoch. These hold neither zeros, years and serial numbers of spreadsheets, nor the year
9999 in another unit, nor ticks of .NET."""

_CALENDAR_DATE_DIGITS, _DATE_AND_HOUR_DIGITS, _MOST_EPOCH_DIGITS = 8, 10, 19
_CALENDAR_YEARS = range(1900, 10_000)
_HINT = (
    "Send an ISO 8601 date, such as 2026-02-28 or 2026-02-28T09:30:00+01:00; a number may be a "
    "calendar date, such as 20260228, or an epoch between 1980 and 2100."
)
_NUMERIC_TEXT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+]?[0-9]{1,2})?")
_COMMON_ISO = re.compile(
    r"""[0-9]{4}-[0-9]{2}-[0-9]{2}
    (?:[T\ ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?
        (?:Z|[+-][0-9]{2}:[0-5][0-9])? )?""",
    re.VERBOSE,
)
_ISO = re.compile(
    r"""(?P<year>[0-9]{4})
    (?: -?W(?P<week>[0-9]{2})-?(?P<weekday>[1-7])
      | (?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})
      | -?(?P<ordinal>[0-9]{3}) )
    (?: [Tt\ ](?P<hour>[0-9]{2})
        (?: :?(?P<minute>[0-9]{2}) (?: :?(?P<second>[0-9]{2}) (?:[.,](?P<fraction>[0-9]+))? )? )?
        (?: \ ?(?: [Zz] | UTC | GMT
                 | (?P<sign>[+-])(?P<hours>[0-9]{2}) (?: :?(?P<minutes>[0-5][0-9]) )?
                   (?: \ [A-Z]{3,5} )? )
            (?: \[[A-Za-z0-9_/+:-]+\] )?
          | \[(?: Etc/ )? (?: UTC | GMT | Z )\] )? )?""",
    re.VERBOSE,
)
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_REORDERED = {
    "iso": (re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})"), r"\3-\1-\2"),
    "MM-DD-YYYY": (_ISO_DAY, r"\2-\3-\1"),
}


def write_date(value: object, date_format: DateFormat) -> str | None:
    """Return the text of a DATE field, the day in the source's own zone; blank text is null."""
    if isinstance(value, str) and _is_day(value):
        return value if date_format == "iso" else reformat_date(value, date_format)
    instant = _parse(value, "date")
    return None if instant is None else reformat_date(instant.date().isoformat(), date_format)


def write_datetime(value: object) -> str | None:
    """Return the text of a DATETIME field, with milliseconds and offset; blank text is null."""
    instant = _parse(value, "datetime")
    return None if instant is None else iso_milliseconds(instant)


def iso_milliseconds(instant: datetime) -> str:
    """Format as `2026-02-01T09:30:00.000+02:00`, in UTC if the offset is none or has seconds."""
    offset = instant.utcoffset()
    if offset is None:
        return f"{instant.isoformat(timespec='milliseconds')}+00:00"
    if not _FIRST <= instant <= _LAST:
        message = "it lies outside the years 1 to 9999 in UTC"
        hint = "Send a time within these years, or null."
        raise ConversionError(code="not_a_datetime", message=message, hint=hint)
    if offset.seconds % 60 or offset.microseconds:
        instant = instant.astimezone(timezone.utc)
    return instant.isoformat(timespec="milliseconds")


def comparable_date(value: Json) -> str | None:
    """Return the ISO date of a DATE as written or read; None if the day is ambiguous.

    An epoch is in milliseconds, as queries return it. Another time than midnight may be the
    tenant's own midnight in another time zone. In the half hour before noon UTC no time zone has
    midnight, and the day is the same in nearly all: CTAs return their DueDate so (Cockpit API,
    Fetch).
    """
    if isinstance(value, str) and _is_day(value):
        return value
    instant = _parse_query_value(reformat_date(value, "iso") if isinstance(value, str) else value)
    if instant is None:
        return None
    since_midnight = (instant - EPOCH) % timedelta(days=1)
    is_late_morning = timedelta(hours=11.5) <= since_midnight < timedelta(hours=12)
    is_certain = instant.time() == time(0) or is_late_morning
    return instant.date().isoformat() if is_certain else None


def comparable_datetime(value: Json) -> int | None:
    """Return the milliseconds since 1970 of a DATETIME as written or read; None if it is none."""
    instant = _parse_query_value(value)
    return None if instant is None else (instant - EPOCH) // timedelta(milliseconds=1)


def reformat_date(value: str, date_format: DateFormat) -> str:
    """Return a DATE field's text in one of its two formats; any other text stays as it is."""
    pattern, order = _REORDERED[date_format]
    match = pattern.fullmatch(value)
    return match.expand(order) if match else value


def _is_day(text: str) -> bool:
    """Return whether a text is an ISO date without a time, as nearly all dates are."""
    try:
        return _ISO_DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _parse(value: object, kind: str) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(0), timezone.utc)
    text = strip_blanks(value) if isinstance(value, str) else None
    if text == "":
        return None
    instant = _parse_iso(text) if text else None
    number = _to_decimal(text or value)
    if instant is None and number is not None:
        instant = _parse_number(number)
    if instant is None:
        raise ConversionError(code=f"not_a_{kind}", message=f"not a {kind}", hint=_HINT)
    return instant


def _parse_query_value(value: Json) -> datetime | None:
    """Parse what a query returns, ISO text or milliseconds since 1970."""
    if isinstance(value, str):
        return _parse_iso(value)
    number = value if isinstance(value, int) and not isinstance(value, bool) else _to_decimal(value)
    with suppress(OverflowError):
        if number is not None and number == int(number):
            return EPOCH + timedelta(milliseconds=int(number))
    return None


def _parse_iso(text: str) -> datetime | None:
    """Parse ISO 8601 text: a date is midnight, without an offset it is UTC; None for other text."""
    if _COMMON_ISO.fullmatch(text):  # Python parses it itself, which is fast; all but 24:00:00
        with suppress(ValueError):
            usual = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1] == "Z" else text)
            return usual if usual.tzinfo else usual.replace(tzinfo=timezone.utc)
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, hours, minutes = (
        match[part] or "00" for part in ("hour", "minute", "second", "hours", "minutes")
    )
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    is_end_of_day = (hour, minute, second, fraction) == ("24", "00", "00", "000000")
    clock = f"{'00' if is_end_of_day else hour}:{minute}:{second}.{fraction}"
    offset = f"{match['sign'] or '+'}{hours}:{minutes}"
    with suppress(ValueError, OverflowError):
        instant = datetime.fromisoformat(f"{_date_from_match(match)}T{clock}{offset}")
        return instant + timedelta(days=is_end_of_day)
    return None


def _date_from_match(match: re.Match[str]) -> date:
    year = int(match["year"])
    if match["week"]:
        return date.fromisocalendar(year, int(match["week"]), int(match["weekday"]))
    if match["month"]:
        return date(year, int(match["month"]), int(match["day"]))
    day = date(year, 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
    return day.replace(year=year if day.year == year else 0)  # no such day: ValueError


def _to_decimal(value: object) -> Decimal | None:
    """Return a number of at most as many digits as an epoch has, or text that is one."""
    number: Decimal | None = None
    if isinstance(value, str):
        number = Decimal(value) if _NUMERIC_TEXT.fullmatch(value) else None
    elif isinstance(value, NUMBERS) and not isinstance(value, bool):
        number = exact_decimal(value)
    is_short = number is not None and number.is_finite() and number.adjusted() < _MOST_EPOCH_DIGITS
    return number if is_short else None


def _parse_number(number: Decimal) -> datetime | None:
    """Return the calendar date that a number spells, or else the epoch that it is."""
    digits = number.adjusted() + 1 if number == number.to_integral_value() else 0
    if digits == _CALENDAR_DATE_DIGITS:
        day = _parse_iso(str(int(number)))
        return day if day and day.year in _CALENDAR_YEARS else None
    if digits == _DATE_AND_HOUR_DIGITS:
        spelled, hour = divmod(int(number), 100)
        if hour in range(25) and _parse_iso(str(spelled)):
            return None  # an epoch of 2032 to 2036 that also reads as YYYYMMDDHH, as 2027013110
    for unit, years in _EPOCHS.items():
        with suppress(OverflowError):
            instant = EPOCH + timedelta(microseconds=int(number * unit))
            if instant.year in years:
                return instant
    return None
