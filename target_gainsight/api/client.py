"""The Gainsight client: sends calls, authenticated, rate-limited, retried and observed."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import backoff
import requests

from target_gainsight.api import errors
from target_gainsight.api.auth import AccessKey, AuthHeader, ClientCredentials, Tokens
from target_gainsight.api.clock import Clock
from target_gainsight.api.http.call import Call, CallEvent
from target_gainsight.api.http.responses import Response, check_response, read_response
from target_gainsight.api.http.transport import Transport
from target_gainsight.api.rate_limits.limiter import RateLimiter
from target_gainsight.api.resources.bulk import BulkApi
from target_gainsight.api.resources.metadata import MetadataApi
from target_gainsight.api.resources.per_record import CockpitApi, TimelineApi
from target_gainsight.api.resources.records import PeopleApi, RecordsApi

logger = logging.getLogger(__name__)

_MAX_TOKENS = 5
"""Tokens tried for one call: another run of the same OAuth client may end each of them early."""
_FIRST_RESPONSE_TRIES = 3
_FIRST_RESPONSE_SECONDS = 20.0
"""Bounds on the attempts of a call until the tenant has responded for the first time."""
_FIRST_WAIT, _MAX_WAIT = 0.5, 60.0
"""Seconds between attempts: doubled each time, with full jitter."""
_TOO_MANY_CALLS = 429
_SERVER_ERROR = 500


@dataclass
class _Attempts:
    """The attempts of one call so far. `spent` sums their time and the `waits` between them."""

    ended_at: float
    count: int = 0
    sent_at: float = 0.0
    waits: int = 0
    spent: float = 0.0
    tokens_refused: int = 0


class GainsightClient(AbstractContextManager["GainsightClient"]):
    """Calls one tenant's API from any number of threads, a resource per attribute.

    Args:
        session: A `requests.Session` to use instead of an own one; it is not closed here.
        max_retry_seconds: Longest total time of a call's attempts and the waits between, without
            waits for permits.
        timeout: Seconds to wait for a connection, and for a response.
        observer: Called after every attempt, in the thread that made it.
    """

    def __init__(  # noqa: PLR0913 - each is one choice, and all but two have their default
        self,
        base_url: str,
        authentication: AccessKey | ClientCredentials,
        *,
        session: requests.Session | None = None,
        rate_limiter: RateLimiter | None = None,
        max_retry_seconds: float = 900,
        timeout: float = 60,
        clock: Clock | None = None,
        observer: Callable[[CallEvent], None] = lambda _: None,
    ) -> None:
        self.records = RecordsApi(self.send)
        self.people = PeopleApi(self.send)
        self.metadata = MetadataApi(self.send)
        self.timeline = TimelineApi(self.send)
        self.cockpit = CockpitApi(self.send)
        self.bulk = BulkApi(self.send)
        self._transport = Transport(base_url, session)
        self._clock = clock or Clock()
        self._rate_limiter = rate_limiter or RateLimiter(clock=self._clock)
        self._max_retry_seconds = max_retry_seconds
        self._timeout = timeout
        self._observer = observer
        self._has_responded = False
        self._was_authorized = False
        self._clock_offset = 0.0
        self._credential = (
            authentication
            if isinstance(authentication, AccessKey)
            else Tokens(authentication, self.send, self._clock)
        )

    def send(self, call: Call, header: AuthHeader | None = None) -> Response:
        """Make a call, and repeat it while that may help. A token request has its own `header`."""
        attempts = _Attempts(self._clock.now())
        while True:
            if self._clock.woken.is_set():
                raise errors.StoppedError
            try:
                if header:
                    return self._attempt(call, header, attempts)
                if response := self._attempt_with_permit(call, attempts):
                    return response
            except errors.RetryCallError as error:
                self._wait_to_retry(call, error, attempts)

    def stop(self) -> None:
        """End all waits; waiting and later calls raise `StoppedError`."""
        self._rate_limiter.stop()
        self._clock.wake()

    def close(self) -> None:
        """Close the connections, unless the session was passed in."""
        self._transport.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _attempt_with_permit(self, call: Call, attempts: _Attempts) -> Response | None:
        """Make one attempt; return None to make another with the next permit or token."""
        permit = self._rate_limiter.acquire(call.group or "synchronous")
        throttled: errors.ThrottledError | None = None
        header = self._credential.current()
        try:
            response = self._attempt(call, header, attempts)
        except errors.ThrottledError as error:
            throttled = error
            return None
        except errors.CredentialError as error:
            attempts.tokens_refused += 1
            most = _MAX_TOKENS if self._was_authorized else 2
            if isinstance(self._credential, Tokens) and attempts.tokens_refused < most:
                self._credential.drop(header)
                return None
            message = f"{error.message}. {self._credential.advice}"
            raise replace(error, message=message) from None
        finally:
            self._rate_limiter.release(permit, throttled)
        self._was_authorized = True
        return response

    def _attempt(self, call: Call, header: AuthHeader, attempts: _Attempts) -> Response:
        attempts.count += 1
        attempts.sent_at = self._clock.now()
        waited = attempts.sent_at - attempts.ended_at
        result: Response | errors.GainsightError
        try:
            result = self._exchange(call, header)
        except errors.GainsightError as error:
            error.method, error.path = call.method, call.path
            # The response to a token request may quote what was sent in another form.
            error.description = header.redact(error.description) if call.group else None
            result = error
        attempts.ended_at = self._clock.now()
        seconds = attempts.ended_at - attempts.sent_at
        attempts.spent += seconds
        failure = result if isinstance(result, errors.GainsightError) else None
        status, sent_at = result.status, attempts.sent_at
        self._observer(CallEvent(call, status, failure, attempts.count, sent_at, seconds, waited))
        if isinstance(result, errors.GainsightError):
            raise result
        return result

    def _exchange(self, call: Call, header: AuthHeader) -> Response:
        """Send the call once. Timeouts are short until the first response, if it is repeatable."""
        connect, read = self._timeout, max(self._timeout, call.min_response_seconds)
        if not self._has_responded:
            connect = min(connect, _FIRST_RESPONSE_SECONDS / _FIRST_RESPONSE_TRIES)
            if call.repeatable:
                read = min(self._timeout, _FIRST_RESPONSE_SECONDS)
        response = read_response(self._transport.send(call, header, (connect, read)), call)
        if response.is_object or response.request_id or response.status >= _TOO_MANY_CALLS:
            self._has_responded = True  # others may not come from Gainsight
        if response.server_time:
            self._clock_offset = response.server_time.timestamp() - self._clock.now()
        check_response(response)
        return response

    def _wait_to_retry(self, call: Call, error: errors.RetryCallError, attempts: _Attempts) -> None:
        if isinstance(error, errors.AmbiguousResponseError) and not call.repeatable:
            message = f"the call was sent and may have been committed: {error.message}"
            sent_at = attempts.sent_at + self._clock_offset
            unknown = errors.UnknownOutcomeError(message, sent_at=sent_at, cause=error)
            raise unknown.with_call_of(error) from error
        left, retry_after = self._seconds_left(call, error, attempts), error.retry_after or 0.0
        if left <= 0 or retry_after > left:
            raise self._exhausted(error, attempts) from error
        longest = min(_MAX_WAIT, _FIRST_WAIT * 2 ** min(attempts.waits, 30))
        wait = min(max(retry_after, backoff.full_jitter(longest)), left)
        attempts.waits += 1
        attempts.spent += wait
        logger.warning("%s: trying again in %.1f s", error, wait)
        if self._clock.wait(wait):
            raise errors.StoppedError().with_call_of(error) from error

    def _seconds_left(self, call: Call, error: errors.RetryCallError, attempts: _Attempts) -> float:
        if not self._has_responded:
            may_try = attempts.count < _FIRST_RESPONSE_TRIES
            return _FIRST_RESPONSE_SECONDS - attempts.spent if may_try else 0.0
        if error.status == _SERVER_ERROR and attempts.count >= call.server_error_tries:
            return 0.0
        return min(self._max_retry_seconds, call.max_seconds) - attempts.spent

    def _exhausted(
        self, error: errors.RetryCallError, attempts: _Attempts
    ) -> errors.GainsightError:
        if not self._has_responded:
            message = (
                f"{self._transport.host} is not reachable: {error.message}. Check the domain (or "
                "base_url), the network, the proxy settings, and REQUESTS_CA_BUNDLE if a proxy "
                "inspects TLS"
            )
            return errors.UnreachableError(message).with_call_of(error)
        message = (
            f"Gainsight did not serve this call in {attempts.count} tries over "
            f"{attempts.spent:.0f} s: {error.message}"
        )
        return errors.UnavailableError(message).with_call_of(error)
