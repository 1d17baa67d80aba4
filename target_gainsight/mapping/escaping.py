"""Escape foreign text for logs, tables, YAML, JSON and CSV.

Names, values and responses come from elsewhere: a line break in one would forge a line of the log,
and an escape sequence would rewrite the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import simplejson

_PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?: [A-Za-z0-9_-]+)*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
MAX_INLINE = 100
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def one_line(text: str) -> str:
    """Return the whole text on one line; what cannot be printed becomes a Python escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def printable_json(text: str) -> str:
    """Return JSON in which what cannot be printed is a JSON escape; its lines stay."""
    return "".join(each if each.isprintable() or each == "\n" else _escape(each) for each in text)


def yaml_scalar(value: object) -> str:
    """Return a JSON value as YAML on one line; text is quoted only if YAML would misread it."""
    is_text = isinstance(value, str) and value.lower() not in _YAML_WORDS
    if is_text and _PLAIN_YAML.fullmatch(str(value)):
        return str(value)
    text = simplejson.dumps(value, ensure_ascii=False, use_decimal=True, default=str)
    return one_line(str(text))  # Python's escapes are also YAML's; JSON's surrogate pairs are not.


def yaml_lines(content: object) -> Iterator[str]:
    """Yield JSON values as lines of YAML, whose scalars may be written as in JSON."""
    if isinstance(content, dict) and content:
        for key, value in content.items():
            inline = _inline(value)
            parts = value if isinstance(value, dict | list) else ()
            is_nested = isinstance(parts, dict) or any(isinstance(p, dict | list) for p in parts)
            if parts and (is_nested or len(inline) > MAX_INLINE):
                yield f"{yaml_scalar(key)}:"
                yield from (f"  {line}" for line in yaml_lines(value))
            else:
                yield f"{yaml_scalar(key)}: {inline}"
    elif isinstance(content, list) and content:
        for item in content:
            first, *rest = yaml_lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _inline(content)


def _inline(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return yaml_scalar(value)


def csv_text(cells: Iterable[str]) -> str:
    """Return a line of CSV without its end; `csv.writer` of Python 3.10 refuses NUL."""
    line = ",".join(
        '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
        for cell in cells
    )
    return line or '""'  # one empty cell: an empty line would be no row


def _escape(character: str) -> str:
    code_units = character.encode("utf-16-be", "surrogatepass").hex(" ", 2)
    return "\\u" + code_units.replace(" ", "\\u")
