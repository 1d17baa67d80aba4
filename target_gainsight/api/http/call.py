"""A call as it is sent, and the event that reports an attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from target_gainsight.api.errors import CallContext
from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.http.request_body import Content
from target_gainsight.api.rate_limits.groups import RateLimitGroup

Outcome: TypeAlias = Literal["succeeded", "refused", "throttled", "failed"]


@dataclass(frozen=True)
class CallEvent:
    """One attempt of one call, numbered from 1. `kind` is the purpose of the call.

    A token request has no `group`, and an attempt without a response no `status`. The attempt was
    `sent_at` a time in epoch seconds and took `seconds` until the response; it `waited` before,
    for a permit or after a failure.
    """

    kind: str
    group: RateLimitGroup | None
    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    outcome: Outcome
    waited: float
    sent_at: float


Observer: TypeAlias = Callable[[CallEvent], None]


@dataclass(frozen=True)
class Call:
    """A call as it is sent; `HttpClient.call` describes its attributes.

    A `group` of None marks a token request, which needs no permit.
    """

    kind: str
    method: str
    path: str
    query: str = ""
    content: Content | None = None
    repeatable: bool = True
    expects: Callable[[Json], bool] | None = None
    group: RateLimitGroup | None = None
    max_seconds: float | None = None
    server_error_tries: int | None = None
    min_response_seconds: float = 0.0
    partial: bool = False

    @property
    def context(self) -> CallContext:
        """The context for an error about the call."""
        return {"method": self.method, "path": self.path}


TOKEN_CALL = Call(
    kind="token",
    method="POST",
    path="/v1/users/m2m/oauth/token",
    content=Content("application/x-www-form-urlencoded", lambda: b"grant_type=client_credentials"),
)
"""Get Access Token API."""

BODILESS_TOKEN_CALL = replace(TOKEN_CALL, content=Content("application/json", lambda: b""))
"""The form that the one client seen at work uses: JSON, with an empty body."""

TOKEN_FORM_REFUSED = frozenset({400, 406, 411, 415})
"""Statuses that may mean that the form of the token request is wrong."""
