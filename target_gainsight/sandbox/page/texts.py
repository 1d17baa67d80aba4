"""Formats foreign text for the page: every character is visible, secrets are masked.

HTML is escaped by the templates.
"""

import re
import unicodedata
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_HIDDEN = "•••"
_HIDDEN_NAMES = (
    r"access[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|client[_-]?secret"
    r"|authorization|api[_-]?key|password|secret|token"
)
# A body that is cut short may end inside the value.
_JSON_SECRET = re.compile(
    rf'("(?:{_HIDDEN_NAMES})"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s,}}\]"]+)', re.IGNORECASE
)
_FORM_SECRET = re.compile(rf"(?<![\w-])((?:{_HIDDEN_NAMES})=)[^&\s\"]+", re.IGNORECASE)
_CREDENTIALS = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/-]{12,}=*", re.IGNORECASE)
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)|[\[{]\s*[\]}]|[\[\]{},:]|\s+', re.DOTALL)
_DEEPEST_INDENT = 16
_KEPT_WHITESPACE = frozenset("\n\t")
# What a browser would not draw, or would draw elsewhere: controls, bidirectional overrides,
# line separators, lone surrogates, code points without a meaning.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_JOINER = "\u200d"


def escaped(text: str) -> str:
    """The text with an escape, such as `U+202E` in Python's form, for every unseen character."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if _shows(each) else _escape(each) for each in text)


def _shows(character: str) -> bool:
    kept = character in _KEPT_WHITESPACE or character == _JOINER
    return kept or unicodedata.category(character) not in _UNSEEN


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the last code of two digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def redacted(text: str, *secrets: str) -> str:
    """The text without the values of fields that are named like secrets.

    Args:
        text: a path or a body: JSON, whole or cut short, or a form.
        secrets: values that are hidden wherever they stand.
    """
    text = _JSON_SECRET.sub(rf'\1"{_HIDDEN}"', text)
    text = _FORM_SECRET.sub(rf"\1{_HIDDEN}", text)
    text = _CREDENTIALS.sub(rf"\1 {_HIDDEN}", text)
    for each in filter(None, secrets):
        text = text.replace(each, _HIDDEN)
    return text


def indented(body: str) -> str:
    """JSON with a line to each value, whole or cut short: only its whitespace changes."""
    if not body.lstrip().startswith(("{", "[")):
        return body
    parts: list[str] = []
    depth = position = 0
    for found in _JSON_PART.finditer(body):
        parts.append(body[position : found.start()])
        position = found.end()
        part = found.group()
        if part in "[{":
            depth += 1
        elif part in "]}":
            depth -= 1
        parts.append(_laid_out(part, depth))
    return "".join([*parts, body[position:]])


def _laid_out(part: str, depth: int) -> str:
    line = "\n" + "  " * max(0, min(depth, _DEEPEST_INDENT))
    if part.isspace():
        return ""
    if part in "[{,":
        return part + line
    if part in "]}":
        return line + part
    return ": " if part == ":" else part


def format_time(seconds: float) -> str:
    """Format seconds since the epoch as `2026-02-01 10:00:00.250`, in UTC."""
    when = _EPOCH + timedelta(seconds=seconds)
    return when.replace(tzinfo=None).isoformat(" ", timespec="milliseconds")


def clock_time(seconds: float, *, exact: bool) -> str:
    """Format seconds since the epoch as `10:00`, or `10:00:00` where that is not `exact` enough."""
    when = _EPOCH + timedelta(seconds=seconds)
    return when.strftime("%H:%M:%S" if exact else "%H:%M")


def duration(seconds: float) -> str:
    """A stretch of time in words: minute, hour, day, or a number of seconds."""
    named = {60.0: "minute", 3600.0: "hour", 86_400.0: "day"}
    return named.get(seconds, f"{seconds:g} seconds")
