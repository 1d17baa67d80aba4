"""Spellings of a text that look alike or mean the same: blanks, case, Unicode, Salesforce ids."""

import re
import unicodedata
from itertools import product
from typing import Literal

from target_gainsight.api import Json

_INVISIBLE_RANGES = (
    "0-1F 7F-9F AD-AD 34F-34F 61C-61C 115F-1160 17B4-17B5 180E-180E 200B-200F 202A-202E 2060-206F "
    "2800-2800 3164-3164 FEFF-FEFF FFA0-FFA0 FFF9-FFFB E0000-E007F"
)
"""Control and format characters, and letters that show nothing, such as the Hangul fillers."""

INVISIBLE = frozenset(
    chr(code)
    for first, last in (each.split("-") for each in _INVISIBLE_RANGES.split())
    for code in range(int(first, 16), int(last, 16) + 1)
)
_BLANKS = "".join(INVISIBLE.union(filter(str.isspace, map(chr, range(0x3001)))))

_WORD_START = re.compile(r"\b(?<!['\u2019])\w")
"""A word's first letter, but not what follows an apostrophe: Macy's, not Macy'S."""

_WHOLE_NUMBER = re.compile(r"\A(-?\d+)\.0+\Z")
"""A whole number as spreadsheets and data frames write it when other rows have none."""

_ASCII_PART = re.compile(r"[!-~](?:[ -~]*[!-~])?")

MIN_COMMON_LENGTH = 3
"""Shorter parts are contained in too many other texts."""

SFDC_ID = re.compile(r"([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)")
_SHORT_SFDC_ID = 15
_SFDC_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
"""Each of the last three characters encodes which of five are upper case, as five bits."""


def strip_blanks(text: str) -> str:
    """Strip white space, control characters and invisible characters from both ends."""
    return text.strip(_BLANKS)


def is_blank(value: object) -> bool:
    """Return whether a value is null or a text that shows nothing."""
    return value is None or (isinstance(value, str) and not value.strip(_BLANKS))


def usual_spellings(text: str) -> tuple[str, ...]:
    """Return a text and its usual spellings, with which an exact query finds rows.

    In its own, lower, upper and title case; trimmed, without and with one blank at its end; in
    both canonical Unicode forms; a whole number without `.0`; a Salesforce id in both lengths.
    """
    trimmed = strip_blanks(text)
    capitalized = _WORD_START.sub(lambda start: start[0].upper(), trimmed.lower())
    cases = (trimmed, trimmed.lower(), trimmed.upper(), trimmed.title(), capitalized)
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC",) if text.isascii() else ("NFC", "NFD")
    spellings = (
        unicodedata.normalize(form, case) + blank
        for form, case, blank in product(forms, cases, ("", " "))
    )
    whole = _WHOLE_NUMBER.sub(r"\1", trimmed)
    ids = map(str, sfdc_id_forms(trimmed)) if SFDC_ID.fullmatch(trimmed) else ()
    return tuple(dict.fromkeys((text, *spellings, whole, *ids)))


def common_part(text: str) -> str:
    """Return the longest part of ASCII characters, which all spellings contain, or else all."""
    whole = _without_notation(text)
    longest = max(_ASCII_PART.findall(whole), key=len, default="")
    return longest if len(longest) >= MIN_COMMON_LENGTH else whole


def normalize_spelling(text: str) -> str:
    """Return what a text has in common with all texts that differ in these respects only."""
    return unicodedata.normalize("NFC", _without_notation(text).casefold())


def _without_notation(text: str) -> str:
    """Return a text without blanks around it, the `.0` of a whole number and an id's checksum."""
    whole = _WHOLE_NUMBER.sub(r"\1", unicodedata.normalize("NFC", text).strip(_BLANKS))
    return comparable_sfdc_id(whole) or whole


def comparable_sfdc_id(value: Json) -> str | None:
    """Return the 15-character form of a Salesforce id, whose case the last three of 18 restore."""
    if not isinstance(value, str):
        return None
    checksum = value[_SHORT_SFDC_ID:].upper()
    if not checksum or not SFDC_ID.fullmatch(value):
        return value
    upper = [_SFDC_CHECKSUM.find(each) >> bit & 1 for each in checksum for bit in range(5)]
    pairs = zip(value, upper, strict=False)
    short = "".join(each.upper() if is_upper else each.lower() for each, is_upper in pairs)
    return short if _sfdc_checksum(short) == checksum else value


def sfdc_id_forms(value: Json) -> tuple[Json, ...]:
    """Return the forms in which a tenant may hold a Salesforce id: as given, short, and long."""
    short = comparable_sfdc_id(value)
    if short is None or len(short) != _SHORT_SFDC_ID or not SFDC_ID.fullmatch(short):
        return (value,)
    return tuple(dict.fromkeys((value, short, short + _sfdc_checksum(short))))


def _sfdc_checksum(short: str) -> str:
    parts = (short[start : start + 5] for start in range(0, len(short), 5))
    codes = (sum(each.isupper() << bit for bit, each in enumerate(part)) for part in parts)
    return "".join(_SFDC_CHECKSUM[code] for code in codes)
