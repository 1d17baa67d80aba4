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
    AnswerTimeoutError,
    BrokenAnswerError,
    CredentialError,
    GainsightError,
    NotFoundError,
    OutcomeUnclearError,
    RejectRecordsError,
    RetryCallError,
    ServerError,
    StoppedError,
    ThrottledError,
    TokenEndedError,
    UnavailableError,
    UnclearAnswerError,
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
from target_gainsight.api.http.retry import Patience, RetryPolicy
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

    from target_gainsight.api.auth.headers import Authentication, Proof
    from target_gainsight.api.http.call import Observer, Outcome
    from target_gainsight.api.http.json_codec import Json, Record
    from target_gainsight.api.http.request_body import Content
    from target_gainsight.api.http.responses import Answer
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
        self._heard = False
        self._recognised = False
        self._tenant_ahead = 0.0
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
        least_answer_seconds: float = 0.0,
    ) -> Answer:
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
            least_answer_seconds: How long to wait for the answer at least.

        Raises:
            StopRunError: nothing further can succeed.
            RejectRecordsError: the tenant refused what was sent.
            NotFoundError: what was asked for does not exist.
            UnavailableError: retries are spent.
            OutcomeUnclearError: the call is not repeatable and may have been committed.
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
            least_answer_seconds,
            partial,
        )
        return self._persist(call, max_seconds, lambda patience: self._try(call, group, patience))

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

    def _ask_for_token(self, proof: Proof) -> Record:
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

    def _request_token(self, call: Call, proof: Proof) -> Record:
        """Make a call for a token: not paced, else like any call."""

        def ask(patience: Patience) -> Answer:
            if self._stopped:
                raise StoppedError(**call.context)
            return self._send(call, proof, patience)

        return as_mapping(self._persist(call, None, ask).data)

    def _persist(
        self, call: Call, max_seconds: float | None, attempt: Callable[[Patience], Answer]
    ) -> Answer:
        """Try as often as it takes."""
        patience = Patience(self._retry.within(max_seconds), self._clock.now())
        while True:
            try:
                return attempt(patience)
            except RetryCallError as error:
                self._prepare_retry(call, error, patience)

    def _try(self, call: Call, group: RateLimitGroup, patience: Patience) -> Answer:
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

    def _after_refusal(self, proof: Proof, error: CredentialError) -> GainsightError:
        """What a refused proof means for the call that showed it."""
        if self._proofs.refused(proof):
            return TokenEndedError("the token is not taken any more", **error.context)
        return CredentialError(f"{error.message}. {self._proofs.advice}", **error.context)

    def _send(self, call: Call, proof: Proof, patience: Patience) -> Answer:
        """One exchange, as the observer is told of it."""
        patience.begin(self._clock.now())
        try:
            answer = self._exchange(call, proof)
        except GainsightError as error:
            error.description = proof.hidden_in(error.description)
            self._end(call, patience, status=error.status, outcome=outcome_of(error))
            raise
        self._end(call, patience, status=answer.status, outcome="answered")
        return answer

    def _end(self, call: Call, patience: Patience, *, status: int | None, outcome: Outcome) -> None:
        """Tell the observer of a try."""
        patience.end(self._clock.now())
        if self._observer:
            self._observer(call.event(patience, status=status, outcome=outcome))

    def _exchange(self, call: Call, proof: Proof) -> Answer:
        response = self._transport.send(
            call.context,
            proof,
            query=call.query,
            content=call.content,
            timeout=self._timeouts(call),
        )
        now = self._clock.now()
        self._heard = True
        if server_time := answers.http_time(response.headers.get("Date")):
            self._tenant_ahead = server_time.timestamp() - now
        envelope = answers.envelope(response)
        self._recognised = self._recognised or "result" in (envelope or {})
        answer = self._judge(call, response, envelope, now)
        self._recognised = True
        if call.expects and not call.expects(answer.data):
            message = "the answer has another shape than this call's answers have"
            raise BrokenAnswerError(message, **answer.context(call.context))
        return answer

    def _judge(
        self, call: Call, response: requests.Response, envelope: Record | None, now: float
    ) -> Answer:
        """What the answer means; a token is granted in a way of its own."""
        context, recognised = call.context, self._recognised
        if call.kind == TOKEN_CALL.kind:
            return answers.read_grant(
                response, envelope, call=context, now=now, recognised=recognised
            )
        return answers.read(
            response,
            envelope,
            call=context,
            now=now,
            recognised=recognised,
            partial=call.partial,
        )

    def _timeouts(self, call: Call) -> tuple[float, float]:
        """Seconds for the connection and for the answer: short ones until the first answer.

        A call that must not be repeated is given its whole time once it is sent.
        """
        whole = max(self._timeout, call.least_answer_seconds)
        if self._heard:
            return self._timeout, whole
        policy = self._retry
        connect = min(self._timeout, policy.first_answer_seconds / policy.first_answer_tries)
        read = min(self._timeout, policy.first_answer_seconds)
        return connect, (read if call.repeatable else whole)

    def _prepare_retry(self, call: Call, error: RetryCallError, patience: Patience) -> None:
        """Wait for the next try, or say why there is none."""
        if isinstance(error, TokenEndedError):
            return
        if isinstance(error, ThrottledError) and call.group:
            return  # the rate limiter waits
        if not call.repeatable and isinstance(error, UnclearAnswerError | ServerError):
            raise self._unclear(error, patience) from error
        wait = patience.next_wait(error, heard=self._heard)
        if wait is None:
            raise self._spent(error, patience) from error
        logger.warning("%s: trying again in %.1f s", error, wait)
        if self._clock.wait(wait):
            raise StoppedError(**error.context) from error

    def _spent(self, error: RetryCallError, patience: Patience) -> GainsightError:
        if not self._heard:
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

    def _unclear(self, error: RetryCallError, patience: Patience) -> OutcomeUnclearError:
        message = f"the call was sent and may have been committed: {error.message}"
        return OutcomeUnclearError(
            message,
            sent_at=patience.sent_at + self._tenant_ahead,
            timed_out=isinstance(error, AnswerTimeoutError),
            cause=error,
            **error.context,
        )
