"""Other spellings of a text, as sources and people write them: case, blanks, Unicode form."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Literal

from target_gainsight.mapping.types.blanks import strip_blanks

_WORD_START = re.compile(r"\b(?<!['\u2019])\w")


def usual_spellings(text: str) -> tuple[str, ...]:
    """Return a text and its usual spellings.

    In its own, lower, upper and title case; trimmed, without and with one blank at its end; in
    both canonical Unicode forms. A query that compares exactly finds rows with these.
    """
    trimmed = strip_blanks(text)
    cases = (trimmed, trimmed.lower(), trimmed.upper(), trimmed.title(), _capitalize(trimmed))
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC",) if text.isascii() else ("NFC", "NFD")
    spellings = (
        unicodedata.normalize(form, case) + blank
        for form, case, blank in product(forms, cases, ("", " "))
    )
    return tuple(dict.fromkeys((text, *spellings)))


def normalize_spelling(text: str) -> str:
    """Return what a text has in common with all texts that differ in these respects only."""
    if text.isascii():
        return strip_blanks(text).lower()
    folded = strip_blanks(unicodedata.normalize("NFC", text)).casefold()
    return unicodedata.normalize("NFC", folded)


def _capitalize(text: str) -> str:
    """Start each word with a capital, but for what follows an apostrophe: Macy's, not Macy'S."""
    return _WORD_START.sub(lambda start: start[0].upper(), text.lower())
