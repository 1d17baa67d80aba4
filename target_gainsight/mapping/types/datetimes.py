"""Parse, write and compare dates and datetimes.

Read: dates and datetimes in the extended and basic forms of ISO 8601, calendar, week and ordinal
dates, with `T` or a blank before the time, with or without seconds, fraction and offset (also
`UTC`, `+0200 CEST`, `Z[UTC]`); numbers as calendar dates or epochs where they are plausible as
such. A datetime without an offset is taken as UTC. Written: `2026-02-01` or `02-01-2026`, and
`2026-02-01T09:30:00.000+02:00`, the offset kept, what is finer than a millisecond cut off.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Literal

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.numeric import exact_decimal
from target_gainsight.mapping.types.spellings import strip_blanks

DateFormat = Literal["iso", "MM-DD-YYYY"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FROM_1980, _FROM_2000, _UNTIL_2100 = (
    (datetime(year, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)
    for year in (1980, 2000, 2100)
)
_EPOCHS = (
    (Decimal(1_000_000), _FROM_1980),
    (Decimal(1_000), _FROM_1980),
    (Decimal(1), _FROM_2000),
    (Decimal("0.001"), _FROM_2000),
)
"""Seconds, milliseconds, microseconds and nanoseconds: the unit in microseconds, and from which
microsecond since 1970 on a number is plausible as an epoch. Until 2100, these hold neither zeros,
years and serial numbers of spreadsheets, nor the year 9999 in another unit, nor ticks of .NET."""

_CALENDAR_DATE_DIGITS, _DATE_AND_HOUR_DIGITS = 8, 10
_CALENDAR_YEARS = range(1900, 10_000)
_MOST_EPOCH_DIGITS = 19
_EPOCH_HINT = (
    "A number is read as a date only if it is a calendar date such as 20260228, or an epoch in "
    "seconds or milliseconds between 1980 and 2100 that does not spell a date and an hour."
)
_NUMERIC_TEXT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+]?[0-9]{1,2})?")
_MILLISECOND = timedelta(milliseconds=1)
_MIDNIGHT, _LATE_MORNING, _NOON = time(0), time(11, 30), time(12)
_PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_USUAL = re.compile(
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
_MONTH_FIRST = re.compile(r"(?P<month>[0-9]{2})-(?P<day>[0-9]{2})-(?P<year>[0-9]{4})")


def parse_iso(text: str) -> datetime | None:
    """Parse ISO 8601 text: a date is midnight, without an offset it is UTC; None for other text."""
    if _USUAL.fullmatch(text):  # Python parses it itself, which is fast; all but 24:00:00
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
    try:
        instant = datetime.fromisoformat(f"{_day(match)}T{clock}{offset}")
        return instant + timedelta(days=is_end_of_day)
    except (ValueError, OverflowError):
        return None


def write_date(value: object, date_format: DateFormat) -> str | None:
    """Return the text of a DATE field; empty text is null.

    Raises:
        ConversionError: The value is no date, datetime, ISO text, calendar date or epoch.
    """
    hint = "Send an ISO 8601 date, such as 2026-02-28."
    if isinstance(value, str) and _is_plain_day(value):
        text = value
    else:
        day = value if isinstance(value, date) else _parse(value, "date", hint)
        if day is None:
            return None
        text = date(day.year, day.month, day.day).isoformat()
    return text if date_format == "iso" else reformat_date(text, date_format)


def write_datetime(value: object) -> str | None:
    """Return the text of a DATETIME field, with milliseconds and offset; empty text is null.

    Raises:
        ConversionError: The value is no date, datetime, ISO text or epoch.
    """
    if isinstance(value, datetime):
        instant: datetime | None = value
    elif isinstance(value, date):
        instant = datetime.combine(value, _MIDNIGHT, timezone.utc)
    else:
        hint = "Send an ISO 8601 datetime, such as 2026-02-28T09:30:00+01:00."
        instant = _parse(value, "datetime", hint)
    try:
        return None if instant is None else iso_milliseconds(instant)
    except OverflowError:
        message = "it lies outside the years 1 to 9999 in UTC"
        raise ConversionError(code="not_a_datetime", message=message) from None


def iso_milliseconds(instant: datetime) -> str:
    """Format as `2026-02-01T09:30:00.000+02:00`, in UTC if the offset is none or has seconds."""
    offset = instant.utcoffset()
    if offset is None:
        instant = instant.replace(tzinfo=timezone.utc)
    elif offset.seconds % 60 or offset.microseconds:
        instant = instant.astimezone(timezone.utc)
    return instant.isoformat(timespec="milliseconds")


def comparable_date(value: Json) -> str | None:
    """Return the ISO date of a DATE as written or read; None if the day is ambiguous.

    An epoch is in milliseconds, as queries return it. Another time than midnight may be the
    tenant's own midnight in another time zone. In the half hour before noon UTC no time zone has
    midnight, and the day is the same in nearly all: CTAs return their DueDate so (Cockpit API,
    Fetch).
    """
    if isinstance(value, str):
        if _is_plain_day(value):
            return value
        instant = parse_iso(reformat_date(value, "iso"))
    else:
        instant = _of_milliseconds(value)
    if instant is None:
        return None
    is_certain = (
        instant.time() == _MIDNIGHT
        or _LATE_MORNING <= instant.astimezone(timezone.utc).time() < _NOON
    )
    return instant.date().isoformat() if is_certain else None


def comparable_datetime(value: Json) -> int | None:
    """Return the milliseconds since 1970 of a DATETIME as written or read; None if it is none."""
    instant = parse_iso(value) if isinstance(value, str) else _of_milliseconds(value)
    return None if instant is None else (instant - EPOCH) // _MILLISECOND


def reformat_date(value: str, date_format: DateFormat) -> str:
    """Return a DATE field's text in one of its two formats; any other text stays as it is."""
    match = _MONTH_FIRST.fullmatch(value)
    if date_format == "iso":
        return f"{match['year']}-{match['month']}-{match['day']}" if match else value
    instant = parse_iso(value) if match is None else None
    return f"{instant.month:02}-{instant.day:02}-{instant.year:04}" if instant else value


def _is_plain_day(text: str) -> bool:
    """Return whether a text is an ISO date without a time, as nearly all dates are."""
    if not _PLAIN_DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _parse(value: object, kind: str, hint: str) -> datetime | None:
    """Parse text or a number that is plausible as a calendar date or an epoch."""
    text = strip_blanks(value) if isinstance(value, str) else None
    if text == "":
        return None
    instant, number = None, None
    if text is not None:
        instant = parse_iso(text)
        number = Decimal(text) if instant is None and _NUMERIC_TEXT.fullmatch(text) else None
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        exact = exact_decimal(value)
        number = exact if exact.is_finite() else None
    if number is not None:
        instant = _of_number(number)
        hint = f"{hint} {_EPOCH_HINT}"
    if instant is None:
        raise ConversionError(code=f"not_a_{kind}", message=f"not a {kind}", hint=hint)
    return instant


def _of_number(number: Decimal) -> datetime | None:
    digits = number.adjusted() + 1
    if digits > _MOST_EPOCH_DIGITS:
        return None
    is_whole = number == number.to_integral_value()
    if is_whole and digits == _CALENDAR_DATE_DIGITS:
        day = parse_iso(str(int(number)))
        return day if day and day.year in _CALENDAR_YEARS else None
    if is_whole and digits == _DATE_AND_HOUR_DIGITS:
        spelled, hour = divmod(int(number), 100)
        if hour in range(25) and parse_iso(str(spelled)):
            return None  # an epoch of 2032 to 2036 that also reads as YYYYMMDDHH, as 2027013110
    for unit, first in _EPOCHS:
        if first <= number * unit < _UNTIL_2100:
            return EPOCH + timedelta(microseconds=int(number * unit))
    return None


def _of_milliseconds(value: object) -> datetime | None:
    """Return the datetime of a whole number of milliseconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    if isinstance(value, Decimal) and value.adjusted() >= _MOST_EPOCH_DIGITS:
        return None
    try:
        whole = int(value)
        return EPOCH + timedelta(milliseconds=whole) if whole == value else None
    except (ValueError, OverflowError):
        return None


def _day(match: re.Match[str]) -> date:
    year = int(match["year"])
    if match["week"]:
        return date.fromisocalendar(year, int(match["week"]), int(match["weekday"]))
    if match["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
        if day.year != year:
            raise ValueError(match["ordinal"])
        return day
    return date(year, int(match["month"]), int(match["day"]))
