"""The addresses of a run and its credential, from the settings as they are given."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.model import Connection
from target_gainsight.settings.setting import read_path

SANDBOX = "sandbox"
CREDENTIAL = ("access_key", "client_id", "client_secret")
EXPECTED_DOMAIN = "a host name such as mycompany.gainsightcloud.com, or sandbox"
EXPECTED_CREDENTIAL = (
    "either access_key (the tenant's REST API access key), or client_id and client_secret (M2M "
    "OAuth)"
)
EXPECTED_BASE_URL = "https://host[:port], or plain http to a loopback address only"
EXPECTED_STORE = (
    "memory, the path of a file on this machine, or redis://[user@]host[:port][/number] "
    "(rediss:// for TLS)"
)
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})+")


def parse_connection(given: Connection, errors: ConfigErrors) -> Connection:
    """Parse how to reach the tenant."""
    domain, url = (given.domain or "").lower(), given.base_url.rstrip("/")
    if not url and domain == SANDBOX:
        return Connection(sandbox_path=given.sandbox_path, sandbox_config=given.sandbox_config)
    _check_credential(given, errors)
    host = domain.removeprefix("https://").removesuffix("/")
    if url:
        parts = _split(url)
        if not _is_secure(parts) or "@" in url or parts.query or parts.fragment:
            errors.add("base_url", _without_password(url), EXPECTED_BASE_URL)
    elif host and not HOST_NAME.fullmatch(host):
        errors.add("domain", _without_password(given.domain or ""), EXPECTED_DOMAIN)
    elif not host and not errors.has("domain") and not errors.has("base_url"):
        errors.append(f"domain is missing: set it to {EXPECTED_DOMAIN}.")
    return replace(given, base_url=url or f"https://{host}", sandbox_path=None)


def _without_password(url: str) -> str:
    hides = "@" in url or "?" in url
    return "a value with a user name, a password or a query" if hides else display(url)


def parse_notify_url(url: str | None, errors: ConfigErrors) -> str | None:
    """Parse the URL of notifications; it is a secret and never displayed."""
    if url is None or _is_secure(_split(url)):
        return url
    errors.add("notify_url", "a hidden value", "a URL that begins with https://")
    return None


def _split(url: str) -> SplitResult:
    """Split a URL; one that cannot be read has no parts."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def _is_secure(parts: SplitResult) -> bool:
    """Return whether a URL has a host and is encrypted, or stays on this machine."""
    host = parts.hostname
    if not host or parts.scheme != "http":
        return bool(host) and parts.scheme == "https"
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_credential(given: Connection, errors: ConfigErrors) -> None:
    """Check that there is one credential, complete and well-formed. It is never displayed."""
    texts = {name: getattr(given, name) for name in CREDENTIAL}
    named = [name for name, text in texts.items() if text or errors.has(name)]
    if named not in (["access_key"], ["client_id", "client_secret"]):
        errors.add(", ".join(CREDENTIAL), " and ".join(named) or "none", EXPECTED_CREDENTIAL)
    errors.extend(
        f"{name} contains blanks, line breaks or other characters that a credential does not "
        "have: copy it as Gainsight shows it."
        for name in named
        if not all("!" <= char <= "~" for char in texts[name])
    )


def parse_quota_store(store: str, password: str, errors: ConfigErrors) -> Path | str | None:
    """Parse where calls are counted. The setting may hold a password, so it is never displayed."""
    parts = _split(store)
    if parts.scheme not in {"redis", "rediss"}:
        if password:
            errors.append("quota_store_password requires the URL of a Redis in quota_store.")
        if store.lower() == "memory":
            return None
        path = read_path(store)
        if path is None:
            errors.add("quota_store", "a hidden value", EXPECTED_STORE)
        return path
    if not parts.hostname or not re.fullmatch(r"(/\d*)?", parts.path) or parts.fragment:
        errors.add("quota_store", "a hidden value", EXPECTED_STORE)
    if not password:
        return store
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username or ''}:{quote(password, safe='')}@{host}"
    return parts._replace(netloc=netloc).geturl()
