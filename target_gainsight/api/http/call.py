"""One call as it is sent, and each try of it as it went. Knows nothing of how it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from target_gainsight.api.auth.oauth import TOKEN_PATH
from target_gainsight.api.errors import RetryCallError, ThrottledError
from target_gainsight.api.http.request_body import Content, urlencoded_content

if TYPE_CHECKING:
    from target_gainsight.api.errors import CallContext, GainsightError
    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.api.http.retry import RetryState
    from target_gainsight.api.rate_limits.groups import RateLimitGroup

Outcome: TypeAlias = Literal["answered", "refused", "throttled", "failed"]


@dataclass(frozen=True)
class CallEvent:
    """One try of one call, as it went.

    `kind` is what it was for, `group` the rate limit group (None for a
    token request).
    `seconds` is from sending to answer, `waited` is what came before (pacing and the wait between
    tries), `attempt` counts from 1.
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


Observer: TypeAlias = Callable[[CallEvent], None]


@dataclass(frozen=True)
class Call:
    """A call as it is sent, as often as it takes.

    Attributes:
        kind: What it is for, as counts and statistics name it.
        method: The HTTP method.
        path: The path on the tenant's host.
        query: The query, encoded.
        content: The body.
        repeatable: Whether sending it twice has the effect of sending it once.
        expects: Whether the answer's data has the shape that this call's answers have.
        group: The rate limit group; None for a token request.
        min_response_seconds: How long to wait for the answer at least.
        partial: Whether a refusal may have written some of what was sent.
    """

    kind: str
    method: str
    path: str
    query: str
    content: Content | None
    repeatable: bool
    expects: Callable[[Json], bool] | None
    group: RateLimitGroup | None
    min_response_seconds: float = 0.0
    partial: bool = False

    @property
    def context(self) -> CallContext:
        """What an error says of the call."""
        return {"method": self.method, "path": self.path}

    def event(self, patience: RetryState, *, status: int | None, outcome: Outcome) -> CallEvent:
        """The try that has just ended.

        Args:
            patience: The call's tries, the last one ended.
            status: The HTTP status, if there was an answer.
            outcome: What came of it.
        """
        return CallEvent(
            kind=self.kind,
            group=self.group,
            method=self.method,
            path=self.path,
            status=status,
            seconds=patience.seconds,
            attempt=patience.attempts,
            outcome=outcome,
            waited=patience.idle,
        )


TOKEN_CALL = Call(
    kind="token",
    method="POST",
    path=TOKEN_PATH,
    query="",
    content=urlencoded_content({"grant_type": "client_credentials"}),
    repeatable=True,
    expects=None,
    group=None,
)

BODILESS_TOKEN_CALL = replace(TOKEN_CALL, content=Content("application/json", lambda: b""))
"""How the one client that was seen to work asks for a token: as JSON, with an empty body."""

TOKEN_FORM_REFUSED = frozenset({400, 406, 411, 415})
"""Statuses that may mean that the form of a request for a token is wrong."""


def outcome_of(error: GainsightError) -> Outcome:
    """What came of a try that ended with this error."""
    if isinstance(error, ThrottledError):
        return "throttled"
    return "failed" if isinstance(error, RetryCallError) else "refused"
