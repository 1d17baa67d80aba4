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
from target_gainsight.mapping.types.spellings import strip_blanks

DateFormat = Literal["iso", "MM-DD-YYYY"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _epoch_range(unit: Decimal, first_year: int) -> tuple[Decimal, int, int]:
    first, last = (
        (datetime(year, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)
        for year in (first_year, 2100)
    )
    return unit, first, last


_EPOCHS = (
    _epoch_range(Decimal(1_000_000), 1980),
    _epoch_range(Decimal(1_000), 1980),
    _epoch_range(Decimal(1), 2000),
    _epoch_range(Decimal("0.001"), 2000),
)
"""Seconds, milliseconds, microseconds and nanoseconds: the unit in microseconds, and from where to
where in microseconds since 1970 a number is plausible as an epoch. These hold neither zeros, years
and serial numbers of spreadsheets, nor the year 9999 in another unit, nor the ticks of .NET."""

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
_USUAL = re.compile(
    r"""[0-9]{4}-[0-9]{2}-[0-9]{2}
    (?:[T\ ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?
        (?:Z|[+-][0-9]{2}:[0-5][0-9])? )?""",
    re.VERBOSE,
)
_ISO = re.compile(
    r"""(?P<year>[0-9]{4})
    (?: -?W(?P<week>[0-9]{2})-?(?P<weekday>[1-7])
      | -(?P<month>[0-9]{2})-(?P<day>[0-9]{2})
      | (?P<basic_month>[0-9]{2})(?P<basic_day>[0-9]{2})
      | -?(?P<ordinal>[0-9]{3}) )
    (?: [Tt\ ](?P<hour>[0-9]{2})
        (?: :?(?P<minute>[0-9]{2}) (?: :?(?P<second>[0-9]{2}) (?:[.,](?P<fraction>[0-9]+))? )? )?
        (?: \ ?(?P<zone> [Zz] | UTC | GMT | [+-][0-9]{2} (?: :?[0-9]{2} )? (?: \ [A-Z]{3,5} )? )
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
    try:
        day = datetime.combine(_day(match), _MIDNIGHT, _zone(match["zone"]))
        return day + _time_of_day(match) if match["hour"] else day
    except (ValueError, OverflowError):
        return None


def write_date(value: object, date_format: DateFormat) -> str | None:
    """Return the text of a DATE field; empty text is null.

    Raises:
        ConversionError: The value is no date, datetime, ISO text, calendar date or epoch.
    """
    hint = "Send an ISO 8601 date, such as 2026-02-28."
    day = value if isinstance(value, date) else _parse(value, "date", hint)
    if day is None:
        return None
    text = date(day.year, day.month, day.day).isoformat()
    return text if date_format == "iso" else _month_first(text)


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
        instant = parse_iso(reformat_date(value, "iso"))
    else:
        instant = _of_milliseconds(value)
    if instant is None:
        return None
    utc = instant.astimezone(timezone.utc)
    is_certain = instant.time() == _MIDNIGHT or _LATE_MORNING <= utc.time() < _NOON
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
    return _month_first(instant.date().isoformat()) if instant else value


def _month_first(iso_date: str) -> str:
    return f"{iso_date[5:]}-{iso_date[:4]}"


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
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
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
    if number == number.to_integral_value() and digits == _CALENDAR_DATE_DIGITS:
        day = parse_iso(str(int(number)))
        return day if day and day.year in _CALENDAR_YEARS else None
    if number == number.to_integral_value() and digits == _DATE_AND_HOUR_DIGITS:
        spelled, hour = divmod(int(number), 100)
        if hour in range(25) and parse_iso(str(spelled)):
            return None  # an epoch of 2032 to 2036 that also reads as YYYYMMDDHH, as 2027013110
    for unit, first, last in _EPOCHS:
        if first <= number * unit < last:
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
    return date(
        year, int(match["month"] or match["basic_month"]), int(match["day"] or match["basic_day"])
    )


def _time_of_day(match: re.Match[str]) -> timedelta:
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    microseconds = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    if (hour, minute, second, microseconds) != (24, 0, 0, 0):
        time(hour, minute, second)  # refuses what no clock shows
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microseconds)


def _zone(text: str | None) -> timezone:
    if text is None or text in {"Z", "z", "UTC", "GMT"}:
        return timezone.utc
    digits = text.split(" ")[0][1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    time(minute=minutes)  # refuses what no clock shows
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
