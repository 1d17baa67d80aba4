"""Read HTTP responses, and classify failures by what the caller does next.

Outcomes come from the body, not from the status: `result: false` with HTTP 200 is a failure, and a
throttling code throttles whatever the status.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import requests

from target_gainsight.api import errors
from target_gainsight.api.errors import FieldFailure
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_text, decode


@dataclass(frozen=True)
class Response:
    """A response to a call. The names of `headers` are in lower case.

    `body` is the JSON object in it, or empty if it holds anything else (`is_object` is false then),
    `data` its payload, `server_time` the tenant's clock, to the second (`Date` header).
    """

    call: Call
    status: int
    headers: Mapping[str, str]
    is_object: bool
    body: Record
    data: Json
    request_id: str | None
    server_time: datetime | None


Send: TypeAlias = Callable[[Call], Response]
"""Makes a call, as `GainsightClient.send` does."""

_Failure: TypeAlias = tuple[type[errors.GainsightError], str]
_AMBIGUOUS = errors.AmbiguousResponseError
_NOT_ACCEPTED = (errors.CredentialError, "Gainsight does not accept the credential")
_DENIED = (
    errors.AccessDeniedError,
    "Gainsight denies this call; ask an administrator to allow the credential or this IP address",
)
_THROTTLED = (errors.ThrottledError, "too many calls")
_TOO_LARGE = 413
_FAILED = (_AMBIGUOUS, "Gainsight failed")
_KNOWN_FAILURES: Mapping[str | int, _Failure] = {
    "GU_2400": _THROTTLED,
    "GS_APIG_2404": _THROTTLED,
    "GS_APIG_2401": _NOT_ACCEPTED,
    "GSOBJ_1024": _NOT_ACCEPTED,
    "GS_APIG_2402": _DENIED,
    "GS_APIG_1000": (
        errors.UnknownRouteError,
        "the tenant has no such API route; check that the domain is a Gainsight CS (NXT) tenant's",
    ),
    "GSOBJ_1023": (
        errors.UnsuitableObjectError,
        "the synchronous API does not serve this object; load it by a bulk job (transport: bulk)",
    ),
    "GU_1101": _FAILED,
    # Its HTTP status is 500, and it states that nothing was deleted (Company API, Error Codes).
    "GSOBJ_1003": (errors.RefusedError, "Gainsight does not delete the record"),
    401: _NOT_ACCEPTED,
    403: _DENIED,
    _TOO_LARGE: (errors.PayloadTooLargeError, "the request body is too large; nothing was written"),
    429: _THROTTLED,
}
"""Failures by error code, else by HTTP status; only a body that is too large has no other cause."""
_SUCCESSES = range(200, 300)
_REDIRECTS = range(300, 400)
_REFUSALS = range(400, 500)
_SERVER_FAULTS = range(500, 600)
_NOT_FOUND = 404
_FIELD_IN_DESCRIPTION = re.compile(
    r"^(?P<message>.*?)\s*\(\s*(?P<field>\w[\w.]*)\s*=\s*(?P<value>.*?)\s*\)\.?\s*$", re.DOTALL
)
"""The tail is printed with a blank before `=` and without (Company API, Error Codes)."""
_NULL_CODE = "GSOBJ_1007"


def read_response(http: requests.Response, call: Call) -> Response:
    """Read what came back for a call, whatever it is."""
    parsed: Json = None
    with suppress(ValueError):
        parsed = decode(http.content)
    body = as_mapping(parsed)
    headers = {name.lower(): value for name, value in http.headers.items()}
    server_time: datetime | None = None
    with suppress(ValueError):
        server_time = parsedate_to_datetime(headers.get("date", ""))
    return Response(
        call=call,
        status=http.status_code,
        headers=headers,
        is_object=isinstance(parsed, dict),
        body=body,
        data=body.get("data"),
        request_id=as_text(body.get("requestId")) or headers.get("x-gs-request-id"),
        server_time=server_time,
    )


def check_response(response: Response) -> None:
    """Raise an error unless a response is a success. One that grants a token has no envelope."""
    call, body, result = response.call, response.body, response.body.get("result")
    code = as_text(body.get("errorCode")) or as_text(body.get("error"))
    is_token = call.group is None and response.is_object and result is None
    if response.status not in _SUCCESSES or not (result is True or is_token):
        kind, message = _classify(response, code)
    elif not call.expects(response.data):
        kind, message = _AMBIGUOUS, "the response does not have the shape of this call's responses"
    else:
        return
    description = as_text(body.get("errorDesc") or body.get("message") or body.get("title"))
    error = kind(message, status=response.status, code=code, description=description)
    error.request_id = response.request_id
    if isinstance(error, errors.RetryCallError):
        error.retry_after = _retry_after(response)
    elif isinstance(error, errors.RefusedError):
        error.failures, error.data = field_failures(body), response.data
    raise error


def field_failures(body: Record) -> tuple[FieldFailure, ...]:
    """Return the failed fields of all records: listed by record, flat, or only described."""
    found = _FIELD_IN_DESCRIPTION.match(as_text(body.get("errorDesc")) or "")
    code = as_text(body.get("errorCode")) or ""
    value = found["value"] if found and code != _NULL_CODE else None
    described = found and FieldFailure(found["field"], value, code, found["message"])
    listed = tuple(_failures_in(as_mapping(body.get("data")).get("errors"), described))
    return listed or ((described,) if described else ())


def _classify(response: Response, code: str | None) -> _Failure:
    status = response.status
    if status in _REDIRECTS:
        target = response.headers.get("location", "an unnamed address")
        return errors.RedirectedError, (
            f"the response redirects to {target}. Credentials are sent to the configured address "
            "only; if the tenant has moved there, set domain (or base_url) to it"
        )
    known = _KNOWN_FAILURES.get(status, _FAILED if status in _SERVER_FAULTS else None)
    if code and status != _TOO_LARGE:
        known = _KNOWN_FAILURES.get(code, known)
    if known:
        return known
    if response.is_object:
        return _classify_refusal(response)
    if status == _NOT_FOUND:
        return _KNOWN_FAILURES["GS_APIG_1000"]
    if status in _REFUSALS and not response.call.partial:
        return errors.RefusedError, "the call is refused without a readable reason"
    return _AMBIGUOUS, "the response is a web page, cut short or empty instead of a JSON object"


def _classify_refusal(response: Response) -> _Failure:
    if response.call.partial and isinstance(response.data, list):
        return _AMBIGUOUS, "the refusal does not state the outcome of each record"
    if response.body.get("title") == "OBJECT_NOT_FOUND":
        return errors.ObjectNotFoundError, "the tenant has no such object"
    if response.status == _NOT_FOUND:
        return errors.NotFoundError, "the tenant does not have what was asked for"
    if response.status in _SUCCESSES and response.body.get("result") is not False:
        return _AMBIGUOUS, "the response states neither success nor failure"
    return errors.RefusedError, "Gainsight refuses the call"


def _retry_after(response: Response) -> float | None:
    """Return the seconds that a response asks to wait, given as such or as a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    with suppress(ValueError, TypeError):
        if response.server_time:
            return max(0.0, (parsedate_to_datetime(text) - response.server_time).total_seconds())
    return None


def _failures_in(entry: Json, described: FieldFailure | None) -> Iterator[FieldFailure]:
    """Yield the failed fields of a listed entry, at any depth, completed by the one described."""
    nested = entry if isinstance(entry, list) else as_mapping(entry).get("errors")
    if isinstance(nested, list):
        for inner in nested:
            yield from _failures_in(inner, described)
        return
    names = ("fieldName", "errorCode", "errorMessage")
    field, code, message = (as_text(as_mapping(entry).get(name)) for name in names)
    value = as_mapping(entry).get("invalidValue")
    if not (field or code or message):
        return
    if described and field in {None, described.field} and code in {None, described.code}:
        value = described.value if value is None else value
        yield replace(described, value=value, message=message or described.message)
    else:
        yield FieldFailure(field, value, code or "", message or "")
