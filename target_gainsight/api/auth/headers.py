"""Authentication headers; secrets are redacted from errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class AuthHeaders:
    """The headers that authenticate a call, and the secrets in them."""

    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redact(self, text: str | None) -> str | None:
        """Return the text without the secrets; some gateways quote a header that they refuse."""
        for secret in self.secrets:
            text = text and text.replace(secret, "***")
        return text


class HeaderProvider(Protocol):
    """The headers for the calls of one client, for any number of threads.

    `advice` is for the user, if none of them is accepted.
    """

    advice: str

    def current(self) -> AuthHeaders:
        """Return the headers for a call that is sent now."""
        ...

    def on_success(self, headers: AuthHeaders) -> None:
        """Note that the tenant accepted these headers."""
        ...

    def on_unauthorized(self, headers: AuthHeaders) -> bool:
        """Note that the tenant refused these headers; return whether others may be accepted."""
        ...


class AccessKey:
    """A tenant's REST API key (Administration > Connectors 2.0, "Generate REST API Key").

    Raises:
        ValueError: The key is empty or holds blanks, line ends or characters outside ASCII, which
            no header can carry. The message does not show it.
    """

    advice = (
        "Check that access_key is the tenant's current key (generating a new one ends the old "
        "one) and that the domain is the tenant it belongs to"
    )

    def __init__(self, key: str) -> None:
        if not fits_header(key):
            message = (
                "the access key is empty or holds blanks, line ends or characters outside ASCII; "
                "copy it again from Gainsight"
            )
            raise ValueError(message)
        self._headers = AuthHeaders({"accesskey": key}, (key,))

    def current(self) -> AuthHeaders:
        """Return the key in Gainsight's own header."""
        return self._headers

    def on_success(self, headers: AuthHeaders) -> None:
        """Do nothing."""

    def on_unauthorized(self, headers: AuthHeaders) -> bool:
        """Return False: there is no other key."""
        del headers
        return False

    def __repr__(self) -> str:
        return "AccessKey(***)"


def fits_header(text: str) -> bool:
    """Return whether a text can be a credential in a header: visible ASCII, and not empty."""
    return bool(text) and all("!" <= char <= "~" for char in text)
