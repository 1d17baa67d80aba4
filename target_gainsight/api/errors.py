"""Everything that can go wrong with a call, grouped by what the caller does next.

    GainsightError
    ├── StopRunError                stop the run; the message says what to do
    │   ├── CredentialError           401: access key, or client id and secret, are not accepted
    │   ├── AccessDeniedError         403: permission, or an IP address that is not allowed
    │   ├── UnknownRouteError         404: the tenant does not know this API route
    │   ├── UnsuitableObjectError     the object cannot be written through this API
    │   ├── WrongMetadataError        another object is described than the one asked for
    │   ├── RedirectedError           3xx: credentials are sent to the configured address only
    │   ├── UnreachableError          no first response: DNS, refused, TLS, not a Gainsight tenant
    │   ├── QuotaExceededError        the day's quota is used up
    │   ├── CallBudgetExceededError   the calls that this run may make are used up
    │   ├── QuotaStoreError           the store that counts the calls cannot be used
    │   └── StoppedError              the client was stopped while the call waited
    ├── RetryCallError              retry the call; seen outside only as a cause
    │   ├── ThrottledError            too many calls: wait for the next window
    │   ├── TokenExpiredError         401: fetch another token
    │   ├── ServerError               5xx
    │   ├── ConnectError              the connection was never made
    │   └── AmbiguousResponseError    sent, but the outcome is not known
    │       ├── ConnectionLostError     reset after sending
    │       ├── ResponseTimeoutError    no response in time
    │       └── MalformedResponseError  HTML, truncated, empty or of the wrong shape
    ├── UnavailableError            retries are exhausted; later calls may succeed
    ├── UnknownOutcomeError         look the records up: they may have been written
    ├── RejectRecordsError          reject the records
    │   └── RefusedError              the tenant refused the call's records
    │       ├── UnreadableFieldError    a query selects a field that no query can read
    │       └── PayloadTooLargeError    413: nothing was written, send less in one call
    └── NotFoundError               what was asked for does not exist
        └── ObjectNotFoundError       the tenant has no such object

Errors carry what is needed to find the call again, never a credential and never a whole record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from typing_extensions import Unpack

from target_gainsight.api.http.json_codec import Json

_LONGEST_DESCRIPTION = 300


class CallContext(TypedDict, total=False):
    """The call that an error is about, and what the tenant responded.

    `status` is the HTTP status, `code` and `description` are the response's `errorCode` and
    `errorDesc`, `request_id` is what Gainsight's support asks for.
    """

    method: str | None
    path: str | None
    status: int | None
    code: str | None
    description: str | None
    request_id: str | None


@dataclass(frozen=True)
class FieldFailure:
    """One field of one record that the tenant did not accept.

    `value` is the refused value as the response gives it: a list for picklists, text where it
    could only be read out of the description, `None` where it is not given.
    """

    field: str | None
    value: Json
    code: str
    message: str


class GainsightError(Exception):
    """Anything that went wrong with a call. Its text is one readable line."""

    default_message = ""

    def __init__(self, message: str = "", **context: Unpack[CallContext]) -> None:
        self.message = message or self.default_message
        super().__init__(self.message)
        self.method = context.get("method")
        self.path = context.get("path")
        self.status = context.get("status")
        self.code = context.get("code")
        self.description = context.get("description")
        self.request_id = context.get("request_id")

    @property
    def context(self) -> CallContext:
        """The context, for an error that replaces this one."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "code": self.code,
            "description": self.description,
            "request_id": self.request_id,
        }

    def __str__(self) -> str:
        description = self.description or ""
        if len(description) > _LONGEST_DESCRIPTION:
            description = f"{description[:_LONGEST_DESCRIPTION]}…"
        details = [
            f"{self.method} {self.path}" if self.method else "",
            f"HTTP {self.status}" if self.status else "",
            self.code or "",
            description,
            f"request id {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(detail for detail in details if detail)
        message = self.message or type(self).__name__
        text = f"{message} ({known})" if known else message
        return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class StopRunError(GainsightError):
    """Nothing further can succeed: stop the run. The message says what to do."""


class CredentialError(StopRunError):
    """The tenant does not accept the credential (401, `GS_APIG_2401`), or grants it no token."""


class AccessDeniedError(StopRunError):
    """The credential is good but may not do this (403), or not from here (`GS_APIG_2402`)."""


class UnknownRouteError(StopRunError):
    """The tenant does not know the API route (404, `GS_APIG_1000`)."""


class UnsuitableObjectError(StopRunError):
    """The object exists but cannot be used through this API (`GSOBJ_1023`)."""


class WrongMetadataError(StopRunError):
    """The response describes another object than the one asked for, or none of its fields."""


class RedirectedError(StopRunError):
    """The tenant redirects; credentials are sent to the configured address only."""


class UnreachableError(StopRunError):
    """The domain has never responded, or is no Gainsight tenant."""


class QuotaExceededError(StopRunError):
    """The day's quota is used up until `resets_at` (UTC)."""

    def __init__(
        self, message: str = "", *, resets_at: datetime, **context: Unpack[CallContext]
    ) -> None:
        super().__init__(message, **context)
        self.resets_at = resets_at


class CallBudgetExceededError(StopRunError):
    """The calls that this run may make are used up; the tenant's quota is not."""


class QuotaStoreError(StopRunError):
    """The file or the Redis server that counts the calls cannot be used."""


class StoppedError(StopRunError):
    """The client was stopped; this call was waiting and is not sent."""

    default_message = "the client was stopped before the call could be sent"


class RetryCallError(GainsightError):
    """The same call may succeed later. `retry_after` is in seconds, if the server gave it."""

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        **context: Unpack[CallContext],
    ) -> None:
        super().__init__(message, **context)
        self.retry_after = retry_after


class ThrottledError(RetryCallError):
    """Too many calls (429, `GU_2400` or `GS_APIG_2404`, whatever the HTTP status)."""


class TokenExpiredError(RetryCallError):
    """The tenant no longer accepts this token; the call had no effect."""


class ServerError(RetryCallError):
    """The tenant failed (5xx, `GU_1101`). A write may have been committed nevertheless."""


class ConnectError(RetryCallError):
    """The connection was never made, so the call cannot have had an effect."""


class AmbiguousResponseError(RetryCallError):
    """The call was sent and no response can be read: it may have had its effect."""


class ConnectionLostError(AmbiguousResponseError):
    """The connection broke after sending."""


class ResponseTimeoutError(AmbiguousResponseError):
    """No response came in time. The call may still take effect."""


class MalformedResponseError(AmbiguousResponseError):
    """The response does not have the shape of this call's responses."""


class UnavailableError(GainsightError):
    """The call was tried `attempts` times, over `waited` seconds, and never succeeded.

    The last fault is the `__cause__`. Waits for the window or the quota are not in `waited`.
    """

    def __init__(
        self, message: str = "", *, attempts: int, waited: float, **context: Unpack[CallContext]
    ) -> None:
        super().__init__(message, **context)
        self.attempts = attempts
        self.waited = waited


class UnknownOutcomeError(GainsightError):
    """A call that must not be repeated was sent and may have been committed.

    `sent_at` is when, in epoch seconds on the tenant's clock as far as its responses show it
    (else on ours). If it `timed_out`, the call may be committed later still. `cause` is the fault.
    """

    def __init__(
        self,
        message: str = "",
        *,
        sent_at: float,
        timed_out: bool,
        cause: RetryCallError,
        **context: Unpack[CallContext],
    ) -> None:
        super().__init__(message, **context)
        self.sent_at = sent_at
        self.timed_out = timed_out
        self.cause = cause


class RejectRecordsError(GainsightError):
    """The records cannot be written as they are: reject them."""


class RefusedError(RejectRecordsError):
    """The tenant refused the call; nothing was written.

    `failures` has an entry per failed record, each with its failed fields, in the response's order.
    There is no record index in the response (Company API, Insert). It is empty when the response
    names no field. `data` is the response's payload, which may state outcomes per record even then.
    """

    def __init__(
        self,
        message: str = "",
        *,
        failures: tuple[tuple[FieldFailure, ...], ...] = (),
        data: Json = None,
        **context: Unpack[CallContext],
    ) -> None:
        super().__init__(message, **context)
        self.failures = failures
        self.data = data


class PayloadTooLargeError(RefusedError):
    """The call's body is too large (413), for the tenant or a proxy before it."""


class UnreadableFieldError(RefusedError):
    """A query selects a field that is described and cannot be read (`P_5005` and the like).

    `fields` are those of the select that the response names; empty when it names none of them.
    """

    def __init__(
        self, message: str = "", *, fields: tuple[str, ...], **context: Unpack[CallContext]
    ) -> None:
        super().__init__(message, **context)
        self.fields = fields


class NotFoundError(GainsightError):
    """What was asked for does not exist."""


class ObjectNotFoundError(NotFoundError):
    """The tenant has no object of this name."""
