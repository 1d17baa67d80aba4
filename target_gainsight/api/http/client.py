"""Sends calls to one tenant: authenticated, rate-limited, retried and observed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from types import TracebackType
from urllib.parse import urlencode

import requests
from typing_extensions import Self

from target_gainsight.api.auth.headers import AccessKey, AuthHeaders, HeaderProvider
from target_gainsight.api.auth.oauth import (
    ClientCredentials,
    TokenGrant,
    TokenProvider,
    token_lifetime,
)
from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import (
    AmbiguousResponseError,
    CredentialError,
    GainsightError,
    MalformedResponseError,
    NotFoundError,
    RefusedError,
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
from target_gainsight.api.http import responses
from target_gainsight.api.http.call import (
    BODILESS_TOKEN_CALL,
    TOKEN_CALL,
    TOKEN_FORM_REFUSED,
    Call,
    CallEvent,
    Observer,
    Outcome,
)
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, encode
from target_gainsight.api.http.request_body import Content
from target_gainsight.api.http.responses import Response
from target_gainsight.api.http.retry import RetryPolicy, RetryState
from target_gainsight.api.http.transport import Transport
from target_gainsight.api.rate_limits.groups import RateLimitGroup
from target_gainsight.api.rate_limits.limiter import RateLimiter

logger = logging.getLogger(__name__)

_MAX_UNAUTHORIZED = 5
"""A call that is refused with so many tokens is refused for good, even if others are accepted."""


class HttpClient:
    """Calls one tenant's API from any number of threads.

    Args:
        base_url: `https://mycompany.gainsightcloud.com`.
        authentication: The credential.
        session: A `requests.Session` to use instead of an own one; it is not closed here.
        rate_limiter: Issues permits for calls; enforces the documented limits by default.
        retry: The bounds of retrying.
        timeout: Seconds to wait for a connection, and for a response.
        clock: Gives the time and waits.
        observer: Called after every attempt, in the thread that made it.
        user_agent: The name under which the tenant logs the calls.

    Attributes:
        token_grant: How the last M2M OAuth token was granted; None without one.

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
        observer: Observer | None = None,
        user_agent: str | None = None,
    ) -> None:
        self._transport = Transport(
            base_url,
            session=session,
            user_agent=user_agent or f"target-gainsight/{version('target-gainsight')}",
        )
        self._clock = clock or Clock()
        self._rate_limiter = rate_limiter or RateLimiter(clock=self._clock)
        self._retry = retry
        self._timeout = timeout
        self._observer = observer
        self._has_responded = False
        self._is_gainsight = False
        self._clock_offset = 0.0
        self._stopped = False
        self._token_call = TOKEN_CALL
        self.token_grant: TokenGrant | None = None
        self._headers: HeaderProvider = (
            authentication
            if isinstance(authentication, AccessKey)
            else TokenProvider(authentication, self._fetch_token, self._clock)
        )

    def call(  # noqa: PLR0913 - the parts of a call
        self,
        method: str,
        path: str,
        *,
        kind: str,
        group: RateLimitGroup = "synchronous",
        json: Json | None = None,
        content: Content | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = True,
        partial: bool = False,
        expects: Callable[[Json], bool] | None = None,
        max_seconds: float | None = None,
        server_error_tries: int | None = None,
        min_response_seconds: float = 0.0,
    ) -> Response:
        """Make a call, and repeat it while that may help.

        Args:
            method: The HTTP method.
            path: The path on the tenant's host, its parts quoted.
            kind: The purpose of the call, for summaries and metrics.
            group: The rate limit group.
            json: A JSON body.
            content: Any other body.
            params: The query.
            repeatable: Whether sending the call twice has the effect of sending it once.
            partial: Whether a refused call may have written some of its records; a refusal that
                cannot be read then leaves the outcome unknown.
            expects: Returns whether the response's data has the shape of this call's responses.
            max_seconds: How long to retry, if less than the policy allows.
            server_error_tries: The number of attempts after which HTTP 500 is final.
            min_response_seconds: How long to wait for the response at least.

        Raises:
            StopRunError: Nothing further can succeed.
            RefusedError: The tenant refused the records.
            NotFoundError: What was asked for does not exist.
            UnavailableError: The retries are exhausted.
            UnknownOutcomeError: The call is not repeatable and may have been committed.
        """
        if json is not None:
            body = encode(json)
            content = Content("application/json", lambda: body)
        return self._call_with_retries(
            Call(
                kind=kind,
                method=method,
                path=path,
                query=urlencode(params or {}, safe=","),
                content=content,
                repeatable=repeatable,
                expects=expects,
                group=group,
                max_seconds=max_seconds,
                server_error_tries=server_error_tries,
                min_response_seconds=min_response_seconds,
                partial=partial,
            )
        )

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fetch_token(self, basic: AuthHeaders) -> Record:
        """Request a token with the documented form, or without a body if that form is refused.

        The form that worked is used for the next token, too.
        """
        try:
            response = self._call_with_retries(self._token_call, basic)
        except CredentialError as error:
            tried_both = self._token_call is BODILESS_TOKEN_CALL
            if tried_both or error.status not in TOKEN_FORM_REFUSED:
                raise
            response = self._call_with_retries(BODILESS_TOKEN_CALL, basic)
            self._token_call = BODILESS_TOKEN_CALL
        granted = as_mapping(response.data)
        self.token_grant = TokenGrant(
            seconds=token_lifetime(granted.get("expires_in")),
            in_envelope="access_token" not in response.body,
        )
        return granted

    def _call_with_retries(self, call: Call, basic: AuthHeaders | None = None) -> Response:
        """Make a call; a token request, which has its own headers, needs no permit."""
        state = RetryState(
            self._retry,
            self._clock.now(),
            max_seconds=call.max_seconds,
            server_error_tries=call.server_error_tries,
        )
        while True:
            if self._stopped:
                raise StoppedError(**call.context)
            try:
                return self._send(call, basic, state) if basic else self._attempt(call, state)
            except RetryCallError as error:
                self._prepare_retry(call, error, state)

    def _attempt(self, call: Call, state: RetryState) -> Response:
        """Send a call with a permit and the current credential."""
        permit = self._rate_limiter.acquire(call.group or "synchronous")
        headers = self._headers.current()
        try:
            response = self._send(call, headers, state)
            self._headers.on_success(headers)
        except ThrottledError as error:
            self._rate_limiter.on_throttled(permit, error.retry_after)
            raise
        except CredentialError as error:
            state.unauthorized += 1
            may_retry = self._headers.on_unauthorized(headers)
            if may_retry and state.unauthorized < _MAX_UNAUTHORIZED:
                message = "the token is not accepted any more"
                raise TokenExpiredError(message, **error.context) from None
            message = f"{error.message}. {self._headers.advice}"
            raise CredentialError(message, **error.context) from None
        except (RefusedError, NotFoundError):
            self._headers.on_success(headers)
            raise
        finally:
            self._rate_limiter.release(permit)
        return response

    def _send(self, call: Call, headers: AuthHeaders, state: RetryState) -> Response:
        """Exchange request and response once, and report the attempt to the observer."""
        state.begin(self._clock.now())
        try:
            response = self._exchange(call, headers)
        except GainsightError as error:
            error.description = headers.redact(error.description)
            self._notify(call, state, error.status, error)
            raise
        self._notify(call, state, response.status)
        return response

    def _notify(
        self, call: Call, state: RetryState, status: int | None, error: GainsightError | None = None
    ) -> None:
        state.end(self._clock.now())
        outcome: Outcome = "refused" if error else "succeeded"
        if isinstance(error, RetryCallError):
            outcome = "throttled" if isinstance(error, ThrottledError) else "failed"
        if self._observer:
            self._observer(
                CallEvent(
                    kind=call.kind,
                    group=call.group,
                    method=call.method,
                    path=call.path,
                    status=status,
                    seconds=state.seconds,
                    attempt=state.attempts,
                    outcome=outcome,
                    waited=state.queue_seconds,
                    sent_at=state.sent_at,
                )
            )

    def _exchange(self, call: Call, headers: AuthHeaders) -> Response:
        http_response = self._transport.send(
            call.context,
            headers,
            query=call.query,
            content=call.content,
            timeout=self._timeouts(call),
        )
        now = self._clock.now()
        self._has_responded = True
        if server_time := responses.http_time(http_response.headers.get("Date")):
            self._clock_offset = server_time.timestamp() - now
        body = responses.decode_body(http_response)
        self._is_gainsight = self._is_gainsight or "result" in (body or {})
        received = responses.Received(http_response, body, call.context, now, self._is_gainsight)
        response = (
            responses.parse_token_response(received)
            if call.kind == TOKEN_CALL.kind
            else responses.parse_response(received, partial=call.partial)
        )
        self._is_gainsight = True
        if call.expects and not call.expects(response.data):
            message = "the response does not have the shape of this call's responses"
            raise MalformedResponseError(
                message,
                method=call.method,
                path=call.path,
                status=response.status,
                request_id=response.request_id,
            )
        return response

    def _timeouts(self, call: Call) -> tuple[float, float]:
        """Return the seconds for the connection and for the response.

        They are short until the first response, except that a call which must not be repeated is
        given its full time once it is sent.
        """
        full = max(self._timeout, call.min_response_seconds)
        if self._has_responded:
            return self._timeout, full
        policy = self._retry
        connect = min(self._timeout, policy.first_response_seconds / policy.first_response_tries)
        read = min(self._timeout, policy.first_response_seconds)
        return connect, (read if call.repeatable else full)

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
        return UnavailableError(
            message, attempts=state.attempts, waited=state.waited, **error.context
        )
