"""Who we are to the tenant, and what each call shows of it. Keeps what is secret out of sight."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api.clock import Clock
    from target_gainsight.api.http.json_codec import Record

_HIDDEN = "***"


@dataclass(frozen=True)
class AuthHeaders:
    """What one call shows of who makes it.

    Attributes:
        headers: The headers that go with the call.
        secrets: The texts in them that nobody else may see.
    """

    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redact(self, text: str | None) -> str | None:
        """The text without what is secret: some gateways quote a header that they refuse."""
        for secret in self.secrets:
            text = text and text.replace(secret, _HIDDEN)
        return text


AskForToken: TypeAlias = Callable[[AuthHeaders], "Record"]
"""Asks the tenant for a token, as often as it takes; the answer holds an `access_token`."""


class HeaderProvider(Protocol):
    """What the calls of one client show, one after the other; asked by any number of threads.

    Attributes:
        advice: What to do when none of them is accepted.
    """

    advice: str

    def current(self) -> AuthHeaders:
        """The proof for a call that goes out now."""
        ...

    def accepted(self, proof: AuthHeaders) -> None:
        """The tenant took a call with this proof."""
        ...

    def refused(self, proof: AuthHeaders) -> bool:
        """The tenant refused a call for its proof; whether the call may be made with another."""
        ...

    def ended(self, proof: AuthHeaders) -> None:
        """A call with this proof is over, whatever became of it; said once for each `current`."""
        ...


class Authentication(Protocol):
    """A way of proving who calls."""

    def proofs(self, ask: AskForToken, clock: Clock) -> HeaderProvider:
        """The proofs for the calls of one client.

        Args:
            ask: Asks the tenant for a token.
            clock: Tells the time.
        """
        ...


class AccessKey:
    """A tenant's REST API key (Administration > Connectors 2.0, "Generate REST API Key").

    Raises:
        ValueError: the key cannot be sent in a header: it is empty or holds blanks, line ends
            or characters outside ASCII. The message does not show it.
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
        self._proof = AuthHeaders({"accesskey": key}, (key,))

    def proofs(self, ask: AskForToken, clock: Clock) -> HeaderProvider:
        """This key, whatever the tenant says to it."""
        del ask, clock
        return self

    def current(self) -> AuthHeaders:
        """The key in the header that Gainsight wants it in."""
        return self._proof

    def accepted(self, proof: AuthHeaders) -> None:
        """Nothing changes."""

    def refused(self, proof: AuthHeaders) -> bool:
        """There is no other key."""
        del proof
        return False

    def ended(self, proof: AuthHeaders) -> None:
        """Nothing changes."""

    def __repr__(self) -> str:
        return "AccessKey(***)"


def basic_headers(user: str, password: str) -> AuthHeaders:
    """A name and its secret, as HTTP's Basic authentication shows them."""
    encoded = b64encode(f"{user}:{password}".encode()).decode()
    return AuthHeaders({"Authorization": f"Basic {encoded}"}, (encoded, password))


def bearer_headers(token: str) -> AuthHeaders:
    """A token, as HTTP's Bearer authentication shows it."""
    return AuthHeaders({"Authorization": f"Bearer {token}"}, (token,))


def fits_header(text: str) -> bool:
    """Whether a text can be a credential in a header: visible ASCII and at least one of it."""
    return bool(text) and all("!" <= char <= "~" for char in text)
