"""The kinds of values that settings take."""

import ast
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

SANDBOX = "sandbox"
MEMORY = "memory"
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})+")
BOOLEANS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_UNKNOWN_PLACEHOLDER = re.compile(r"\{(?!(run|stream)\})[^{}]*\}")


def read_path(text: str) -> Path | None:
    """Return the path of a file on this machine, or None if it is a URL or no path at all."""
    return None if "\0" in text or _URL.match(text) else Path(text)


def _read_integer(value: object) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _read_boolean(value: object) -> bool | None:
    if isinstance(value, str):
        return BOOLEANS.get(value.lower())
    return value if isinstance(value, bool) else None


def _read_names(value: object) -> tuple[str, ...] | None:
    """Read a list, or text: comma-separated, JSON, or a list as Meltano puts it into variables."""
    if isinstance(value, str):
        try:
            found = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
        value = found if isinstance(found, list) and found else value.split(",")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return None
    names = (name.strip() for name in value)
    return tuple(dict.fromkeys(name for name in names if name))


def read_object(value: object) -> dict[str, Any] | None:
    """Return an object, given as such or as JSON text, or None if it is something else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


TEXT_ONLY = ("string",)


class Kind(NamedTuple):
    """The type of a setting's value.

    The first JSON type is text, because Meltano Hub derives Meltano's kind of a setting from it:
    text reaches the target as it was given, while under the kinds integer, boolean and options
    Meltano changes a wrong value or fails with a traceback. Objects are the exception: Meltano
    assembles an object from its parts under the kind object only.

    Attributes:
        read: Parses a value, which is stripped text if the only JSON type is text; returns None
            if it is of another type.
        may_be_secret: Matches wrong values that an error must not show.
    """

    expected: str
    read: Callable[[Any], Any]
    json_types: tuple[str, ...] = TEXT_ONLY
    may_be_secret: re.Pattern[str] = re.compile("[@?]")


TEXT = Kind("text", str)
PATH = Kind("a path on this machine; URLs are not supported", read_path)
OUTPUT_PATH = Kind(
    "a path on this machine, with no placeholders but {run} and {stream}",
    lambda text: None if _UNKNOWN_PLACEHOLDER.search(text) else read_path(text),
)
INTEGER = Kind("a whole number", _read_integer, ("string", "integer"))
BOOLEAN = Kind("true or false", _read_boolean, ("string", "boolean"))
NAMES = Kind("a list of names or comma-separated text", _read_names, ("string", "array"))
OBJECT = Kind("an object", read_object, ("object",))
KINDS = {str: TEXT, Path: PATH, int: INTEGER, bool: BOOLEAN, tuple: NAMES, dict: OBJECT}


def split_url(url: str) -> SplitResult:
    """Split a URL; one that cannot be read has no parts."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def _read_domain(text: str) -> str | None:
    host = text.lower().removeprefix("https://").removesuffix("/")
    return host if host == SANDBOX or HOST_NAME.fullmatch(host) else None


def _read_secure_url(text: str) -> str | None:
    url = text.rstrip("/")
    parts = split_url(url)
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and LOOPBACK.fullmatch(host))
    return url if host and is_safe else None


def _read_base_url(text: str) -> str | None:
    return None if re.search(r"[@?#]", text) else _read_secure_url(text)


def _read_store(text: str) -> Path | str | None:
    parts = split_url(text)
    if parts.scheme not in {"redis", "rediss"}:
        return MEMORY if text.lower() == MEMORY else read_path(text)
    is_redis = parts.hostname and re.fullmatch(r"(/\d*)?", parts.path) and not parts.fragment
    return text if is_redis else None


_address = partial(Kind, may_be_secret=re.compile(r"[@?]|\w:(?!//[^/]|[0-9]{1,5}(/|$))"))
"""A colon that neither ends the scheme nor precedes a port may precede a password."""

DOMAIN = _address("a host name such as mycompany.gainsightcloud.com, or sandbox", _read_domain)
BASE_URL = _address("https://host[:port], or plain http to a loopback address only", _read_base_url)
SECURE_URL = Kind("a URL that begins with https://", _read_secure_url)
CREDENTIAL = Kind(
    "text as Gainsight shows it, without blanks or line breaks",
    lambda text: text if all("!" <= char <= "~" for char in text) else None,
    may_be_secret=re.compile(""),
)
STORE = Kind(
    "memory, the path of a file on this machine, or redis://[user@]host[:port][/number] "
    "(rediss:// for TLS)",
    _read_store,
)
