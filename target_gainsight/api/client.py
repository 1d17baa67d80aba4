"""The Gainsight client: sends calls, authenticated, rate-limited, retried and observed."""

from __future__ import annotations

import logging
from collections.abc import Callable

import requests
from typing_extensions import Self

from target_gainsight.api.auth import (
    AccessKey,
    AuthHeader,
    ClientCredentials,
    TokenGrant,
    Tokens,
    parse_token,
)
from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import (
    AmbiguousResponseError,
    CredentialError,
    GainsightError,
    ResponseTimeoutError,
    RetryCallError,
    ServerError,
    StoppedError,
    ThrottledError,
    TokenExpiredError,
    UnavailableError,
    UnknownOutcomeError,
    UnreachableError,
)
from target_gainsight.api.http.call import (
    BODILESS_TOKEN_CALL,
    TOKEN_CALL,
    TOKEN_FORM_REFUSED,
    Call,
    CallEvent,
    Outcome,
)
from target_gainsight.api.http.responses import (
    Response,
    check_response,
    check_token_response,
    read_response,
)
from target_gainsight.api.http.retry import RetryPolicy, RetryState
from target_gainsight.api.http.transport import Transport
from target_gainsight.api.rate_limits.limiter import RateLimiter
from target_gainsight.api.resources.bulk import BulkApi
from target_gainsight.api.resources.metadata import MetadataApi
from target_gainsight.api.resources.per_record import CockpitApi, TimelineApi
from target_gainsight.api.resources.records import PeopleApi, RecordsApi

logger = logging.getLogger(__name__)

_MAX_TOKENS = 5
"""Tokens tried for one call: another run of the same OAuth client may end each of them early."""


class GainsightClient:
    """Calls one tenant's API from any number of threads, a resource per attribute.

    `token_grant` is the last M2M OAuth token and how it was granted, if there is one.

    Args:
        base_url: `https://mycompany.gainsightcloud.com`.
        session: A `requests.Session` to use instead of an own one; it is not closed here.
        rate_limiter: Issues permits for calls; enforces the documented limits by default.
        timeout: Seconds to wait for a connection, and for a response.
        observer: Called after every attempt, in the thread that made it.

    Raises:
        ValueError: The base URL or the session cannot be used.
    """

    def __init__(  # noqa: PLR0913 - each is one choice, and all but two have their default
        self,
        base_url: str,
        authentication: AccessKey | ClientCredentials,
        *,
        session: requests.Session | None = None,
        rate_limiter: RateLimiter | None = None,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        timeout: float = 60,
        clock: Clock | None = None,
        observer: Callable[[CallEvent], None] | None = None,
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
        self._retry = retry
        self._timeout = timeout
        self._observer = observer
        self._has_responded = False
        self._was_authorized = False
        self._is_gainsight = False
        self._clock_offset = 0.0
        self._stopped = False
        self._token_call = TOKEN_CALL
        self.token_grant: TokenGrant | None = None
        self._credential = (
            authentication
            if isinstance(authentication, AccessKey)
            else Tokens(authentication, self._fetch_token, self._clock)
        )

    def send(self, call: Call, header: AuthHeader | None = None) -> Response:
        """Make a call, and repeat it while that may help.

        `header` is that of a token request, which needs no token and no permit.

        Raises:
            StopRunError: Nothing further can succeed.
            RefusedError: The tenant refused the records.
            NotFoundError: What was asked for does not exist.
            UnavailableError: The retries are exhausted.
            UnknownOutcomeError: The call is not repeatable and may have been committed.
        """
        state = RetryState(self._retry, call, self._clock.now())
        while True:
            if self._stopped:
                raise StoppedError(**call.context)
            try:
                return self._attempt(call, header, state) if header else self._paced(call, state)
            except RetryCallError as error:
                self._prepare_retry(call, error, state)

    def stop(self) -> None:
        """End all waits; waiting and later calls raise `StoppedError`."""
        self._stopped = True
        self._rate_limiter.stop()
        self._clock.wake()

    def close(self) -> None:
        """Close the connections, unless the session was passed in."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fetch_token(self, basic: AuthHeader) -> TokenGrant:
        """Request a token with the documented form, or without a body if that form is refused.

        The form that worked is used for the next token, too.
        """
        try:
            response = self.send(self._token_call, basic)
        except CredentialError as error:
            tried_both = self._token_call is BODILESS_TOKEN_CALL
            if tried_both or error.status not in TOKEN_FORM_REFUSED:
                raise
            response = self.send(BODILESS_TOKEN_CALL, basic)
            self._token_call = BODILESS_TOKEN_CALL
        self.token_grant = parse_token(response.body)
        return self.token_grant

    def _paced(self, call: Call, state: RetryState) -> Response:
        """Make one attempt with a permit and the current credential."""
        permit = self._rate_limiter.acquire(call.group or "synchronous")
        throttled: ThrottledError | None = None
        header = self._credential.current()
        try:
            response = self._attempt(call, header, state)
        except ThrottledError as error:
            throttled = error
            raise
        except CredentialError as error:
            state.tokens_refused += 1
            most = _MAX_TOKENS if self._was_authorized else 2
            if isinstance(self._credential, Tokens) and state.tokens_refused < most:
                self._credential.drop(header)
                message = "the token is not accepted any more"
                raise TokenExpiredError(message, **error.context) from None
            message = f"{error.message}. {self._credential.advice}"
            raise CredentialError(message, **error.context) from None
        finally:
            self._rate_limiter.release(permit, throttled)
        self._was_authorized = True
        return response

    def _attempt(self, call: Call, header: AuthHeader, state: RetryState) -> Response:
        """Exchange request and response once, and report the attempt to the observer."""
        state.attempts += 1
        state.sent_at = self._clock.now()
        waited = state.sent_at - state.ended_at
        try:
            result: Response | GainsightError = self._exchange(call, header)
        except GainsightError as error:
            error.description = header.redact(error.description)
            result = error
        state.ended_at = self._clock.now()
        seconds = state.ended_at - state.sent_at
        state.spent += seconds
        outcome: Outcome = "refused" if isinstance(result, GainsightError) else "succeeded"
        if isinstance(result, RetryCallError):
            outcome = "throttled" if isinstance(result, ThrottledError) else "failed"
        if self._observer:
            event = CallEvent(
                kind=call.kind,
                group=call.group,
                method=call.method,
                path=call.path,
                status=result.status,
                seconds=seconds,
                attempt=state.attempts,
                outcome=outcome,
                waited=waited,
                sent_at=state.sent_at,
            )
            self._observer(event)
        if isinstance(result, GainsightError):
            raise result
        return result

    def _exchange(self, call: Call, header: AuthHeader) -> Response:
        """Send the call once. Timeouts are short until the first response.

        A call that must not be repeated is given its full time once it is sent, even so.
        """
        connect, read = self._timeout, max(self._timeout, call.min_response_seconds)
        if not self._has_responded:
            policy = self._retry
            connect = min(connect, policy.first_response_seconds / policy.first_response_tries)
            if call.repeatable:
                read = min(self._timeout, policy.first_response_seconds)
        response = read_response(self._transport.send(call, header, (connect, read)), call)
        self._has_responded = True
        self._is_gainsight = self._is_gainsight or response.is_object
        if response.server_time:
            self._clock_offset = response.server_time.timestamp() - self._clock.now()
        check = check_token_response if call.group is None else check_response
        check(response, is_gainsight=self._is_gainsight)
        return response

    def _prepare_retry(self, call: Call, error: RetryCallError, state: RetryState) -> None:
        """Wait until the next attempt, or raise why there is none."""
        if isinstance(error, TokenExpiredError):
            return
        if isinstance(error, ThrottledError) and call.group:
            return  # the rate limiter waits
        if not call.repeatable and isinstance(error, AmbiguousResponseError | ServerError):
            message = f"the call was sent and may have been committed: {error.message}"
            raise UnknownOutcomeError(
                message,
                sent_at=state.sent_at + self._clock_offset,
                timed_out=isinstance(error, ResponseTimeoutError),
                cause=error,
                **error.context,
            ) from error
        wait = state.next_wait(error, has_responded=self._has_responded)
        if wait is None:
            raise self._retries_exhausted(error, state) from error
        logger.warning("%s: trying again in %.1f s", error, wait)
        if self._clock.wait(wait):
            raise StoppedError(**error.context) from error

    def _retries_exhausted(self, error: RetryCallError, state: RetryState) -> GainsightError:
        if not self._has_responded:
            message = (
                f"{self._transport.host} is not reachable: {error.message}. Check the domain (or "
                "base_url), the network and the proxy settings"
            )
            return UnreachableError(message, **error.context)
        message = (
            f"Gainsight did not serve this call in {state.attempts} tries over "
            f"{state.spent:.0f} s: {error.message}"
        )
        return UnavailableError(message, **error.context)
