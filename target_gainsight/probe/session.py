"""The calls of a probe. A refusal is a reply here, as informative as a success."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from target_gainsight.api import (
    AccessDeniedError,
    CallBudgetExceededError,
    Clock,
    GainsightClient,
    GainsightError,
    Json,
    NotFoundError,
    QuotaExceededError,
    RedirectedError,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
    UnknownRouteError,
    UnsuitableObjectError,
    encode,
)

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,30}")
_SERVER_ERROR_TRIES = 2
_MAX_RETRY_SECONDS = 1.0
"""Little: each attempt is one of the calls that the probe may make."""
_REPLIES = (
    AccessDeniedError,
    CallBudgetExceededError,
    NotFoundError,
    QuotaExceededError,
    RedirectedError,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
    UnknownRouteError,
    UnsuitableObjectError,
)


@dataclass(frozen=True)
class Reply:
    """The response to one call, or why there is none.

    Attributes:
        status: The HTTP status; None without a response.
        data: The payload, also of a refusal.
        headers: By name in lower case; empty for a refusal.
        error: Why the call did not succeed; None if it did.
        sent_bytes: The size of the request's body.
    """

    status: int | None
    data: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    error: GainsightError | None = None
    sent_bytes: int = 0

    @property
    def code(self) -> str | None:
        """Gainsight's error code, if the call was refused with one; no other text."""
        code = (self.error.code if self.error else None) or ""
        return code if _CODE.fullmatch(code) else None

    @property
    def description(self) -> str:
        """Gainsight's description of the refusal. It may quote values; print it nowhere."""
        return (self.error.description if self.error else None) or ""

    @property
    def was_sent(self) -> bool:
        """Whether the call was sent; it is not once the probe's calls or the quota are used up."""
        return not isinstance(self.error, CallBudgetExceededError | QuotaExceededError)

    @property
    def summary(self) -> str:
        """HTTP status and error code, without any text of the tenant."""
        if not self.was_sent:
            is_quota = isinstance(self.error, QuotaExceededError)
            whose = "of the tenant's day" if is_quota else "that the probe may make"
            return f"the calls {whose} are used up"
        status = f"HTTP {self.status}" if self.status else "no response"
        return f"{status} {self.code or ''}".rstrip()


class ProbeSession:
    """Makes the calls of one probe, paced and counted by the client's rate limiter.

    Attributes:
        client: The client; its rate limiter bounds the number of calls, retries included.
        clock: The time.
        headers: The latest value of every header of a successful response, by name in lower case.
    """

    def __init__(self, client: GainsightClient, clock: Clock) -> None:
        self.client = client
        self.clock = clock
        self.headers: dict[str, str] = {}

    def send(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        json: Json | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Reply:
        """Make a call and return what came back, a refusal as well as a success.

        Args:
            method: The HTTP method.
            path: The path on the tenant's host, its parts quoted.
            kind: The purpose of the call.
            json: The body.
            params: The query.
            repeatable: Whether the call may be retried after an unknown outcome.

        Raises:
            StopRunError: No further call can succeed: the credential is not accepted, or the
                tenant cannot be reached.
        """
        sent_bytes = 0 if json is None else len(encode(json))
        try:
            response = self.client.call(
                method,
                path,
                kind=kind,
                json=json,
                params=params,
                repeatable=repeatable,
                max_seconds=_MAX_RETRY_SECONDS,
                server_error_tries=_SERVER_ERROR_TRIES,
            )
        except _REPLIES as error:
            data = error.data if isinstance(error, RefusedError) else None
            return Reply(error.status, data, error=error, sent_bytes=sent_bytes)
        self.headers.update(response.headers)
        return Reply(response.status, response.data, response.headers, sent_bytes=sent_bytes)
