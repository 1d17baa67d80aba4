"""Text from elsewhere where it may not end a line or move a cursor: logs, tables, YAML, JSON.

Names of streams and columns, values and answers are other people's; one with a line break would
forge a line of the log, one with an escape sequence would rewrite the terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LAST_OF_FOUR_DIGITS = 0xFFFF


def one_line(text: str) -> str:
    """The text on one line, whole: what cannot be printed stands as an escape of Python's."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def printable_json(text: str) -> str:
    """JSON in which what cannot be printed stands as an escape of JSON's; its lines stay."""
    if text.isascii():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escape(each) for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= _LAST_OF_FOUR_DIGITS:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def csv_text(cells: Iterable[str]) -> str:
    """Return one line of CSV without its end; `csv.writer` of Python 3.10 refuses NUL."""
    line = ",".join(
        '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
        for cell in cells
    )
    return line or '""'  # a single empty cell is no empty line
