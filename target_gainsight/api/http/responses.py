"""Parse HTTP responses: a `Response`, or the error by which the caller decides what to do next.

Outcomes come from the body, not from the status: `result: false` with HTTP 200 is a failure, and a
throttling code throttles whatever the status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import requests

from target_gainsight.api.auth.oauth import parse_token
from target_gainsight.api.errors import (
    AccessDeniedError,
    CallContext,
    CredentialError,
    FieldFailure,
    GainsightError,
    MalformedResponseError,
    NotFoundError,
    ObjectNotFoundError,
    PayloadTooLargeError,
    RedirectedError,
    RefusedError,
    RetryCallError,
    ServerError,
    ThrottledError,
    UnknownRouteError,
    UnreachableError,
    UnsuitableObjectError,
)
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_text, decode


@dataclass(frozen=True)
class Response:
    """A successful response. `body` is the whole envelope, `data` its payload.

    `request_id` is what Gainsight's support asks for; `server_time` is the tenant's clock, to the
    second (`Date` header). The names of `headers` are in lower case.
    """

    data: Json
    request_id: str | None
    status: int
    server_time: datetime | None
    body: Record
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Received:
    """An HTTP response to a call, received `at` (epoch seconds).

    `body` is the JSON object in it, or None if it holds anything else; `is_gainsight` is true once
    this tenant has responded as Gainsight does.
    """

    http: requests.Response
    body: Record | None
    call: CallContext
    at: float
    is_gainsight: bool

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.http.status_code

    @property
    def context(self) -> CallContext:
        """The context for an error about this response."""
        body: Record = self.body or {}
        description = body.get("errorDesc") or body.get("message") or body.get("title")
        return {
            **self.call,
            "status": self.status,
            "code": as_text(body.get("errorCode")),
            "description": as_text(description),
            "request_id": as_text(body.get("requestId"))
            or self.http.headers.get("x-gs-request-id"),
        }

    @property
    def is_page(self) -> bool:
        """Whether it is a web page."""
        media_type = self.http.headers.get("Content-Type", "")
        return "html" in media_type.lower() or self.http.content.lstrip()[:1] == b"<"

    @property
    def retry_after(self) -> float | None:
        """The seconds to wait that the server asks for, as a number or as a date."""
        value = self.http.headers.get("Retry-After", "").strip()
        if value.isdecimal():
            return float(value)
        until = http_time(value)
        if until is None:
            return None
        server_time = http_time(self.http.headers.get("Date"))
        return max(0.0, until.timestamp() - (server_time.timestamp() if server_time else self.at))

    def success(self, data: Json) -> Response:
        """Return it as a successful response."""
        return Response(
            data=data,
            request_id=self.context["request_id"],
            status=self.status,
            server_time=http_time(self.http.headers.get("Date")),
            body=self.body or {},
            headers={name.lower(): value for name, value in self.http.headers.items()},
        )


_NOT_ACCEPTED = "Gainsight does not accept the credential"
_CHECK_CLIENT = (
    "Gainsight grants no token for client_id and client_secret. They are the OAuth API Key and the "
    "OAuth API Secret that a super administrator makes in Administration > Connectors 2.0 > Create "
    "Connection > Gainsight API, authentication type OAuth; check both, and that the domain is the "
    "tenant they belong to"
)
_ASK_PERMISSION = (
    "Gainsight denies this call. Ask an administrator to allow the credential this API, and this "
    "machine's IP address if the tenant restricts addresses"
)
_CHECK_ADDRESS = (
    "Gainsight does not allow calls from this IP address. Ask an administrator to add it to the "
    "tenant's allowed addresses"
)
_CHECK_ROUTE = (
    "the tenant does not know this API route. Check that the domain is a Gainsight CS (NXT) "
    "tenant's, and base_url if it is set"
)
_WRONG_API = (
    "this object cannot be used through the synchronous API, which serves standard and low-volume "
    "custom objects only. Load it by a bulk job instead (transport: bulk)"
)
_THROTTLED = "too many calls"

_BY_CODE: Mapping[str, tuple[type[GainsightError], str]] = {
    "GU_2400": (ThrottledError, _THROTTLED),
    "GS_APIG_2404": (ThrottledError, _THROTTLED),
    "GS_APIG_2401": (CredentialError, _NOT_ACCEPTED),
    "GSOBJ_1024": (CredentialError, _NOT_ACCEPTED),
    "GS_APIG_2402": (AccessDeniedError, _CHECK_ADDRESS),
    "GS_APIG_1000": (UnknownRouteError, _CHECK_ROUTE),
    "GSOBJ_1023": (UnsuitableObjectError, _WRONG_API),
    "GU_1101": (ServerError, "Gainsight failed"),
    # Its HTTP status is 500, and it states that nothing was deleted (Company API, Error Codes).
    "GSOBJ_1003": (RefusedError, "Gainsight does not delete the record"),
}
_BY_STATUS: Mapping[int, tuple[type[GainsightError], str]] = {
    401: (CredentialError, _NOT_ACCEPTED),
    403: (AccessDeniedError, _ASK_PERMISSION),
    429: (ThrottledError, _THROTTLED),
}

_REDIRECTS = range(300, 400)
_REFUSALS = range(400, 500)
_SERVER_FAULTS = range(500, 600)
_NOT_FOUND = 404
_TOO_LARGE = 413
_FIELD_IN_DESCRIPTION = re.compile(
    r"^(?P<message>.*?)\s*\(\s*(?P<field>\w[\w.]*)\s*=\s*(?P<value>.*?)\s*\)\.?\s*$", re.DOTALL
)
"""The tail is printed with a blank before `=` and without (Company API, Error Codes)."""
_NULL_CODE = "GSOBJ_1007"


def decode_body(response: requests.Response) -> Record | None:
    """Return the JSON object in a response, or None if it holds anything else."""
    try:
        body = decode(response.content)
    except ValueError:
        return None
    return as_mapping(body) if isinstance(body, dict) else None


def parse_response(received: Received, *, partial: bool = False) -> Response:
    """Return a successful response. A refused `partial` call may have written some records.

    Raises:
        GainsightError: The response is a failure, or cannot be read.
    """
    body, status = received.body, received.status
    if status in _REDIRECTS:
        raise _redirected(received)
    if body is not None and received.http.ok and body.get("result") is True:
        return received.success(body.get("data"))
    if status == _TOO_LARGE:
        message = "the request body is too large; nothing was written"
        raise PayloadTooLargeError(message, **received.context)
    if partial and status not in _BY_STATUS and _is_ambiguous(received):
        message = "the refusal does not state the outcome of each record"
        raise MalformedResponseError(message, **received.context)
    raise _failure(received, received.context)


def parse_token_response(received: Received) -> Response:
    """Return a response whose data holds an `access_token` (RFC 6749, 5; Get Access Token API).

    A refusal is the fault of the credential, never of a record. The tenant's description is left
    out of errors, because it may quote what was sent.

    Raises:
        GainsightError: No token is granted, or the response cannot be read.
    """
    body: Record = received.body or {}
    context: CallContext = {**received.context, "description": None}
    context["code"] = context["code"] or as_text(body.get("error"))
    if received.status in _REDIRECTS:
        raise _redirected(received)
    granted = None if body.get("result") is False else parse_token(body)
    if received.http.ok and granted:
        return received.success(granted)
    raise _token_error(received, context)


def field_failures(body: Record) -> tuple[FieldFailure, ...]:
    """Return the failed fields that an envelope names, of all failed records.

    They are listed nested (a list per record), flat (an entry each), or not at all; then field and
    value are read from the description, which ends in "(Field = value).". What a listed failure
    leaves out is taken from there, too.
    """
    described = _described_failure(body)
    listed = _failures_in(as_mapping(body.get("data")).get("errors"))
    if described is None:
        return listed
    return tuple(_completed(failure, described) for failure in listed) or (described,)


def http_time(text: str | None) -> datetime | None:
    """Parse the time of an HTTP header."""
    try:
        time = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _redirected(received: Received) -> RedirectedError:
    target = received.http.headers.get("Location", "an unnamed address")
    message = (
        f"the response redirects to {target}. Credentials are sent to the configured address "
        "only; if the tenant has moved there, set domain (or base_url) to it"
    )
    return RedirectedError(message, **received.context)


def _failure(received: Received, context: CallContext) -> GainsightError:
    known = _BY_CODE.get(context["code"] or "") or _BY_STATUS.get(received.status)
    if known is None and received.status in _SERVER_FAULTS:
        known = (ServerError, "Gainsight failed")
    if known is None:
        return (
            _unreadable(received, context) if received.body is None else _refusal(received, context)
        )
    kind, message = known
    if issubclass(kind, RetryCallError):
        return kind(message, retry_after=received.retry_after, **context)
    return kind(message, **context)


def _token_error(received: Received, context: CallContext) -> GainsightError:
    """Return why there is no token. A refusal is final, and so is success without a token."""
    failure = _failure(received, context)
    without_token = isinstance(failure, MalformedResponseError) and received.body is not None
    if isinstance(failure, RefusedError | CredentialError) or without_token:
        return CredentialError(_CHECK_CLIENT, **context)
    if received.status == _NOT_FOUND and not isinstance(failure, UnreachableError):
        return UnknownRouteError(_CHECK_ROUTE, **context)
    return failure


def _unreadable(received: Received, context: CallContext) -> GainsightError:
    """Return the error of a response without a JSON object; a refusal is one even so."""
    if received.status in _REFUSALS and received.status != _NOT_FOUND:
        return RefusedError("the call is refused without a readable reason", **context)
    if received.is_page and not received.is_gainsight:
        message = (
            "a web page responds instead of the API: the domain does not seem to be a Gainsight "
            "tenant. It should look like mycompany.gainsightcloud.com"
        )
        return UnreachableError(message, **context)
    if not received.http.content.strip():
        shape = "empty"
    else:
        shape = "a web page" if received.is_page else "not a JSON object, or cut short"
    return MalformedResponseError(f"the response is {shape}", **context)


def _refusal(received: Received, context: CallContext) -> GainsightError:
    """Return the error of a readable refusal that concerns what was sent."""
    body: Record = received.body or {}
    if body.get("title") == "OBJECT_NOT_FOUND":
        return ObjectNotFoundError("the tenant has no such object", **context)
    if received.status == _NOT_FOUND:
        return NotFoundError("the tenant does not have what was asked for", **context)
    if received.http.ok and body.get("result") is not False:
        return MalformedResponseError("the response states neither success nor failure", **context)
    return RefusedError(
        "Gainsight refuses the call",
        failures=field_failures(body),
        data=body.get("data"),
        **context,
    )


def _is_ambiguous(received: Received) -> bool:
    """Return whether a refusal that should state the outcome of each record does not."""
    body = received.body
    if body is None:
        return received.status in _REFUSALS
    return isinstance(body.get("data"), list) and body.get("errorCode") not in _BY_CODE


def _failures_in(entry: Json) -> tuple[FieldFailure, ...]:
    """Return the failed fields of one listed entry, at any depth."""
    if isinstance(entry, list):
        return tuple(failure for inner in entry for failure in _failures_in(inner))
    if not isinstance(entry, dict):
        return ()
    if isinstance(entry.get("errors"), list):
        return _failures_in(entry["errors"])
    failure = FieldFailure(
        field=as_text(entry.get("fieldName")),
        value=entry.get("invalidValue"),
        code=as_text(entry.get("errorCode")) or "",
        message=as_text(entry.get("errorMessage")) or "",
    )
    return (failure,) if failure.field or failure.code or failure.message else ()


def _described_failure(body: Record) -> FieldFailure | None:
    found = _FIELD_IN_DESCRIPTION.match(as_text(body.get("errorDesc")) or "")
    if found is None:
        return None
    code = as_text(body.get("errorCode")) or ""
    return FieldFailure(
        field=found["field"],
        value=None if code == _NULL_CODE else found["value"],
        code=code,
        message=found["message"],
    )


def _completed(failure: FieldFailure, described: FieldFailure) -> FieldFailure:
    """Complete a listed failure by what the description adds."""
    if failure.field not in {None, described.field} or failure.code not in {"", described.code}:
        return failure
    value = described.value if failure.value is None else failure.value
    return replace(described, value=value, message=failure.message or described.message)
