"""How long and how often a call is retried."""

from __future__ import annotations

from dataclasses import dataclass

import backoff

from target_gainsight.api.errors import RetryCallError
from target_gainsight.api.http.call import Call

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


@dataclass
class RetryState:
    """The attempts of one call so far.

    The last attempt was sent at `sent_at`, and ended at `ended_at`. `spent` sums the attempts and
    the waits between them, without those for a permit.
    """

    policy: RetryPolicy
    call: Call
    ended_at: float
    attempts: int = 0
    sent_at: float = 0.0
    waits: int = 0
    spent: float = 0.0
    tokens_refused: int = 0

    def next_wait(self, error: RetryCallError, *, has_responded: bool) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up.

        The bounds are others until the tenant has responded for the first time.
        """
        policy, max_tries = self.policy, self.call.server_error_tries
        if has_responded:
            left = min(policy.max_seconds, self.call.max_seconds) - self.spent
            tries_left = True
        else:
            left = policy.first_response_seconds - self.spent
            tries_left = self.attempts < policy.first_response_tries
        if max_tries is not None and error.status == _SERVER_ERROR:
            tries_left = tries_left and self.attempts < max_tries
        retry_after = error.retry_after or 0.0
        if not tries_left or left <= 0 or retry_after > left:
            return None
        longest = min(policy.max_wait, policy.base * 2 ** min(self.waits, 30))
        wait = min(max(retry_after, backoff.full_jitter(longest)), left)
        self.waits += 1
        self.spent += wait
        return wait
