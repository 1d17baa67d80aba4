"""The addresses of a run and its credential, from the settings as they are given."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.model import Connection

SANDBOX = "sandbox"
CREDENTIAL = ("access_key", "client_id", "client_secret")
EXPECTED_DOMAIN = "a host name such as mycompany.gainsightcloud.com, or sandbox"
EXPECTED_BASE_URL = "https://host[:port], or plain http to a loopback address only"
EXPECTED_STORE = (
    "memory, the path of a file on this machine, or redis://[user@]host[:port][/number] "
    "(rediss:// for TLS)"
)
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})+")
MAX_HOST_NAME = 253
SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


def parse_connection(
    given: Connection, errors: ConfigErrors, *, invalid: frozenset[str]
) -> Connection:
    """Parse how to reach the tenant.

    Args:
        given: The settings as they were given.
        errors: Receives the errors.
        invalid: The names of settings that were given and could not be read.
    """
    domain, base_url = given.domain, given.base_url
    if not base_url and domain is not None and domain.strip().lower() == SANDBOX:
        return Connection(sandbox_path=given.sandbox_path, sandbox_config=given.sandbox_config)
    credential = {name: getattr(given, name).strip() for name in CREDENTIAL}
    _check_credential(credential, errors, invalid)
    if base_url:
        base_url = _parse_base_url(base_url, errors)
    elif not invalid.intersection(("base_url", "domain")):
        base_url = _parse_domain(domain, errors)
    return replace(given, base_url=base_url, sandbox_path=None, **credential)


def _parse_domain(domain: str | None, errors: ConfigErrors) -> str:
    if domain is None:
        errors.append(f"domain is missing: set it to {EXPECTED_DOMAIN}.")
        return ""
    host = domain.strip().lower().removeprefix("https://").removesuffix("/")
    if "@" in domain:
        errors.add("domain", "a value with a user name or password", EXPECTED_DOMAIN)
    elif len(host) > MAX_HOST_NAME or not HOST_NAME.fullmatch(host):
        errors.add("domain", display(domain), EXPECTED_DOMAIN)
    return f"https://{host}"


def _parse_base_url(base_url: str, errors: ConfigErrors) -> str:
    url = base_url.strip().rstrip("/")
    parts = _split(url)
    if "@" in url:
        errors.add("base_url", "a URL with a user name or password", EXPECTED_BASE_URL)
    elif parts.query:
        errors.add("base_url", "a URL with a query", EXPECTED_BASE_URL)
    elif not _is_secure(parts) or parts.fragment:
        errors.add("base_url", display(base_url), EXPECTED_BASE_URL)
    return url


def parse_notify_url(url: str | None, errors: ConfigErrors) -> str | None:
    """Parse the URL of notifications; it is a secret and never displayed."""
    url = (url or "").strip()
    if not url or _is_secure(_split(url)):
        return url or None
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


def _check_credential(
    texts: Mapping[str, str], errors: ConfigErrors, invalid: frozenset[str]
) -> None:
    """Check that there is one credential, complete and well-formed. It is never displayed."""
    given = [name for name, text in texts.items() if text or name in invalid]
    if not given:
        errors.append(
            "access_key is missing: set it to the tenant's REST API access key, or set client_id "
            "and client_secret for M2M OAuth."
        )
    elif "access_key" in given and len(given) > 1:
        errors.append(
            f"access_key cannot be combined with {' and '.join(given[1:])}: set either the access "
            "key, or client_id and client_secret for M2M OAuth."
        )
    elif given == ["client_id"]:
        errors.append("client_secret is missing: client_id is used together with it.")
    elif given == ["client_secret"]:
        errors.append("client_id is missing: client_secret is used together with it.")
    for name in given:
        if not all("!" <= char <= "~" for char in texts[name]):
            errors.append(
                f"{name} contains blanks, line breaks or other characters that a credential does "
                "not have: copy it as Gainsight shows it."
            )
        elif name == "client_id" and ":" in texts[name]:
            errors.append("client_id contains a colon: copy it as Gainsight shows it.")


def parse_quota_store(store: str, password: str | None, errors: ConfigErrors) -> Path | str | None:
    """Parse where calls are counted. The setting may hold a password, so it is never displayed."""
    store = store.strip()
    scheme = SCHEME.match(store)
    if scheme and scheme[1].lower() in {"redis", "rediss"}:
        return _parse_redis(store, password or "", errors)
    if password:
        errors.append(
            "quota_store_password requires the URL of a Redis in quota_store. Remove it, or set "
            "quota_store to redis://host."
        )
    if store.lower() == "memory":
        return None
    if scheme:
        errors.add("quota_store", f"a value that begins with '{scheme[0]}'", EXPECTED_STORE)
    elif not store:
        errors.add("quota_store", "an empty value", EXPECTED_STORE)
    elif "\0" in store:
        errors.add("quota_store", "a path with a NUL character", EXPECTED_STORE)
    return Path(store)


def _parse_redis(url: str, password: str, errors: ConfigErrors) -> str:
    parts = _split(url)
    if not parts.hostname or not re.fullmatch(r"(/\d*)?", parts.path) or parts.fragment:
        errors.add("quota_store", "a Redis URL that cannot be parsed", EXPECTED_STORE)
        return url
    if not password:
        return url
    if parts.password:
        errors.append(
            "quota_store_password cannot be combined with a password in the URL of quota_store: "
            "remove the one in the URL."
        )
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username or ''}:{quote(password, safe='')}@{host}"
    return parts._replace(netloc=netloc).geturl()
