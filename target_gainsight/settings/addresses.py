"""The kinds of settings that hold an address or a credential."""

import re
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from target_gainsight.settings.setting import Kind, read_path

SANDBOX = "sandbox"
MEMORY = "memory"
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})+")


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
    """Read a URL that has a host and is encrypted, or stays on this machine."""
    url = text.rstrip("/")
    parts = split_url(url)
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and LOOPBACK.fullmatch(host))
    return url if host and is_safe else None


def _read_base_url(text: str) -> str | None:
    return None if re.search(r"[@?#]", text) else _read_secure_url(text)


def _read_credential(text: str) -> str | None:
    return text if all("!" <= char <= "~" for char in text) else None


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
    _read_credential,
    may_be_secret=re.compile(""),
)
STORE = Kind(
    "memory, the path of a file on this machine, or redis://[user@]host[:port][/number] "
    "(rediss:// for TLS)",
    _read_store,
)
