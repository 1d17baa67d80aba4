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

from target_gainsight.api.auth import Proof, Proofs, basic_proof, bearer_proof, fits_header
from target_gainsight.api.wire import Json, Record, as_mapping

if TYPE_CHECKING:
    from target_gainsight.api.auth import AskForToken
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

    def proofs(self, ask: AskForToken, clock: Clock) -> Proofs:
        """Tokens, asked for when they are needed."""
        return Tokens(self, ask, clock)


class Tokens:
    """The tokens of one client, one at a time, for any number of threads.

    A token is replaced shortly before it ends, and when the tenant refuses it. Whoever needs a new
    one while it is being asked for waits for it, and shares what becomes of it. A token that was
    asked for because of a refusal, and is itself refused before any call was taken with it, is the
    last: the tenant does not want this client.

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
        self._proof = basic_proof(credentials.client_id, credentials.client_secret)
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._current: Proof | None = None
        self._renew_at = math.inf
        self._asking: Future[Proof] | None = None
        self._was_accepted = False
        self._follows_refusal = False

    def current(self) -> Proof:
        """The token for a call that goes out now; asked for if need be.

        Raises:
            GainsightError: the tenant grants none.
        """
        with self._lock:
            if self._current is not None and self._clock.now() < self._renew_at:
                return self._current
            asking, begun = self._asking, self._asking is not None
            if asking is None:
                asking = self._asking = Future()
        return asking.result() if begun else self._renew(asking)

    def accepted(self, proof: Proof) -> None:
        """The tenant took a call with this token."""
        with self._lock:
            if proof is self._current:
                self._was_accepted = True
                self._follows_refusal = False

    def refused(self, proof: Proof) -> bool:
        """The tenant refused a call for its token; whether another one may do.

        That the token was refused says nothing when it has been replaced since: it is known.
        """
        with self._lock:
            if proof is not self._current:
                return True
            if self._follows_refusal and not self._was_accepted:
                return False
            self._current = None
            self._follows_refusal = True
            return True

    def _renew(self, asking: Future[Proof]) -> Proof:
        """Ask for a token on behalf of all who wait for it."""
        try:
            granted = self._ask(self._proof)
            proof = bearer_proof(str(granted["access_token"]))
            renew_at = self._clock.now() + _usable_seconds(granted.get("expires_in"))
        except BaseException as error:
            with self._lock:
                self._asking = None
            asking.set_exception(error)
            raise
        with self._lock:
            self._current, self._renew_at = proof, renew_at
            self._was_accepted = False
            self._asking = None
        asking.set_result(proof)
        return proof


def grant_in(body: Record) -> Record | None:
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
