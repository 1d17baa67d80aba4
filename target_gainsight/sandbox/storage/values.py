"""Converts single values: from sent to stored form with checks, and from stored to read form.

Stored forms: text, number, 0/1, `YYYY-MM-DD`, epoch milliseconds (UTC), picklist item GSID,
`g1;g2;` for multi-selects. What is written and what is read differ (gainsight-api, section 6).
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from target_gainsight.sandbox.answers import GENERIC, INVALID_VALUE, NULL_VALUE
from target_gainsight.sandbox.config.switches import Switches
from target_gainsight.sandbox.storage.identifiers import is_gsid
from target_gainsight.sandbox.storage.model import (
    GSID_TYPES,
    JSON_TYPES,
    NUMBER_TYPES,
    PICKLIST_TYPES,
    TEXT_TYPES,
    Field,
)

Stored = str | int | float | None
Parse = Callable[[Any], Stored]
Render = Callable[[Any], object]

TOO_LONG = "GSOBJ_1001"
BAD_DATETIME = "GSOBJ_1005"
BAD_DATE = "GSOBJ_1006"
BAD_PICKLIST_VALUE = "GSOBJ_1012"

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_DATE_PATTERNS = {
    "iso": re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"),
    "mdy": re.compile(r"(?P<month>\d\d)-(?P<day>\d\d)-(?P<year>\d{4})"),
}
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LARGEST_INTEGER = 2**63 - 1


class ValueRefusedError(Exception):
    """A value is not valid for its field; has the error code and message of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def value_parser(field: Field, switches: Switches) -> Parse:
    """Return the function that turns a sent value of this field into its stored form.

    It raises ValueRefusedError; it accepts null for a nillable field.
    """
    parse = _parser_of_type(field, switches)
    nillable = field.nillable and not field.required

    def parse_or_clear(value: object) -> Stored:
        if value is not None:
            return parse(value)
        if nillable:
            return None
        raise ValueRefusedError(NULL_VALUE, "Null value in a non-nullable field")

    return parse_or_clear


def condition_parser(field: Field, switches: Switches) -> Parse:
    """Return the function for values of conditions: any length, any text for an email."""
    data_type = "STRING" if field.data_type in TEXT_TYPES else field.data_type
    open_field = replace(field, data_type=data_type, length=None, nillable=True, required=False)
    return value_parser(open_field, switches)


def _parser_of_type(field: Field, switches: Switches) -> Parse:
    if field.data_type in TEXT_TYPES:
        return _text_parser(field, switches)
    if field.data_type in NUMBER_TYPES:
        return _number_parser(field, switches)
    if field.data_type in PICKLIST_TYPES:
        return _picklist_parser_of(field, switches)
    fixed: dict[str, Parse] = {
        "BOOLEAN": _accept_boolean,
        "DATE": _date_parser(switches),
        "DATETIME": _datetime_parser(switches),
        **dict.fromkeys(GSID_TYPES, _accept_gsid),
        **dict.fromkeys(JSON_TYPES, _accept_json),
    }
    return fixed[field.data_type]


def _text_parser(field: Field, switches: Switches) -> Parse:
    limit = field.length
    empty = None if switches.empty_text_written == "cleared" else ""
    is_email = field.data_type == "EMAIL"

    def parse(value: object) -> Stored:
        if field.guessed and isinstance(value, (list, dict)):
            value = _accept_json(value)
        if not isinstance(value, str):
            raise ValueRefusedError(INVALID_VALUE, f"Invalid value for {field.data_type} field")
        if limit is not None and len(value) > limit:
            raise ValueRefusedError(TOO_LONG, f"Value exceeds the maximum length of {limit}")
        if not value.isascii() and not _is_unicode(value):
            raise ValueRefusedError(INVALID_VALUE, "Text is not valid Unicode")
        if is_email and not _EMAIL.fullmatch(value):
            raise ValueRefusedError(INVALID_VALUE, "Invalid email address")
        return value or empty

    return parse


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number_parser(field: Field, switches: Switches) -> Parse:
    def parse(value: object) -> Stored:
        if switches.numeric_strings and isinstance(value, str) and _NUMBER.fullmatch(value):
            value = json.loads(value.lstrip("+"))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueRefusedError(INVALID_VALUE, f"Invalid value for {field.data_type} field")
        return value if abs(value) <= _LARGEST_INTEGER else _decimal(value)

    return parse


def _decimal(value: float) -> float:
    """Return a number beyond SQLite's integers as a decimal."""
    try:
        return float(value)
    except OverflowError:
        raise ValueRefusedError(INVALID_VALUE, "Number out of range") from None


def _accept_boolean(value: object) -> Stored:
    if not isinstance(value, bool):
        raise ValueRefusedError(GENERIC, "Invalid value for BOOLEAN field")
    return int(value)


def _accept_gsid(value: object) -> Stored:
    if not isinstance(value, str) or not is_gsid(value):
        raise ValueRefusedError(INVALID_VALUE, "Invalid GSID")
    return value


def _accept_json(value: object) -> Stored:
    return json.dumps(value, ensure_ascii=False)


def _date_parser(switches: Switches) -> Parse:
    formats = ("iso", "mdy") if switches.date_formats == "both" else (switches.date_formats,)

    def parse(value: object) -> Stored:
        day = _calendar_day(value, formats) if isinstance(value, str) else None
        if day is None:
            raise ValueRefusedError(BAD_DATE, "Invalid date format")
        return day

    return parse


@lru_cache(maxsize=10_000)
def _calendar_day(text: str, formats: tuple[str, ...]) -> str | None:
    for name in formats:
        found = _DATE_PATTERNS[name].fullmatch(text)
        if found:
            year, month, day = map(int, found.group("year", "month", "day"))
            return _existing_day(year, month, day)
    return None


def _existing_day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _datetime_parser(switches: Switches) -> Parse:
    milliseconds_required = switches.datetime_milliseconds_required

    def parse(value: object) -> Stored:
        found = _DATETIME.fullmatch(value) if isinstance(value, str) else None
        if found is None or (milliseconds_required and len(found.group(7) or "") != 3):  # noqa: PLR2004
            raise ValueRefusedError(BAD_DATETIME, "Invalid datetime format")
        try:
            return _epoch_milliseconds(found)
        except (ValueError, OverflowError):
            raise ValueRefusedError(BAD_DATETIME, "Invalid datetime") from None

    return parse


def _epoch_milliseconds(found: re.Match[str]) -> int:
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    local = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        int(second),
        int((fraction or "0").ljust(6, "0")[:6]),
        tzinfo=timezone(-offset if sign == "-" else offset),
    )
    return (local.astimezone(timezone.utc) - _EPOCH) // timedelta(milliseconds=1)


def _items(field: Field, switches: Switches) -> dict[str, str]:
    active = [option for option in field.options if option.active]
    items = {option.gsid: option.gsid for option in active}
    for option in active:
        label = option.label.lower() if switches.picklist_ignores_case else option.label
        items[label] = option.gsid
    return items


def _picklist_parser(field: Field, switches: Switches) -> Parse:
    items = _items(field, switches)
    ignores_case = switches.picklist_ignores_case

    def parse(value: object) -> Stored:
        gsid = None
        if isinstance(value, str):
            gsid = items.get(value) or (items.get(value.lower()) if ignores_case else None)
        if gsid is None:
            raise ValueRefusedError(BAD_PICKLIST_VALUE, "Invalid or inactive picklist value")
        return gsid

    return parse


def _picklist_parser_of(field: Field, switches: Switches) -> Parse:
    if field.data_type == "PICKLIST":
        return _picklist_parser(field, switches)
    return _multiselect_parser(field, switches)


def _multiselect_parser(field: Field, switches: Switches) -> Parse:
    parse_one = _picklist_parser(field, switches)

    def parse(value: object) -> Stored:
        if not isinstance(value, list):
            raise ValueRefusedError(BAD_PICKLIST_VALUE, "A multi-select takes a list of values")
        chosen = dict.fromkeys(parse_one(each) for each in value)
        return "".join(f"{gsid};" for gsid in chosen) or None

    return parse


def renderer(field: Field, switches: Switches) -> Render | None:
    """Return the function from the stored to the read form; None if they are the same."""
    data_type = field.data_type
    if data_type == "DATE":
        return _date_renderer(switches)
    if data_type == "DATETIME":
        return _datetime_renderer(switches)
    if data_type == "BOOLEAN":
        return _render_boolean
    if data_type in JSON_TYPES:
        return _render_json
    if data_type in TEXT_TYPES and switches.empty_text_read == "blank":
        return _render_blank
    return None


def _render_boolean(stored: int | None) -> object:
    return None if stored is None else bool(stored)


def _render_json(stored: str | None) -> object:
    return None if stored is None else json.loads(stored)


def _render_blank(stored: str | None) -> object:
    return "" if stored is None else stored


def _date_renderer(switches: Switches) -> Render:
    as_epoch = switches.date_read == "epoch_ms"

    def render(stored: str | None) -> object:
        if stored is None:
            return ""
        if not as_epoch:
            return stored
        return (date.fromisoformat(stored) - _EPOCH.date()) // timedelta(milliseconds=1)

    return render


def _datetime_renderer(switches: Switches) -> Render:
    form = switches.datetime_read

    def render(stored: int | None) -> object:
        if stored is None:
            return ""
        if form == "epoch_ms":
            return stored
        return iso_datetime(stored) if form == "iso" else _spaced_datetime(stored)

    return render


def iso_datetime(milliseconds: int) -> str:
    """Format epoch milliseconds as ISO 8601 in UTC, with milliseconds and a Z."""
    when = _EPOCH + timedelta(milliseconds=milliseconds)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _spaced_datetime(milliseconds: int) -> str:
    when = _EPOCH + timedelta(milliseconds=milliseconds)
    day, time = when.isoformat(timespec="milliseconds")[:-8].split("T")
    return f"{day} {time}"


def readable(field: Field, stored: Any) -> object:  # noqa: ANN401 - any stored form
    """Return a stored value in readable form: labels of picklist items, ISO dates, true/false."""
    if stored is None:
        return None
    if field.data_type in PICKLIST_TYPES:
        labels = {option.gsid: option.label for option in field.options}
        if field.data_type == "PICKLIST":
            return labels.get(stored, stored)
        return [labels.get(each, each) for each in stored.split(";") if each]
    if field.data_type == "DATETIME":
        return iso_datetime(stored)
    if field.data_type == "BOOLEAN":
        return bool(stored)
    return _render_json(stored) if field.data_type in JSON_TYPES else stored
