"""Spellings of a text that look alike: blanks, invisible characters, case and Unicode form."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Literal

from target_gainsight.mapping.types.salesforce_ids import SFDC_ID, comparable_sfdc_id, sfdc_id_forms

_INVISIBLE_RANGES = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
)
"""Control and format characters, and letters that show nothing, such as the Hangul fillers."""

_INVISIBLE = frozenset(
    chr(code) for first, last in _INVISIBLE_RANGES for code in range(first, last + 1)
)
_WHITE_SPACE = frozenset(chr(code) for code in range(0x3001) if chr(code).isspace())
_BLANKS = "".join(sorted(_INVISIBLE | _WHITE_SPACE))

_WORD_START = re.compile(r"\b(?<!['\u2019])\w")
"""A word's first letter, but not what follows an apostrophe: Macy's, not Macy'S."""

_WHOLE_NUMBER = re.compile(r"\A(-?\d+)\.0+\Z")
"""A whole number as spreadsheets and data frames write it when other rows have none."""

_ASCII_PART = re.compile(r"[!-~](?:[ -~]*[!-~])?")

MIN_COMMON_LENGTH = 4
"""Shorter parts are contained in too many other texts."""


def strip_blanks(text: str) -> str:
    """Strip white space, control characters and invisible characters from both ends."""
    return text.strip(_BLANKS)


def is_blank(value: object) -> bool:
    """Return whether a value is null or a text that shows nothing."""
    return value is None or (isinstance(value, str) and not strip_blanks(value))


def first_invisible(text: str) -> str | None:
    """Return the name of the first invisible character that is not white space."""
    found = next((each for each in text if each in _INVISIBLE), None)
    return found and unicodedata.name(found, f"U+{ord(found):04X}")


def usual_spellings(text: str) -> tuple[str, ...]:
    """Return a text and its usual spellings.

    In its own, lower, upper and title case; trimmed, without and with one blank at its end; in
    both canonical Unicode forms; a whole number without `.0`; a Salesforce id in both lengths. A
    query that compares exactly finds rows with these.
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


def short_spellings(text: str) -> tuple[str, ...]:
    """Return all mixes of case of a text too short for `common_part`; none of a longer one.

    With and without one blank on either side.
    """
    trimmed = strip_blanks(text)
    if len(trimmed) >= MIN_COMMON_LENGTH:
        return ()
    letters = ((each.lower(), each.upper()) for each in trimmed)
    cases = ("".join(mix) for mix in product(*letters))
    blanks = ("", " ")
    return tuple(
        dict.fromkeys(left + case + right for case, left, right in product(cases, blanks, blanks))
    )


def common_part(text: str) -> str:
    """Return a part that all spellings of a text contain, but for its case.

    The longest part of ASCII characters: its case is the one that tenants ignore for certain, and
    it has no second Unicode form. If that is short, the text without its blanks.
    """
    whole = _WHOLE_NUMBER.sub(r"\1", strip_blanks(unicodedata.normalize("NFC", text)))
    longest = max(_ASCII_PART.findall(comparable_sfdc_id(whole) or whole), key=len, default="")
    return longest if len(longest) >= MIN_COMMON_LENGTH else whole


def normalize_spelling(text: str) -> str:
    """Return what a text has in common with all texts that differ in these respects only."""
    if text.isascii():
        whole = _WHOLE_NUMBER.sub(r"\1", strip_blanks(text))
        if SFDC_ID.fullmatch(whole):
            whole = comparable_sfdc_id(whole) or whole
        return whole.lower()
    folded = strip_blanks(unicodedata.normalize("NFC", text)).casefold()
    return unicodedata.normalize("NFC", folded)
