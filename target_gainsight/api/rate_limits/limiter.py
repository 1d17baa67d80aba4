"""The rate limiter: decides when a call may be sent. Knows nothing of HTTP.

Gainsight counts calls per clock-aligned window, when they arrive. A call arrives between being sent
and its response, so its permit is released one window after the *response*: no window of the server
can then hold more calls than the limit, whatever the latency, the number of processes and the
offset of the server's clock.
"""

import logging
import math
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone

from target_gainsight.api import errors
from target_gainsight.api.clock import Clock
from target_gainsight.api.rate_limits.groups import (
    DAY_SECONDS,
    DOCUMENTED_LIMITS,
    PermitStore,
    RateLimitGroup,
    RateLimits,
)

logger = logging.getLogger(__name__)

_LOGGED_WINDOW_SECONDS = 60
_MAX_THROTTLED_SECONDS = 3900.0
_MAX_THROTTLED_WINDOWS = 3
"""If every call is throttled for longer than this, the day's quota must be used up: hourly limits
and bursts of other integrations end sooner."""


@dataclass(frozen=True)
class Permit:
    """The right to make one call, for which it `waited` seconds; the store knows it by `id`."""

    group: RateLimitGroup
    id: str
    issued_at: float
    waited: float


@dataclass
class _GroupState:
    """When the next call of a group may be sent, as far as this process knows (epoch seconds)."""

    limits: RateLimits
    blocked_until: float = 0.0  # as the tenant asked
    throttled_since: float | None = None  # set while every call is throttled


class RateLimiter:
    """Issues permits to any number of threads; `limits` replace the documented ones."""

    def __init__(
        self,
        limits: Mapping[RateLimitGroup, RateLimits] | None = None,
        *,
        clock: Clock | None = None,
        max_calls: int | None = None,
        store: PermitStore | None = None,
    ) -> None:
        all_limits = {**DOCUMENTED_LIMITS, **(limits or {})}
        self._groups = {group: _GroupState(each) for group, each in all_limits.items()}
        self._clock = clock or Clock()
        self._calls_left = math.inf if max_calls is None else max_calls
        self._store = store or PermitStore()
        self._lock = threading.Lock()

    def acquire(self, group: RateLimitGroup) -> Permit:
        """Return a permit, waiting until there is one; a `StopRunError` says why there is none."""
        state, permit_id, began = self._groups[group], uuid.uuid4().hex, self._clock.now()
        while True:
            if self._clock.woken.is_set():
                raise errors.StoppedError
            with self._lock:
                if self._calls_left <= 0:
                    message = "the calls that this run may make are used up"
                    raise errors.CallBudgetExceededError(message)
                now = self._clock.now()
                wait = state.blocked_until - now
                if wait <= 0:
                    wait = self._take(state, group, permit_id, now)
            if wait <= 0:
                return Permit(group, permit_id, issued_at=now, waited=now - began)
            self._clock.wait(wait)

    def release(self, permit: Permit, throttled: errors.ThrottledError | None = None) -> None:
        """End a call: its permit is released one window from now.

        A call that was `throttled` blocks the group until its next window, or for as long as the
        tenant asks: that may be so long that the day's quota must be used up (QuotaExceededError).
        """
        state, now = self._groups[permit.group], self._clock.now()
        server_now = now + self._store.seconds_ahead
        with self._lock:
            with suppress(errors.QuotaStoreError):
                self._store.update(
                    permit.group, lambda usage: usage.release(permit.id, state.limits, server_now)
                )
            if throttled is None:
                state.throttled_since = None
            else:
                _block(state, permit, throttled.retry_after, now)

    def stop(self) -> None:
        """End all waits; waiting and later calls of `acquire` raise `StoppedError`."""
        self._clock.wake()

    def close(self) -> None:
        """Close the store; may be called twice."""
        with self._lock:
            self._store.close()

    def _take(self, state: _GroupState, group: RateLimitGroup, permit_id: str, now: float) -> float:
        """Count a permit and return 0, or return the seconds until it is worth another try."""
        limits, server_now = state.limits, now + self._store.seconds_ahead
        wait = self._store.update(group, lambda usage: usage.take(permit_id, limits, server_now))
        if wait is None:
            share = f"{limits.quota_percent}% of {limits.per_day}"
            quota = f"{limits.allowed_per_day} {limits.unit} ({share})"
            reason = f"the day's quota of {quota} is used up."
            raise _quota_exceeded(reason, now)
        if wait <= 0:
            self._calls_left -= 1
        elif limits.window_seconds > _LOGGED_WINDOW_SECONDS:
            logger.info(
                "The hour's quota of %d %s is used up: the next one is sent in %d minutes",
                limits.allowed_per_window,
                limits.unit,
                math.ceil(wait / 60),
            )
        return wait


def _block(state: _GroupState, permit: Permit, retry_after: float | None, now: float) -> None:
    """Block a group; refusals of calls sent before the block began do not extend it."""
    already_blocked = permit.issued_at < state.blocked_until
    if already_blocked and retry_after is None:
        return
    window, unit = state.limits.window_seconds, state.limits.unit
    skew = min(1.0, window / 60)  # the server's clock may be this much behind ours
    until = (now // window + 1) * window + skew if retry_after is None else now + retry_after
    state.throttled_since = now if state.throttled_since is None else state.throttled_since
    throttled_seconds = until - state.throttled_since
    if throttled_seconds > max(_MAX_THROTTLED_SECONDS, _MAX_THROTTLED_WINDOWS * window):
        reason = (
            f"Gainsight's rate limit blocks all {unit} for {throttled_seconds / 3600:.1f} hours; "
            "other integrations have probably used up the tenant's quota for the day."
        )
        raise _quota_exceeded(reason, now)
    state.blocked_until = max(state.blocked_until, until, now + skew)
    if not already_blocked:
        logger.warning(
            "Gainsight is rate-limiting: other integrations use this tenant's limit too. "
            "All %s wait %.1f s for the next window",
            unit,
            state.blocked_until - now,
        )


def _quota_exceeded(reason: str, now: float) -> errors.QuotaExceededError:
    midnight = (now // DAY_SECONDS + 1) * DAY_SECONDS
    message = (
        f"{reason} It is renewed at {datetime.fromtimestamp(midnight, timezone.utc):%Y-%m-%d %H:%M}"
        " UTC; a run after that continues where this one stopped"
    )
    return errors.QuotaExceededError(message)
