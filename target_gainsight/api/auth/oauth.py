"""M2M OAuth: a client's id and secret are exchanged for tokens that end (Get Access Token API).

Decides which token a call shows and when there must be another one; knows nothing of HTTP. Tokens
are kept in memory only.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from target_gainsight.api.auth.headers import (
    AuthHeaders,
    HeaderProvider,
    basic_headers,
    bearer_headers,
    fits_header,
)
from target_gainsight.api.http.json_codec import Json, Record, as_mapping

if TYPE_CHECKING:
    from target_gainsight.api.auth.headers import AskForToken
    from target_gainsight.api.clock import Clock

TOKEN_PATH = "/v1/users/m2m/oauth/token"  # noqa: S105 - no token

_LONGEST_MARGIN = 60.0
_SHARE_OF_LIFE = 10


@dataclass(frozen=True)
class ClientCredentials:
    """A tenant's M2M OAuth key and its secret.

    Made in Administration > Connectors 2.0 as a connection of Gainsight API with authentication
    type OAuth (Generate REST API Key, "Generate M2M OAuth Key").

    Attributes:
        client_id: The "OAuth API Key".
        client_secret: The "OAuth API Secret".

    Raises:
        ValueError: they cannot be sent: one is empty, has blanks, line ends or characters outside
            ASCII, or the id has a colon. The message shows neither.
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

    def proofs(self, ask: AskForToken, clock: Clock) -> HeaderProvider:
        """TokenProvider, asked for when they are needed."""
        return TokenProvider(self, ask, clock)


@dataclass(eq=False)
class _Token:
    """One token.

    Attributes:
        proof: What calls show of it.
        renew_at: When it is replaced, whatever the tenant says to it.
        follows_refusal: Whether the one before it was refused, and none was taken since.
        was_accepted: Whether the tenant has taken a call with it.
        under_way: Calls that show it and are not over.
    """

    proof: AuthHeaders
    renew_at: float
    follows_refusal: bool
    was_accepted: bool = False
    under_way: int = 0

    @property
    def is_unwanted(self) -> bool:
        """Whether the refusal at hand is the last word on it: no other call may yet be taken."""
        return self.follows_refusal and not self.was_accepted and self.under_way <= 1


class TokenProvider:
    """The tokens of one client, one at a time, for any number of threads.

    A token is replaced shortly before it ends, and when the tenant refuses it. Whoever needs a new
    one while it is being asked for waits for it, and shares what becomes of it. A token that was
    asked for because of a refusal, and is itself refused to every call that showed it, is the
    last: the tenant does not want this client. One refusal among several calls under way does not
    say so: answers need not be has_responded in the order in which the calls were served.

    Args:
        credentials: Who asks.
        ask: Asks the tenant for a token.
        clock: Tells the time.

    Attributes:
        advice: What to do when no token is accepted.
    """

    advice = (
        "A token was granted for client_id and client_secret, but the tenant does not take it. "
        "Check that the domain is the tenant they belong to, and in Administration > Connectors "
        "2.0 that their connection is active"
    )

    def __init__(self, credentials: ClientCredentials, ask: AskForToken, clock: Clock) -> None:
        self._proof = basic_headers(credentials.client_id, credentials.client_secret)
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._current: _Token | None = None
        self._known: dict[int, _Token] = {}
        self._asking: Future[_Token] | None = None
        self._was_refused = False

    def current(self) -> AuthHeaders:
        """The token for a call that goes out now; asked for if need be.

        Raises:
            GainsightError: the tenant grants none.
        """
        with self._lock:
            token = self._current
            if token is not None and self._clock.now() < token.renew_at:
                return self._shown(token)
            asking, begun = self._asking, self._asking is not None
            if asking is None:
                asking = self._asking = Future()
        token = asking.result() if begun else self._renew(asking)
        with self._lock:
            return self._shown(token)

    def accepted(self, proof: AuthHeaders) -> None:
        """The tenant took a call with this token."""
        with self._lock:
            token = self._known.get(id(proof))
            if token is None:
                return
            token.was_accepted = True
            if token is self._current:
                self._was_refused = False

    def refused(self, proof: AuthHeaders) -> bool:
        """The tenant refused a call for its token; whether another one may do.

        That the token was refused says nothing when it has been replaced by one that was taken.
        """
        with self._lock:
            token, current = self._known.get(id(proof)), self._current
            replaced = current is not None and current is not token and current.was_accepted
            if token is None or replaced:
                return True
            if token.is_unwanted:
                return False
            if token is current:
                self._current = None
                self._was_refused = True
            return True

    def ended(self, proof: AuthHeaders) -> None:
        """A call with this token is over, whatever became of it."""
        with self._lock:
            token = self._known.get(id(proof))
            if token is None:
                return
            token.under_way -= 1
            if token.under_way <= 0 and token is not self._current:
                del self._known[id(proof)]

    def _shown(self, token: _Token) -> AuthHeaders:
        """Count one more call that shows a token."""
        token.under_way += 1
        self._known[id(token.proof)] = token
        return token.proof

    def _renew(self, asking: Future[_Token]) -> _Token:
        """Ask for a token on behalf of all who wait for it."""
        try:
            granted = self._ask(self._proof)
            proof = bearer_headers(str(granted["access_token"]))
            renew_at = self._clock.now() + _usable_seconds(granted.get("expires_in"))
        except BaseException as error:
            with self._lock:
                self._asking = None
            asking.set_exception(error)
            raise
        with self._lock:
            if self._current is not None and not self._current.under_way:
                self._known.pop(id(self._current.proof), None)
            token = self._current = _Token(proof, renew_at, self._was_refused)
            self._asking = None
        asking.set_result(token)
        return token


def parse_token(body: Record) -> Record | None:
    """What an answer grants: a token, plain or in the envelope of other answers.

    Args:
        body: The answer.

    Returns:
        The part of it that holds an `access_token` fit to be sent; None when it holds none.
    """
    for part in (body, as_mapping(body.get("data"))):
        token = part.get("access_token")
        if isinstance(token, str) and fits_header(token):
            return part
    return None


def _usable_seconds(expires_in: Json) -> float:
    """How long a token is used that lives for so many seconds: to its end where none is told."""
    life = _number(expires_in)
    if not 0 < life < math.inf:
        return math.inf
    return life - min(_LONGEST_MARGIN, life / _SHARE_OF_LIFE)


def _number(value: Json) -> float:
    """A number, written as one or as text; not a number when it is anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
