"""Who we are to the tenant. Knows which headers say so, and keeps the secret out of sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Authentication(Protocol):
    """A way of proving who calls."""

    def headers(self) -> Mapping[str, str]:
        """The headers that go with every call."""
        ...


class AccessKey:
    """A tenant's REST API key (Administration > Connectors 2.0, "Generate REST API Key").

    Raises:
        ValueError: the key cannot be sent in a header: it is empty or holds blanks, line ends
            or characters outside ASCII. The message does not show it.
    """

    def __init__(self, key: str) -> None:
        if not key or any(not "!" <= char <= "~" for char in key):
            message = (
                "the access key is empty or holds blanks, line ends or characters outside ASCII; "
                "copy it again from Gainsight"
            )
            raise ValueError(message)
        self._key = key

    def headers(self) -> Mapping[str, str]:
        """The header that Gainsight wants it in."""
        return {"accesskey": self._key}

    def __repr__(self) -> str:
        return "AccessKey(***)"
