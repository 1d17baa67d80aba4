"""How long and how often a call is retried. Knows nothing of HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import backoff

if TYPE_CHECKING:
    from target_gainsight.api.errors import RetryCallError

_SERVER_ERROR = 500


@dataclass(frozen=True)
class RetryPolicy:
    """The bounds of retrying, in seconds.

    Waits between attempts double from `base` up to `max_wait`, with full jitter. `max_seconds`
    bounds the attempts and waits of one call together; waits for a permit do not count. Until the
    tenant has responded at all, `first_response_tries` and `first_response_seconds` apply.
    """

    max_seconds: float = 900
    first_response_tries: int = 3
    first_response_seconds: float = 20
    base: float = 0.5
    max_wait: float = 60
    server_error_tries: int | None = None

    def within(
        self, max_seconds: float | None, server_error_tries: int | None = None
    ) -> RetryPolicy:
        """Return the policy with tighter bounds.

        Args:
            max_seconds: A bound that applies if it is less than this policy's.
            server_error_tries: The number of attempts after which HTTP 500 is final.
        """
        bound = self.max_seconds if max_seconds is None else min(max_seconds, self.max_seconds)
        return replace(self, max_seconds=bound, server_error_tries=server_error_tries)


class RetryState:
    """The attempts of one call so far.

    Attributes:
        attempts: Attempts begun.
        unauthorized: Attempts that ended with 401.
        sent_at: When the last attempt began.
        seconds: How long it took.
        queue_seconds: How long the call waited before it, for whatever reason.
        waited: All waits between attempts.
        spent: Attempts and the waits between them, without waits for a permit.
    """

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self.attempts = 0
        self.unauthorized = 0
        self.sent_at = now
        self.seconds = 0.0
        self.queue_seconds = 0.0
        self.waited = 0.0
        self.spent = 0.0
        self._policy = policy
        self._ended_at = now
        self._waits = backoff.expo(factor=policy.base, max_value=policy.max_wait)
        next(self._waits)

    def begin(self, now: float) -> None:
        """Begin an attempt."""
        self.attempts += 1
        self.queue_seconds = now - self._ended_at
        self.sent_at = now

    def end(self, now: float) -> None:
        """End the attempt."""
        self.seconds = now - self.sent_at
        self.spent += self.seconds
        self._ended_at = now

    def next_wait(self, error: RetryCallError, *, has_responded: bool) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up.

        Args:
            error: Why the last attempt failed.
            has_responded: Whether the tenant has ever responded.
        """
        policy = self._policy
        left = (policy.max_seconds if has_responded else policy.first_response_seconds) - self.spent
        tries_left = has_responded or self.attempts < policy.first_response_tries
        if policy.server_error_tries is not None and error.status == _SERVER_ERROR:
            tries_left = tries_left and self.attempts < policy.server_error_tries
        retry_after = error.retry_after or 0.0
        if not tries_left or left <= 0 or retry_after > left:
            return None
        wait = min(max(retry_after, backoff.full_jitter(next(self._waits))), left)
        self.waited += wait
        self.spent += wait
        return wait
