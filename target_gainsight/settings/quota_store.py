"""The place where calls are counted, from the settings as they are given."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from target_gainsight.settings.errors import ConfigErrors

MEMORY = "memory"
SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
REDIS = ("redis", "rediss")
EXPECTED = (
    "memory, the path of a file on this machine, or redis://[user@]host[:port][/number] "
    "(rediss:// for TLS)"
)


def parse_quota_store(store: str, password: str | None, errors: ConfigErrors) -> Path | str | None:
    """Parse where calls are counted. The setting may hold a password, so it is never displayed."""
    store = store.strip()
    scheme = SCHEME.match(store)
    if scheme and scheme[1].lower() in REDIS:
        return _parse_redis(store, password or "", errors)
    if password:
        errors.add_message(
            "quota_store_password requires the URL of a Redis in quota_store. Remove it, or set "
            "quota_store to redis://host."
        )
    if store.lower() == MEMORY:
        return None
    if scheme:
        errors.add("quota_store", f"a value that begins with '{scheme[0]}'", EXPECTED)
    elif not store:
        errors.add("quota_store", "an empty value", EXPECTED)
    elif "\0" in store:
        errors.add("quota_store", "a path with a NUL character", EXPECTED)
    return Path(store)


def _parse_redis(url: str, password: str, errors: ConfigErrors) -> str:
    try:
        parts = urlsplit(url)
        readable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        readable = False
    if not readable or not re.fullmatch(r"(/\d*)?", parts.path) or parts.fragment:
        errors.add("quota_store", "a Redis URL that cannot be parsed", EXPECTED)
        return url
    if not password:
        return url
    if parts.password:
        errors.add_message(
            "quota_store_password cannot be combined with a password in the URL of quota_store: "
            "remove the one in the URL."
        )
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username or ''}:{quote(password, safe='')}@{host}"
    return parts._replace(netloc=netloc).geturl()
