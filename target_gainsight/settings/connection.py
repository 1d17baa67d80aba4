"""Where the tenant is: its domain or base URL, or the sandbox, as they are given."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from target_gainsight.settings.credential import CREDENTIAL_SETTINGS, parse_credential
from target_gainsight.settings.errors import shown
from target_gainsight.settings.model import Connection, KeyCredential

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.settings.errors import Mistakes

CONNECTION_SETTINGS = (
    "domain",
    "base_url",
    *CREDENTIAL_SETTINGS,
    "sandbox_path",
    "sandbox_config",
)

SANDBOX = "sandbox"
RIGHT_DOMAIN = "a host name such as mycompany.gainsightcloud.com, or sandbox"
RIGHT_BASE_URL = "https://host[:port], or plain http to a loopback address only"
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})+")
LONGEST_HOST_NAME = 253


def parse_connection(
    given: Mapping[str, Any], mistakes: Mistakes, *, wrong: frozenset[str]
) -> Connection:
    """Read how to reach the tenant.

    Args:
        given: ``CONNECTION_SETTINGS``; None for what is not given.
        mistakes: Takes the mistakes.
        wrong: Names of the settings that were given but cannot be read: not called missing.

    Returns:
        The connection; meaningless when there were mistakes.
    """
    base_url = given["base_url"]
    if base_url is None and _is_sandbox(given["domain"]):
        config = given["sandbox_config"]
        return Connection(
            base_url="",
            credential=KeyCredential(""),
            sandbox_path=Path(given["sandbox_path"]),
            sandbox_config=Path(config) if config else None,
        )
    credential = parse_credential(given, mistakes, wrong=wrong)
    url = _base_url(base_url, mistakes) if base_url is not None else None
    if base_url is None and not wrong.intersection(("base_url", "domain")):
        url = _domain_url(given["domain"], mistakes)
    return Connection(base_url=url or "", credential=credential)


def _is_sandbox(domain: str | None) -> bool:
    return domain is not None and domain.strip().lower() == SANDBOX


def _domain_url(domain: str | None, mistakes: Mistakes) -> str | None:
    if domain is None:
        mistakes.add("domain", "nothing", RIGHT_DOMAIN)
        return None
    if "@" in domain:
        mistakes.add("domain", "something with a user name or password in it", RIGHT_DOMAIN)
        return None
    host = domain.strip().lower().removeprefix("https://").removesuffix("/")
    if len(host) > LONGEST_HOST_NAME or not HOST_NAME.fullmatch(host):
        mistakes.add("domain", shown(domain), RIGHT_DOMAIN)
        return None
    return f"https://{host}"


def _base_url(base_url: str, mistakes: Mistakes) -> str | None:
    url = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if "@" in url:
        mistakes.add("base_url", "a URL with a user name or password in it", RIGHT_BASE_URL)
        return None
    if parts.query:
        mistakes.add("base_url", "a URL with a query", RIGHT_BASE_URL)
        return None
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    if not host or not secure or parts.fragment or port == 0:
        mistakes.add("base_url", shown(base_url), RIGHT_BASE_URL)
        return None
    return url


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
