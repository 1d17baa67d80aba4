"""The tenant's address and the credential, from the settings as they are given."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from target_gainsight.settings.errors import ConfigErrors, display
from target_gainsight.settings.model import Connection, Credential, KeyCredential, OAuthCredential

SANDBOX = "sandbox"
CREDENTIALS = ("access_key", "client_id", "client_secret")
EXPECTED_DOMAIN = "a host name such as mycompany.gainsightcloud.com, or sandbox"
EXPECTED_NOTIFY_URL = "a URL that begins with https://"
EXPECTED_BASE_URL = "https://host[:port], or plain http to a loopback address only"
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})+")
MAX_HOST_NAME = 253


def parse_connection(
    values: Mapping[str, Any], errors: ConfigErrors, *, invalid: frozenset[str]
) -> Connection:
    """Parse how to reach the tenant."""
    domain, base_url = values["domain"], values["base_url"]
    if base_url is None and domain is not None and domain.strip().lower() == SANDBOX:
        return Connection(
            base_url="",
            credential=KeyCredential(""),
            sandbox_path=values["sandbox_path"],
            sandbox_config=values["sandbox_config"],
        )
    credential = _parse_credential(values, errors, invalid)
    url = None
    if base_url is not None:
        url = _parse_base_url(base_url, errors)
    elif not invalid.intersection(("base_url", "domain")):
        url = _parse_domain(domain, errors)
    return Connection(base_url=url or "", credential=credential)


def _parse_domain(domain: str | None, errors: ConfigErrors) -> str | None:
    if domain is None:
        errors.add_message(f"domain is missing: set it to {EXPECTED_DOMAIN}.")
        return None
    if "@" in domain:
        errors.add("domain", "a value with a user name or password", EXPECTED_DOMAIN)
        return None
    host = domain.strip().lower().removeprefix("https://").removesuffix("/")
    if len(host) > MAX_HOST_NAME or not HOST_NAME.fullmatch(host):
        errors.add("domain", display(domain), EXPECTED_DOMAIN)
        return None
    return f"https://{host}"


def _parse_base_url(base_url: str, errors: ConfigErrors) -> str | None:
    url = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if "@" in url:
        errors.add("base_url", "a URL with a user name or password", EXPECTED_BASE_URL)
        return None
    if parts.query:
        errors.add("base_url", "a URL with a query", EXPECTED_BASE_URL)
        return None
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    if not host or not secure or parts.fragment or port == 0:
        errors.add("base_url", display(base_url), EXPECTED_BASE_URL)
        return None
    return url


def parse_notify_url(url: str | None, errors: ConfigErrors) -> str | None:
    """Parse the URL of notifications; it is a secret and never displayed."""
    if not url or not url.strip():
        return None
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    if host and port != 0 and secure:
        return url.strip()
    errors.add("notify_url", "a hidden value", EXPECTED_NOTIFY_URL)
    return None


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _parse_credential(
    values: Mapping[str, Any], errors: ConfigErrors, invalid: frozenset[str]
) -> Credential:
    """Parse the credential. Its values are never displayed."""
    texts = {name: (values[name] or "").strip() for name in CREDENTIALS}
    given = [name for name in CREDENTIALS if texts[name] or name in invalid]
    _check_combination(given, errors)
    for name in given:
        if not all("!" <= char <= "~" for char in texts[name]):
            errors.add_message(
                f"{name} contains blanks, line breaks or other characters that a credential does "
                "not have: copy it as Gainsight shows it."
            )
        elif name == "client_id" and ":" in texts[name]:
            errors.add_message("client_id contains a colon: copy it as Gainsight shows it.")
    if "client_id" in given:
        return OAuthCredential(texts["client_id"], texts["client_secret"])
    return KeyCredential(texts["access_key"])


def _check_combination(given: list[str], errors: ConfigErrors) -> None:
    """Check that there is exactly one credential, and that it is complete."""
    if not given:
        errors.add_message(
            "access_key is missing: set it to the tenant's REST API access key, or set client_id "
            "and client_secret for M2M OAuth."
        )
    elif "access_key" in given and len(given) > 1:
        errors.add_message(
            f"access_key cannot be combined with {' and '.join(given[1:])}: set either the access "
            "key, or client_id and client_secret for M2M OAuth."
        )
    elif given == ["client_id"]:
        errors.add_message("client_secret is missing: client_id is used together with it.")
    elif given == ["client_secret"]:
        errors.add_message("client_id is missing: client_secret is used together with it.")
