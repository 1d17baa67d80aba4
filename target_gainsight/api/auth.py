"""Authentication by an access key, or by M2M OAuth tokens, which are kept in memory only."""

import math
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import requests

from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import CredentialError, NotFoundError, RefusedError
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import Record, as_mapping
from target_gainsight.api.http.responses import Response

TOKEN_CALL = Call(
    "POST",
    "/v1/users/m2m/oauth/token",
    kind="token",
    group=None,
    body=lambda: b"grant_type=client_credentials",
    media_type="application/x-www-form-urlencoded",
)
"""Get Access Token API."""
_BODILESS_TOKEN_CALL = replace(TOKEN_CALL, body=lambda: b"", media_type="application/json")
"""The form that the only client we have observed uses: JSON, with an empty body."""
_FORM_REFUSED = frozenset({400, 406, 411, 415})
"""Statuses that may mean that the form of the token request is wrong."""
_UNSENDABLE = "is empty or holds a character that cannot be sent; copy it again from Gainsight"


@dataclass(frozen=True)
class AuthHeader:
    """The header that authenticates a call. The last word of its value is secret."""

    name: str
    value: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header on an outgoing request; requests then ignores `.netrc`."""
        request.headers[self.name] = self.value
        return request

    def redact(self, text: str | None) -> str | None:
        """Return the text without the secret; some gateways quote a header that they refuse."""
        return text and text.replace(self.value.split(" ")[-1], "***")


class AccessKey:
    """A tenant's REST API key (Administration > Connectors 2.0, "Generate REST API Key")."""

    advice = (
        "Check that access_key is the tenant's current key (generating a new one ends the old "
        "one) and that the domain is the tenant it belongs to"
    )

    def __init__(self, key: str) -> None:
        if not _fits_header(key):
            message = f"the access key {_UNSENDABLE}"
            raise ValueError(message)
        self._header = AuthHeader("accesskey", key)

    def current(self) -> AuthHeader:
        """Return the key in Gainsight's own header."""
        return self._header


@dataclass(frozen=True)
class ClientCredentials:
    """A tenant's "OAuth API Key" and "OAuth API Secret"; ValueErrors do not show them."""

    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        fits = _fits_header(self.client_id) and _fits_header(self.client_secret)
        if not fits or ":" in self.client_id:
            message = f"client_id or client_secret {_UNSENDABLE}"
            raise ValueError(message)


class Tokens:
    """The tokens of one client, one at a time. Threads wait for one fetch and share its failure."""

    advice = (
        "Check client_id and client_secret (the OAuth API Key and OAuth API Secret of an active "
        "connection of Gainsight API, authentication type OAuth, which a super administrator "
        "makes in Administration > Connectors 2.0), and that the domain is their tenant"
    )

    def __init__(
        self,
        credentials: ClientCredentials,
        send: Callable[[Call, AuthHeader], Response],
        clock: Clock,
    ) -> None:
        pair = f"{credentials.client_id}:{credentials.client_secret}"
        self._basic = AuthHeader("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
        self._send = send
        self._call = TOKEN_CALL
        self._clock = clock
        self._lock = threading.Lock()
        self._current: AuthHeader | None = None
        self._renew_at = math.inf
        self._failure: BaseException | None = None

    def current(self) -> AuthHeader:
        """Return the header with the current token, fetched if need be."""
        earlier_failure = self._failure
        with self._lock:
            if self._failure is not None and self._failure is not earlier_failure:
                raise self._failure
            if self._current is None or self._clock.now() >= self._renew_at:
                try:
                    token, seconds = self._fetch()
                except BaseException as error:
                    self._failure = error
                    raise
                self._current = AuthHeader("Authorization", f"Bearer {token}")
                self._renew_at = self._clock.now() + seconds - min(60, seconds / 10)
            return self._current

    def drop(self, refused: AuthHeader) -> None:
        """Drop a token that the tenant refused: another may be accepted."""
        with self._lock:
            if refused is self._current:
                self._current = None

    def _fetch(self) -> tuple[str, float]:
        """Request a token, without a body if the documented form is refused."""
        message = f"Gainsight grants no token. {self.advice}"
        failure = CredentialError(message, method=self._call.method, path=self._call.path)
        try:
            if grant := parse_token(self._send(self._call, self._basic).body):
                return grant
        except (CredentialError, RefusedError, NotFoundError) as error:
            if error.status in _FORM_REFUSED and self._call is TOKEN_CALL:
                self._call = _BODILESS_TOKEN_CALL
                return self._fetch()
            failure.with_call_of(error)
        raise failure


def parse_token(body: Record) -> tuple[str, float] | None:
    """Return a token that a header can carry, and its lifetime in seconds (RFC 6749, 5)."""
    for part in (body, as_mapping(body.get("data"))):
        token = part.get("access_token")
        if isinstance(token, str) and _fits_header(token):
            seconds = math.nan
            with suppress(ValueError):
                seconds = float(str(part.get("expires_in")))
            return token, seconds if 0 < seconds < math.inf else math.inf
    return None


def _fits_header(text: str) -> bool:
    return bool(text) and all("!" <= char <= "~" for char in text)
