"""Who may call the tenant: with its access key, or with a token of its M2M OAuth client.

Section 1 of the record. Access keys do not end, tokens do.
"""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from target_gainsight.sandbox.answers import GENERIC, WRONG_HEADERS, Answer, Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_gainsight.sandbox.answers import Incoming
    from target_gainsight.sandbox.config.config import TenantConfig
    from target_gainsight.sandbox.storage.store import Store
    from target_gainsight.sandbox.tenant import Tenant

_GRANT = "client_credentials"


@dataclass
class _Granted:
    ends_at: float
    calls_left: int | None


class GrantedTokens:
    """The tokens that have been granted and have not ended; kept in memory.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[str, _Granted] = {}
        self._lock = Lock()

    def grant(self, seconds: float, calls: int) -> str:
        """A new token, which ends after so many seconds and, unless 0, so many calls."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._tokens = {
                known: granted for known, granted in self._tokens.items() if granted.ends_at > now
            }
            self._tokens[token] = _Granted(now + seconds, calls or None)
        return token

    def use(self, token: str) -> bool:
        """Make a call with a token; whether it may be made."""
        with self._lock:
            granted = self._tokens.get(token)
            if granted is None or granted.ends_at <= self._clock() or granted.calls_left == 0:
                self._tokens.pop(token, None)
                return False
            if granted.calls_left is not None:
                granted.calls_left -= 1
            return True

    def end_all(self) -> None:
        """End every token, as an administrator does who revokes a client."""
        with self._lock:
            self._tokens.clear()


def with_client(config: TenantConfig, store: Store) -> TenantConfig:
    """The tenant with an M2M OAuth client: the described one, or one made once for its file."""
    made = {
        "client_id": f"sandbox-{secrets.token_hex(8)}",
        "client_secret": secrets.token_urlsafe(32),
    }
    store.execute_many('INSERT OR IGNORE INTO "_client" VALUES (?, ?)', list(made.items()))
    kept = dict(store.rows('SELECT name, value FROM "_client"'))
    return replace(
        config,
        client_id=config.client_id or kept["client_id"],
        client_secret=config.client_secret or kept["client_secret"],
    )


def check_credential(tenant: Tenant, headers: Mapping[str, str]) -> None:
    """See that a call carries the access key or a token, and not both.

    Raises:
        Refusal: it carries neither, both, or one that is not valid.
    """
    key, authorization = headers.get("accesskey"), headers.get("authorization")
    if key is not None and authorization is not None:
        raise refuse(WRONG_HEADERS, "Send either accesskey or Authorization, not both")
    token = _after("bearer", authorization)
    if not (tenant.tokens.use(token) if token else key == tenant.config.access_key):
        raise Refusal(_unauthorized())


def grant_token(tenant: Tenant, call: Incoming) -> Answer:
    """POST /v1/users/m2m/oauth/token: a token for the client that the Basic header names.

    The form `grant_type=client_credentials` may be left out, as some working clients do [O].
    """
    _check_token_request(tenant, call)
    form = call.body if isinstance(call.body, Mapping) else {}
    if form.get("grant_type", _GRANT) != _GRANT:
        raise refuse(GENERIC, f"grant_type must be {_GRANT}")
    config, switches = tenant.config, tenant.switches
    if _basic(call.headers.get("authorization")) != (config.client_id, config.client_secret):
        raise Refusal(_refused_client(tenant))
    granted: dict[str, object] = {
        "access_token": tenant.tokens.grant(switches.token_seconds, switches.token_calls),
        "token_type": "Bearer",
        "expires_in": int(switches.token_seconds),
    }
    return Answer(data=granted) if switches.token_in_envelope else Answer(plain=granted)


def _check_token_request(tenant: Tenant, call: Incoming) -> None:
    """Refuse the form, or its absence, as the switch says [I]."""
    accepted, _, status = tenant.switches.token_request.partition("_")
    if accepted == "form" and not call.body:
        raise refuse(GENERIC, "grant_type is missing")
    media_type = call.headers.get("content-type", "")
    if accepted == "bodiless" and (call.body or media_type != "application/json"):
        raise refuse(GENERIC, "The request must be JSON without a body", status=int(status))


def _refused_client(tenant: Tenant) -> Answer:
    """Why a client gets no token: as the gateway refuses a key, or as RFC 6749 (5.2) has it [I]."""
    if tenant.switches.client_refusal == "gateway":
        return _unauthorized()
    said = {"error": "invalid_client", "error_description": "Client authentication failed"}
    return Answer(401, code="invalid_client", plain=said)


def _unauthorized() -> Answer:
    return Answer(401, code="GS_APIG_2401", description="Unauthorized", with_data=False)


def _after(scheme: str, authorization: str | None) -> str:
    """What an Authorization header carries in this scheme."""
    given, _, carried = (authorization or "").partition(" ")
    return carried.strip() if given.lower() == scheme else ""


def _basic(authorization: str | None) -> tuple[str, str]:
    """The name and the secret of a Basic header; two empty ones when it cannot be read."""
    try:
        text = b64decode(_after("basic", authorization), validate=True).decode()
    except ValueError:
        return "", ""
    name, _, secret = text.partition(":")
    return name, secret
