"""Where calls are counted, as it is given. A password in it is never shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from target_gainsight.settings.errors import Mistakes

MEMORY = "memory"
SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
REDIS = ("redis", "rediss")
RIGHT = (
    "memory, the path of a file on this machine, or redis://[user:password@]host[:port][/number] "
    "(rediss:// with TLS)"
)


def parse_quota_store(given: str, mistakes: Mistakes) -> Path | str | None:
    """Read where calls are counted.

    Args:
        given: The setting.
        mistakes: Takes the mistakes.

    Returns:
        None for this process alone, the path of a SQLite file, or the URL of a Redis;
        meaningless when there were mistakes.
    """
    store = given.strip()
    if store.lower() == MEMORY:
        return None
    scheme = SCHEME.match(store)
    if scheme and scheme[1].lower() in REDIS:
        _check_redis(store, mistakes)
        return store
    if scheme:
        mistakes.add("quota_store", f"something that begins with '{scheme[0]}'", RIGHT)
    elif not store:
        mistakes.add("quota_store", "nothing", RIGHT)
    elif "\0" in store:
        mistakes.add("quota_store", "a path with a NUL character", RIGHT)
    return Path(store)


def _check_redis(url: str, mistakes: Mistakes) -> None:
    try:
        parts = urlsplit(url)
        readable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        readable = False
    if not readable or not re.fullmatch(r"(/\d*)?", parts.path) or parts.fragment:
        mistakes.add("quota_store", "a Redis URL that cannot be read", RIGHT)
