"""Escape foreign text for logs, tables, YAML, JSON and CSV.

Names, values and responses come from elsewhere: a line break in one would forge a line of the log,
and an escape sequence would rewrite the terminal.
"""

import json
import re
from collections.abc import Iterable, Iterator

import simplejson

_PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?: [A-Za-z0-9_-]+)*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def one_line(text: str) -> str:
    """Return the whole text on one line; what cannot be printed becomes a Python escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def printable_json(text: str) -> str:
    """Return JSON in which what cannot be printed is a JSON escape; its lines stay."""
    return "".join(
        each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text
    )


def yaml_scalar(value: object) -> str:
    """Return a JSON value as YAML on one line; text is quoted only if YAML would misread it."""
    is_text = isinstance(value, str) and value.lower() not in _YAML_WORDS
    if is_text and _PLAIN_YAML.fullmatch(str(value)):
        return str(value)
    text = simplejson.dumps(value, ensure_ascii=False, use_decimal=True, default=str)
    return one_line(str(text))  # Python's escapes are also YAML's; JSON's surrogate pairs are not.


def yaml_lines(content: object) -> Iterator[str]:
    """Yield JSON values as lines of YAML; a list of scalars is on one line, as in JSON."""
    if isinstance(content, dict) and content:
        for key, value in content.items():
            first, *rest = yaml_lines(value)
            if rest or (value and isinstance(value, dict)) or first.startswith("- "):
                yield f"{yaml_scalar(key)}:"
                yield from (f"  {line}" for line in (first, *rest))
            else:
                yield f"{yaml_scalar(key)}: {first}"
    elif isinstance(content, list) and any(isinstance(each, dict | list) for each in content):
        for item in content:
            first, *rest = yaml_lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    elif isinstance(content, list):
        yield f"[{', '.join(map(yaml_scalar, content))}]"
    else:
        yield yaml_scalar(content)


def csv_text(cells: Iterable[str]) -> str:
    """Return a line of CSV without its end; `csv.writer` of Python 3.10 refuses NUL."""
    line = ",".join(
        '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
        for cell in cells
    )
    return line or '""'  # one empty cell: an empty line would be no row
