"""How long and how often a call is retried. Knows nothing of HTTP."""

from __future__ import annotations

import math
from dataclasses import dataclass

import backoff

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


class RetryState:
    """The attempts of one call so far, and the bounds of this call if they are tighter.

    `sent_at`, `seconds` and `queue_seconds` are the start of the last attempt, its duration and the
    wait before it, for whatever reason. `waited` sums the waits between attempts; `spent` adds the
    attempts. Neither contains waits for a permit.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        now: float,
        *,
        max_seconds: float | None,
        server_error_tries: int | None,
    ) -> None:
        self.attempts = 0
        self.unauthorized = 0
        self.sent_at = now
        self.seconds = 0.0
        self.queue_seconds = 0.0
        self.waited = 0.0
        self.spent = 0.0
        self._policy = policy
        self._max_seconds = min(
            policy.max_seconds, math.inf if max_seconds is None else max_seconds
        )
        self._server_error_tries = server_error_tries
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

        The bounds are others until the tenant has responded for the first time.
        """
        policy = self._policy
        left = (self._max_seconds if has_responded else policy.first_response_seconds) - self.spent
        tries_left = has_responded or self.attempts < policy.first_response_tries
        if self._server_error_tries is not None and error.status == _SERVER_ERROR:
            tries_left = tries_left and self.attempts < self._server_error_tries
        retry_after = error.retry_after or 0.0
        if not tries_left or left <= 0 or retry_after > left:
            return None
        wait = min(max(retry_after, backoff.full_jitter(next(self._waits))), left)
        self.waited += wait
        self.spent += wait
        return wait
