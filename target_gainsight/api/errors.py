"""Everything that can go wrong with a call, grouped by what the caller does next.

    GainsightError
    ├── StopRunError          stop the run: nothing further can succeed
    ├── RetryCallError        retry the call; seen outside only as a cause
    ├── UnavailableError      try again later: the retries are exhausted
    ├── UnknownOutcomeError   look the records up: they may have been written
    ├── RefusedError          reject the records: nothing was written
    └── NotFoundError         check the name: it does not exist

Errors carry what is needed to find the call again, never a credential and never a whole record.
"""

from dataclasses import KW_ONLY, dataclass

from typing_extensions import Self

from target_gainsight.api.http.json_codec import Json

_LONGEST_DESCRIPTION = 300


@dataclass(frozen=True)
class FieldFailure:
    """A field that the tenant did not accept, or a whole record (`field` is None).

    The `value` of a picklist may be a list.
    """

    field: str | None
    value: Json
    code: str
    message: str


@dataclass(eq=False, repr=False)
class GainsightError(Exception):
    """Anything that went wrong with a call. Gainsight's support asks for the `request_id`."""

    message: str = ""
    _: KW_ONLY
    method: str | None = None
    path: str | None = None
    status: int | None = None
    code: str | None = None
    description: str | None = None
    request_id: str | None = None

    def with_call_of(self, cause: "GainsightError") -> Self:
        """Take over call and response from the error that this one replaces."""
        self.method, self.path, self.status = cause.method, cause.path, cause.status
        self.code, self.description = cause.code, cause.description
        self.request_id = cause.request_id
        return self

    def __str__(self) -> str:
        description = self.description or ""
        if len(description) > _LONGEST_DESCRIPTION:
            description = f"{description[:_LONGEST_DESCRIPTION]}…"
        details = (
            self.method and f"{self.method} {self.path}",
            f"HTTP {self.status}" if self.status else None,
            self.code,
            description,
            self.request_id and f"request id {self.request_id}",
        )
        known = ", ".join(filter(None, details))
        message = self.message or type(self).__name__
        text = f"{message} ({known})" if known else message
        return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class StopRunError(GainsightError):
    """Nothing further can succeed: stop the run. The message says what to do."""


class CredentialError(StopRunError):
    """The tenant does not accept the credential, or grants it no token."""


class AccessDeniedError(StopRunError):
    """The credential is good but may not do this, or not from here."""


class UnknownRouteError(StopRunError):
    """The tenant does not know the API route."""


class UnsuitableObjectError(StopRunError):
    """The object exists but cannot be used through this API."""


class RedirectedError(StopRunError):
    """The tenant redirects; credentials are sent to the configured address only."""


class UnreachableError(StopRunError):
    """The domain has never responded, or is no Gainsight tenant."""


class QuotaExceededError(StopRunError):
    """The day's quota is used up."""


class CallBudgetExceededError(StopRunError):
    """The calls that this run may make are used up; the tenant's quota is not."""


class QuotaStoreError(StopRunError):
    """The file or the Redis server that counts the calls cannot be used."""


@dataclass(eq=False, repr=False)
class StoppedError(StopRunError):
    """The client was stopped; this call was waiting and is not sent."""

    message: str = "the client was stopped before the call could be sent"


@dataclass(eq=False, repr=False, kw_only=True)
class RetryCallError(GainsightError):
    """The same call may succeed later; `retry_after` is in seconds, if the server gave it."""

    retry_after: float | None = None


class ThrottledError(RetryCallError):
    """Too many calls."""


@dataclass(eq=False, repr=False, kw_only=True)
class AmbiguousResponseError(RetryCallError):
    """The call was sent and may have taken effect: it failed, or its response cannot be read."""

    timed_out: bool = False


class UnavailableError(GainsightError):
    """The call was repeated for as long as allowed; its last fault is the `__cause__`."""


@dataclass(eq=False, repr=False, kw_only=True)
class UnknownOutcomeError(GainsightError):
    """A call that must not be repeated may have been committed; `sent_at` by the tenant's clock."""

    sent_at: float
    cause: AmbiguousResponseError


@dataclass(eq=False, repr=False, kw_only=True)
class RefusedError(GainsightError):
    """The tenant refused the call; nothing was written.

    `failures` are the failed fields that it names, in the response's order, which has no index of
    the record (Company API, Insert). `data` is its payload, which may state outcomes per record.
    """

    failures: tuple[FieldFailure, ...] = ()
    data: Json = None


class PayloadTooLargeError(RefusedError):
    """The call's body is too large for the tenant or a proxy before it: send less."""


@dataclass(eq=False, repr=False, kw_only=True)
class UnreadableFieldError(RefusedError):
    """A query selects fields that are described and cannot be read: `fields`, if it names them."""

    fields: tuple[str, ...] = ()


class NotFoundError(GainsightError):
    """What was asked for does not exist."""


class ObjectNotFoundError(NotFoundError):
    """The tenant has no object of this name."""
