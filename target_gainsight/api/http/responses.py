"""Parse HTTP responses: a `Response`, or the error that says what the caller does next.

Pure functions. Outcomes come from the answer, not from the status: `result: false` with HTTP 200
is a failure, and a throttling code throttles whatever the status.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests


@dataclass(frozen=True)
class Response:
    """A successful answer.

    `data` is the envelope's payload, `body` the whole envelope; `server_time` is the tenant's
    own clock, to the second, from the `Date` header.
    """

    data: Json
    request_id: str | None
    status: int
    server_time: datetime | None
    body: Record

    def context(self, call: CallContext) -> CallContext:
        """For an error about this answer, although it is a success."""
        return {**call, "status": self.status, "request_id": self.request_id}


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


def envelope(response: requests.Response) -> Record | None:
    """The JSON object that an answer consists of, or `None` if it is anything else."""
    try:
        body = decode(response.content)
    except ValueError:
        return None
    return as_mapping(body) if isinstance(body, dict) else None


def read(
    response: requests.Response,
    body: Record | None,
    *,
    call: CallContext,
    now: float,
    is_gainsight: bool,
    partial: bool = False,
) -> Response:
    """Tell success from failure.

    Args:
        response: The whole answer.
        body: Its envelope.
        call: Method and path, for the errors.
        now: Epoch seconds, for a `Retry-After` that is a date.
        is_gainsight: Whether this tenant has answered as Gainsight does before.
        partial: Whether a refusal may nevertheless have written some of what was sent.

    Raises:
        GainsightError: the answer is a failure, or cannot be read.
    """
    context = _context(response, body, call)
    if response.status_code in _REDIRECTS:
        raise _redirected(response, context)
    if body is not None and response.ok and body.get("result") is True:
        return Response(
            data=body.get("data"),
            request_id=context.get("request_id"),
            status=response.status_code,
            server_time=http_time(response.headers.get("Date")),
            body=body,
        )
    if response.status_code == _TOO_LARGE:
        message = "the call's body is too large; nothing of it was taken"
        raise PayloadTooLargeError(message, **context)
    if partial and response.status_code not in _BY_STATUS and _is_ambiguous(response, body):
        message = "the refusal does not say what became of each record"
        raise MalformedResponseError(message, **context)
    raise _failure(response, body, context, now=now, is_gainsight=is_gainsight)


def parse_token_response(
    response: requests.Response,
    body: Record | None,
    *,
    call: CallContext,
    now: float,
    is_gainsight: bool,
) -> Response:
    """Tell a granted token from a refusal (RFC 6749, 5; Get Access Token API).

    A refusal is the fault of the credential, never of what a call carries. What the tenant says in
    its own words is left out of it: it may quote what it was sent.

    Args:
        response: The whole answer.
        body: The JSON object that it consists of, with an envelope or without.
        call: Method and path, for the errors.
        now: Epoch seconds, for a `Retry-After` that is a date.
        is_gainsight: Whether this tenant has answered as Gainsight does before.

    Returns:
        The answer; its data holds an `access_token`.

    Raises:
        GainsightError: no token is granted, or the answer cannot be read.
    """
    said: Record = body or {}
    context: CallContext = {**_context(response, body, call), "description": None}
    context["code"] = context["code"] or as_text(said.get("error"))
    if response.status_code in _REDIRECTS:
        raise _redirected(response, context)
    granted = said.get("result") is not False and parse_token(said)
    if response.ok and granted:
        return Response(
            data=granted,
            request_id=context["request_id"],
            status=response.status_code,
            server_time=http_time(response.headers.get("Date")),
            body=said,
        )
    raise _token_error(response, body, context, now=now, is_gainsight=is_gainsight)


def field_failures(body: Record) -> tuple[tuple[FieldFailure, ...], ...]:
    """The failed fields that an envelope names, grouped by failed record.

    The response lists them nested (a list per record), flat (an entry each), or not at all; then
    field and value are read out of the description, which ends in "(Field = value).". What a
    listed failure leaves out is taken from there, too.
    """
    described = _described_failure(body)
    listed = as_mapping(body.get("data")).get("errors")
    entries = listed if isinstance(listed, list) else [listed]
    groups = tuple(group for entry in entries if (group := _failures_in(entry)))
    if described is None:
        return groups
    return tuple(
        tuple(_completed(failure, described) for failure in group) for group in groups
    ) or ((described,),)


def http_time(text: str | None) -> datetime | None:
    """A time as HTTP headers write it."""
    try:
        time = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _context(response: requests.Response, body: Record | None, call: CallContext) -> CallContext:
    said: Record = body or {}
    description = said.get("errorDesc") or said.get("message") or said.get("title")
    return {
        **call,
        "status": response.status_code,
        "code": as_text(said.get("errorCode")),
        "description": as_text(description),
        "request_id": as_text(said.get("requestId")) or response.headers.get("x-gs-request-id"),
    }


def _redirected(response: requests.Response, context: CallContext) -> RedirectedError:
    target = response.headers.get("Location", "an unnamed place")
    message = (
        f"the answer points to {target}. Credentials are sent to no place but the configured "
        "one: if that is the tenant's right address, set domain (or base_url) to it"
    )
    return RedirectedError(message, **context)


def _failure(
    response: requests.Response,
    body: Record | None,
    context: CallContext,
    *,
    now: float,
    is_gainsight: bool,
) -> GainsightError:
    status, code = response.status_code, context.get("code") or ""
    known = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if known is None and status in _SERVER_FAULTS:
        known = (ServerError, "Gainsight failed")
    if known is not None:
        kind, message = known
        return _error(kind, message, context, retry_after=_retry_after(response, now))
    if body is None:
        return _unreadable(response, context, is_gainsight=is_gainsight)
    return _refusal(response, body, context)


def _token_error(
    response: requests.Response,
    body: Record | None,
    context: CallContext,
    *,
    now: float,
    is_gainsight: bool,
) -> GainsightError:
    """Why there is no token: a refusal, or a readable answer that holds none, is final."""
    failure = _failure(response, body, context, now=now, is_gainsight=is_gainsight)
    empty = isinstance(failure, MalformedResponseError) and body is not None
    if isinstance(failure, RefusedError | CredentialError) or empty:
        return CredentialError(_CHECK_CLIENT, **context)
    if response.status_code == _NOT_FOUND and not isinstance(failure, UnreachableError):
        return UnknownRouteError(_CHECK_ROUTE, **context)
    return failure


def _error(
    kind: type[GainsightError],
    message: str,
    context: CallContext,
    *,
    retry_after: float | None,
) -> GainsightError:
    if issubclass(kind, RetryCallError):
        return kind(message, retry_after=retry_after, **context)
    return kind(message, **context)


def _unreadable(
    response: requests.Response, context: CallContext, *, is_gainsight: bool
) -> GainsightError:
    """An answer that is no JSON object. A refusal is one nevertheless: it is not repeated."""
    status = response.status_code
    if status in _REFUSALS and status != _NOT_FOUND:
        return RefusedError("the call is refused without a readable reason", **context)
    if _is_page(response) and not is_gainsight:
        message = (
            "a web page answers instead of the API: the domain does not seem to be a Gainsight "
            "tenant. It looks like mycompany.gainsightcloud.com"
        )
        return UnreachableError(message, **context)
    return MalformedResponseError(f"the answer is {_shape(response)}", **context)


def _refusal(response: requests.Response, body: Record, context: CallContext) -> GainsightError:
    """What a readable failure that is nobody else's fault says about what was sent."""
    status = response.status_code
    if body.get("title") == "OBJECT_NOT_FOUND":
        return ObjectNotFoundError("the tenant has no such object", **context)
    if status == _NOT_FOUND:
        return NotFoundError("the tenant does not have what was asked for", **context)
    if response.ok and body.get("result") is not False:
        return MalformedResponseError("the answer does not say whether it is a success", **context)
    return RefusedError(
        "Gainsight refuses the call",
        failures=field_failures(body),
        data=body.get("data"),
        **context,
    )


def _is_ambiguous(response: requests.Response, body: Record | None) -> bool:
    """Whether a refusal that should tell of single records is unreadable, or tells otherwise."""
    if body is None:
        return response.status_code in _REFUSALS
    return isinstance(body.get("data"), list) and body.get("errorCode") not in _BY_CODE


def _is_page(response: requests.Response) -> bool:
    kind = response.headers.get("Content-Type", "")
    return "html" in kind.lower() or response.content.lstrip()[:1] == b"<"


def _shape(response: requests.Response) -> str:
    if not response.content.strip():
        return "empty"
    return "a web page" if _is_page(response) else "not a JSON object, or cut short"


def _retry_after(response: requests.Response, now: float) -> float | None:
    """The server's wish in seconds; it may be written as a number or as a date."""
    wish = response.headers.get("Retry-After", "").strip()
    if wish.isdecimal():
        return float(wish)
    until = http_time(wish)
    if until is None:
        return None
    server_time = http_time(response.headers.get("Date"))
    return max(0.0, until.timestamp() - (server_time.timestamp() if server_time else now))


def _failures_in(entry: Json) -> tuple[FieldFailure, ...]:
    """The failed fields of one listed entry, however deep they lie."""
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
    """A listed failure with what the description adds to it."""
    if failure.field not in {None, described.field}:
        return failure
    code = failure.code or described.code
    if code != described.code:
        return failure
    return FieldFailure(
        field=described.field,
        value=described.value if failure.value is None else failure.value,
        code=code,
        message=failure.message or described.message,
    )
