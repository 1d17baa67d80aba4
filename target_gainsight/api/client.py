"""The Gainsight client: authenticates, rate-limits, sends and retries calls.

Business calls live in the modules of their API family and are reached as attributes:
`client.records`, `client.people`, `client.metadata`, `client.timeline`, `client.cockpit`,
`client.bulk`.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from target_gainsight.api.clock import Clock, SystemClock
from target_gainsight.api.errors import (
    AmbiguousResponseError,
    CredentialError,
    GainsightError,
    MalformedResponseError,
    NotFoundError,
    RejectRecordsError,
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
from target_gainsight.api.http import responses as answers
from target_gainsight.api.http.call import (
    BODILESS_TOKEN_CALL,
    TOKEN_CALL,
    TOKEN_FORM_REFUSED,
    Call,
    outcome_of,
)
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.api.http.request_body import json_content
from target_gainsight.api.http.retry import RetryPolicy, RetryState
from target_gainsight.api.http.transport import Transport
from target_gainsight.api.rate_limits.limiter import RateLimiter
from target_gainsight.api.resources.bulk import BulkApi
from target_gainsight.api.resources.cockpit import CockpitApi
from target_gainsight.api.resources.metadata import MetadataApi
from target_gainsight.api.resources.people import PeopleApi
from target_gainsight.api.resources.records import RecordsApi
from target_gainsight.api.resources.timeline import TimelineApi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    import requests
    from typing_extensions import Self

    from target_gainsight.api.auth.headers import Authentication, AuthHeaders
    from target_gainsight.api.http.call import Observer, Outcome
    from target_gainsight.api.http.json_codec import Json, Record
    from target_gainsight.api.http.request_body import Content
    from target_gainsight.api.http.responses import Response
    from target_gainsight.api.rate_limits.groups import RateLimitGroup

logger = logging.getLogger(__name__)


class GainsightClient:
    """Calls one tenant's API from any number of threads.

    Args:
        base_url: `https://mycompany.gainsightcloud.com`.
        authentication: Says who calls.
        session: A `requests.Session` to use instead of an own one; it is not closed here.
        rate_limiter: Issues permits for calls; enforces the documented limits by default.
        retry: The bounds of retrying.
        timeout: Seconds to wait for a connection, and for an answer.
        clock: Tells the time and waits.
        observer: Is told of every try, in the thread that made it.
        user_agent: What the tenant's logs will show.

    Raises:
        ValueError: the base URL or the session cannot be used.
    """

    def __init__(  # noqa: PLR0913 - each is one choice, and all but two have their default
        self,
        base_url: str,
        authentication: Authentication,
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
        self._clock = clock or SystemClock()
        self._rate_limiter = rate_limiter or RateLimiter(clock=self._clock)
        self._retry = retry
        self._timeout = timeout
        self._observer = observer
        self._has_responded = False
        self._is_gainsight = False
        self._clock_offset = 0.0
        self._stopped = False
        self._token_call = TOKEN_CALL
        self._proofs = authentication.proofs(self._ask_for_token, self._clock)
        self.records = RecordsApi(self)
        self.people = PeopleApi(self)
        self.metadata = MetadataApi(self)
        self.timeline = TimelineApi(self)
        self.cockpit = CockpitApi(self)
        self.bulk = BulkApi(self)

    def call(  # noqa: PLR0913 - one call's anatomy
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
        """Make a call, as often as it takes.

        Args:
            method: The HTTP method.
            path: The path on the tenant's host, its parts quoted.
            kind: What the call is for, as counts and statistics name it.
            group: The group whose limits apply.
            json: The body, where it is a JSON document.
            content: The body, where it is anything else.
            params: The query.
            repeatable: Whether sending it twice has the effect of sending it once.
            partial: Whether a refusal may have written some of what was sent: one that cannot be
                read then leaves open what was.
            expects: Whether the answer's data has the shape that this call's answers have.
            max_seconds: How long to go on trying, where that is less than the policy allows.
            server_error_tries: Tries after which HTTP 500 is taken for the last word.
            min_response_seconds: How long to wait for the answer at least.

        Raises:
            StopRunError: nothing further can succeed.
            RejectRecordsError: the tenant refused what was sent.
            NotFoundError: what was asked for does not exist.
            UnavailableError: retries are spent.
            UnknownOutcomeError: the call is not repeatable and may have been committed.
        """
        query = urlencode(params or {}, safe=",")
        carried = content if json is None else json_content(json)
        call = Call(
            kind,
            method,
            path,
            query,
            carried,
            repeatable,
            expects,
            group,
            min_response_seconds,
            partial,
        )
        policy = self._retry.within(max_seconds, server_error_tries)
        return self._call_with_retries(
            call, policy, lambda patience: self._attempt(call, group, patience)
        )

    def stop(self) -> None:
        """End every wait; calls that wait, or come later, raise `StoppedError`."""
        self._stopped = True
        self._rate_limiter.stop()
        self._clock.wake()

    def close(self) -> None:
        """Close the connections, unless the session was handed in."""
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

    def _ask_for_token(self, proof: AuthHeaders) -> Record:
        """Ask for a token with the client's own proof; where the form is refused, without a body.

        What the tenant accepts is kept for the next token.
        """
        try:
            return self._request_token(self._token_call, proof)
        except CredentialError as error:
            tried_both = self._token_call is BODILESS_TOKEN_CALL
            if tried_both or error.status not in TOKEN_FORM_REFUSED:
                raise
        granted = self._request_token(BODILESS_TOKEN_CALL, proof)
        self._token_call = BODILESS_TOKEN_CALL
        return granted

    def _request_token(self, call: Call, proof: AuthHeaders) -> Record:
        """Make a call for a token: not paced, else like any call."""

        def ask(patience: RetryState) -> Response:
            if self._stopped:
                raise StoppedError(**call.context)
            return self._send(call, proof, patience)

        return as_mapping(self._call_with_retries(call, self._retry, ask).data)

    def _call_with_retries(
        self, call: Call, policy: RetryPolicy, attempt: Callable[[RetryState], Response]
    ) -> Response:
        """Try as often as it takes."""
        patience = RetryState(policy, self._clock.now())
        while True:
            try:
                return attempt(patience)
            except RetryCallError as error:
                self._prepare_retry(call, error, patience)

    def _attempt(self, call: Call, group: RateLimitGroup, patience: RetryState) -> Response:
        """One try, with a permit and the current proof."""
        permit = self._rate_limiter.acquire(group)
        proof = self._proofs.current()
        try:
            answer = self._send(call, proof, patience)
            self._proofs.accepted(proof)
        except ThrottledError as error:
            self._rate_limiter.on_throttled(permit, error.retry_after)
            raise
        except CredentialError as error:
            raise self._after_refusal(proof, error) from None
        except (RejectRecordsError, NotFoundError):
            self._proofs.accepted(proof)
            raise
        finally:
            self._rate_limiter.release(permit)
            self._proofs.ended(proof)
        return answer

    def _after_refusal(self, proof: AuthHeaders, error: CredentialError) -> GainsightError:
        """What a refused proof means for the call that showed it."""
        if self._proofs.refused(proof):
            return TokenExpiredError("the token is not taken any more", **error.context)
        return CredentialError(f"{error.message}. {self._proofs.advice}", **error.context)

    def _send(self, call: Call, proof: AuthHeaders, patience: RetryState) -> Response:
        """One exchange, as the observer is told of it."""
        patience.begin(self._clock.now())
        try:
            answer = self._exchange(call, proof)
        except GainsightError as error:
            error.description = proof.redact(error.description)
            self._notify(call, patience, status=error.status, outcome=outcome_of(error))
            raise
        self._notify(call, patience, status=answer.status, outcome="answered")
        return answer

    def _notify(
        self, call: Call, patience: RetryState, *, status: int | None, outcome: Outcome
    ) -> None:
        """Tell the observer of a try."""
        patience.end(self._clock.now())
        if self._observer:
            self._observer(call.event(patience, status=status, outcome=outcome))

    def _exchange(self, call: Call, proof: AuthHeaders) -> Response:
        response = self._transport.send(
            call.context,
            proof,
            query=call.query,
            content=call.content,
            timeout=self._timeouts(call),
        )
        now = self._clock.now()
        self._has_responded = True
        if server_time := answers.http_time(response.headers.get("Date")):
            self._clock_offset = server_time.timestamp() - now
        envelope = answers.envelope(response)
        self._is_gainsight = self._is_gainsight or "result" in (envelope or {})
        answer = self._parse(call, response, envelope, now)
        self._is_gainsight = True
        if call.expects and not call.expects(answer.data):
            message = "the answer has another shape than this call's answers have"
            raise MalformedResponseError(message, **answer.context(call.context))
        return answer

    def _parse(
        self, call: Call, response: requests.Response, envelope: Record | None, now: float
    ) -> Response:
        """What the answer means; a token is granted in a way of its own."""
        context, is_gainsight = call.context, self._is_gainsight
        if call.kind == TOKEN_CALL.kind:
            return answers.parse_token_response(
                response, envelope, call=context, now=now, is_gainsight=is_gainsight
            )
        return answers.read(
            response,
            envelope,
            call=context,
            now=now,
            is_gainsight=is_gainsight,
            partial=call.partial,
        )

    def _timeouts(self, call: Call) -> tuple[float, float]:
        """Seconds for the connection and for the answer: short ones until the first answer.

        A call that must not be repeated is given its whole time once it is sent.
        """
        whole = max(self._timeout, call.min_response_seconds)
        if self._has_responded:
            return self._timeout, whole
        policy = self._retry
        connect = min(self._timeout, policy.first_response_seconds / policy.first_response_tries)
        read = min(self._timeout, policy.first_response_seconds)
        return connect, (read if call.repeatable else whole)

    def _prepare_retry(self, call: Call, error: RetryCallError, patience: RetryState) -> None:
        """Wait for the next try, or say why there is none."""
        if isinstance(error, TokenExpiredError):
            return
        if isinstance(error, ThrottledError) and call.group:
            return  # the rate limiter waits
        if not call.repeatable and isinstance(error, AmbiguousResponseError | ServerError):
            raise self._unknown_outcome(error, patience) from error
        wait = patience.next_wait(error, has_responded=self._has_responded)
        if wait is None:
            raise self._retries_exhausted(error, patience) from error
        logger.warning("%s: trying again in %.1f s", error, wait)
        if self._clock.wait(wait):
            raise StoppedError(**error.context) from error

    def _retries_exhausted(self, error: RetryCallError, patience: RetryState) -> GainsightError:
        if not self._has_responded:
            message = (
                f"{self._transport.host} is not reachable: {error.message}. Check the domain (or "
                "base_url), the network and the proxy settings"
            )
            return UnreachableError(message, **error.context)
        message = (
            f"Gainsight did not serve this call in {patience.attempts} tries over "
            f"{patience.spent:.0f} s: {error.message}"
        )
        return UnavailableError(
            message, attempts=patience.attempts, waited=patience.waited, **error.context
        )

    def _unknown_outcome(self, error: RetryCallError, patience: RetryState) -> UnknownOutcomeError:
        message = f"the call was sent and may have been committed: {error.message}"
        return UnknownOutcomeError(
            message,
            sent_at=patience.sent_at + self._clock_offset,
            timed_out=isinstance(error, ResponseTimeoutError),
            cause=error,
            **error.context,
        )
