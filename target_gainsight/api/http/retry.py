"""How long a call goes on trying. Knows nothing of HTTP."""

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

    Waits between tries grow from `base` by doubling up to `max_wait`, each drawn anew between
    nothing and that (full jitter). `max_seconds` bounds one call, its tries and waits together;
    waits for the window or the quota do not count. Until the tenant has answered at all,
    `first_response_tries` and `first_response_seconds` are enough.
    """

    max_seconds: float = 900
    first_response_tries: int = 3
    first_response_seconds: float = 20
    base: float = 0.5
    max_wait: float = 60
    server_error_tries: int | None = None

    def within(self, seconds: float | None, server_error_tries: int | None = None) -> RetryPolicy:
        """Return the policy for a call that is worth less.

        Args:
            seconds: What bounds it, where that is less than this policy allows.
            server_error_tries: Tries after which HTTP 500 ends it.
        """
        bound = self.max_seconds if seconds is None else min(seconds, self.max_seconds)
        return replace(self, max_seconds=bound, server_error_tries=server_error_tries)


class RetryState:
    """One call's tries so far, and what its policy has left for it.

    Attributes:
        attempts: Tries begun.
        sent_at: When the last one began.
        seconds: How long it took.
        idle: How long the call waited before it, for whatever reason.
        waited: All waits between tries.
        spent: Tries and the waits between them; waits for the window or the quota are left out.
    """

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self.attempts = 0
        self.sent_at = now
        self.seconds = 0.0
        self.idle = 0.0
        self.waited = 0.0
        self.spent = 0.0
        self._policy = policy
        self._idle_since = now
        self._waits = backoff.expo(factor=policy.base, max_value=policy.max_wait)
        next(self._waits)

    def begin(self, now: float) -> None:
        """A try goes out."""
        self.attempts += 1
        self.idle = now - self._idle_since
        self.sent_at = now

    def end(self, now: float) -> None:
        """It has ended."""
        self.seconds = now - self.sent_at
        self.spent += self.seconds
        self._idle_since = now

    def next_wait(self, error: RetryCallError, *, has_responded: bool) -> float | None:
        """Seconds to wait before the next try, or `None` when it is enough.

        Args:
            error: Why the last try failed.
            has_responded: Whether the tenant has ever answered.
        """
        policy = self._policy
        left = (policy.max_seconds if has_responded else policy.first_response_seconds) - self.spent
        tries_left = has_responded or self.attempts < policy.first_response_tries
        if policy.server_error_tries is not None and error.status == _SERVER_ERROR:
            tries_left = tries_left and self.attempts < policy.server_error_tries
        wished = error.retry_after or 0.0
        if not tries_left or left <= 0 or wished > left:
            return None
        wait = min(max(wished, backoff.full_jitter(next(self._waits))), left)
        self.waited += wait
        self.spent += wait
        return wait
