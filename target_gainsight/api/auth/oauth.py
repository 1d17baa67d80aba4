"""M2M OAuth: tokens for a client id and secret (Get Access Token API), kept in memory only."""

from __future__ import annotations

import math
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from target_gainsight.api.auth.headers import (
    AuthHeaders,
    fits_header,
)
from target_gainsight.api.clock import Clock
from target_gainsight.api.http.json_codec import Json, Record, as_mapping

_MAX_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.1

FetchToken: TypeAlias = Callable[[AuthHeaders], Record]
"""Requests a token with the client's own headers; the result holds an `access_token`."""


@dataclass(frozen=True)
class ClientCredentials:
    """A tenant's M2M OAuth key and its secret.

    Created in Administration > Connectors 2.0 as a connection of Gainsight API with authentication
    type OAuth (Generate REST API Key, "Generate M2M OAuth Key").

    `client_id` is the "OAuth API Key", `client_secret` the "OAuth API Secret".

    Raises:
        ValueError: One of them is empty or holds blanks, line ends or characters outside ASCII, or
            the id holds a colon. The message shows neither.
    """

    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        fits = fits_header(self.client_id) and fits_header(self.client_secret)
        if not fits or ":" in self.client_id:
            message = (
                "client_id or client_secret is empty or holds blanks, line ends or characters "
                "outside ASCII, or client_id holds a colon; copy them again from Gainsight"
            )
            raise ValueError(message)


@dataclass(frozen=True)
class TokenGrant:
    """How the tenant granted a token.

    `seconds` is its stated lifetime, None if it states none; `in_envelope` is true if the response
    has Gainsight's usual envelope.
    """

    seconds: float | None
    in_envelope: bool


class TokenProvider:
    """A `HeaderProvider` of the tokens of one client, one token at a time.

    A token is replaced shortly before it expires, and after a 401. Threads that need a token while
    it is being fetched wait for it, and share a failure to fetch it.
    """

    advice = (
        "A token was granted for client_id and client_secret, but the tenant does not accept it. "
        "Check that the domain is the tenant they belong to, and in Administration > Connectors "
        "2.0 that their connection is active"
    )

    def __init__(self, credentials: ClientCredentials, fetch: FetchToken, clock: Clock) -> None:
        secret = credentials.client_secret
        encoded = b64encode(f"{credentials.client_id}:{secret}".encode()).decode()
        self._basic = AuthHeaders({"Authorization": f"Basic {encoded}"}, (encoded, secret))
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._current: AuthHeaders | None = None
        self._renew_at = 0.0
        self._refused_in_a_row = 0
        self._failure: BaseException | None = None

    def current(self) -> AuthHeaders:
        """Return the current token, fetched if need be.

        Raises:
            GainsightError: The tenant grants none.
        """
        earlier_failure = self._failure
        with self._lock:
            if self._failure is not None and self._failure is not earlier_failure:
                raise self._failure
            if self._current is None or self._clock.now() >= self._renew_at:
                try:
                    granted = self._fetch(self._basic)
                except BaseException as error:
                    self._failure = error
                    raise
                token = str(granted["access_token"])
                self._current = AuthHeaders({"Authorization": f"Bearer {token}"}, (token,))
                self._renew_at = self._clock.now() + _usable_seconds(granted.get("expires_in"))
            return self._current

    def on_success(self, headers: AuthHeaders) -> None:
        """Note that the tenant accepted a token."""
        with self._lock:
            if headers is self._current:
                self._refused_in_a_row = 0

    def on_unauthorized(self, headers: AuthHeaders) -> bool:
        """Drop a token that the tenant refused.

        Returns:
            False if two tokens in a row were refused before the tenant accepted one.
        """
        with self._lock:
            if headers is self._current:
                self._current = None
                self._refused_in_a_row += 1
            return self._refused_in_a_row <= 1


def parse_token(body: Record) -> Record | None:
    """Return the part of a response with an `access_token` that a header can hold, or None."""
    for part in (body, as_mapping(body.get("data"))):
        token = part.get("access_token")
        if isinstance(token, str) and fits_header(token):
            return part
    return None


def token_lifetime(expires_in: Json) -> float | None:
    """Return a token's lifetime in seconds, given as a number or as text; None if it has none."""
    lifetime = math.nan
    if isinstance(expires_in, int | float | Decimal | str) and not isinstance(expires_in, bool):
        with suppress(ValueError, OverflowError):
            lifetime = float(expires_in)
    return lifetime if 0 < lifetime < math.inf else None


def _usable_seconds(expires_in: Json) -> float:
    """Return how many seconds to use a token that lives so many.

    There is a margin before it expires. Without a usable lifetime it is used until it is refused.
    """
    lifetime = token_lifetime(expires_in)
    if lifetime is None:
        return math.inf
    return lifetime - min(_MAX_MARGIN_SECONDS, lifetime * _MARGIN_SHARE)
