"""Characters that nobody sees: when a text is blank, and a text without them around it."""

from __future__ import annotations

import unicodedata

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


def strip_blanks(text: str) -> str:
    """Take white space, control characters and invisible characters off both ends of a text."""
    return text.strip(_BLANKS)


def is_blank(value: object) -> bool:
    """Whether a value is missing: null, or a text that shows nothing."""
    return value is None or (isinstance(value, str) and not strip_blanks(value))


def first_invisible(text: str) -> str | None:
    """Name the first character of a text that shows nothing and is no white space."""
    found = next((each for each in text if each in _INVISIBLE), None)
    return found and unicodedata.name(found, f"U+{ord(found):04X}")
