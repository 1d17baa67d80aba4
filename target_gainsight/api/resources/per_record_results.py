"""Responses that state the outcome of each record under its reference.

The reference is the `ExternalId` of an activity, or the `referenceId` of the request for a CTA.
Documented examples differ: an object by reference or a list of such, `failures` or `failure`, a
message or objects with a code. All of these are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from target_gainsight.api.errors import RefusedError
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import Json, as_mapping, as_text
from target_gainsight.api.http.responses import Send

_WRITTEN = ("success", "successes")
_REFUSED = ("failures", "failure")
_REFERENCES = ("referenceId", "ExternalId", "externalId")
_IDENTIFIERS = ("activityId", "Gsid", "gsid", "GSID", "id")
_CODES = ("errorCode", "code")
_MESSAGES = ("message", "errorMessage", "errorDesc")


@dataclass(frozen=True)
class RecordFailure:
    """Why one record was not written. `code` is empty if the response gives none."""

    code: str
    message: str


@dataclass(frozen=True)
class PerRecordResponse:
    """The outcome of each record of a call, by reference.

    `written` holds the identifier of what was written, or None if the response does not give it. A
    reference that is in neither has an unknown outcome.
    """

    written: Mapping[str, str | None]
    refused: Mapping[str, RecordFailure]
    request_id: str | None


def save_by_reference(send: Send, call: Call) -> PerRecordResponse:
    """Write records, each with its own outcome. Only a PUT may be repeated.

    Raises:
        RefusedError: The whole call is refused; nothing was written.
        UnknownOutcomeError: The records may have been written.
    """
    repeatable = call.method == "PUT"
    call = replace(call, repeatable=repeatable, partial=True, expects=_is_by_reference)
    try:
        response = send(call)
    except RefusedError as refusal:
        if not _is_by_reference(refusal.data):
            raise
        return _read_by_reference(refusal.data, refusal.request_id)
    return _read_by_reference(response.data, response.request_id)


def _is_by_reference(data: Json) -> bool:
    return any(name in as_mapping(data) for name in (*_WRITTEN, *_REFUSED))


def _read_by_reference(data: Json, request_id: str | None) -> PerRecordResponse:
    """Parse outcomes in any of their forms."""
    outcomes = as_mapping(data)
    refused = {
        reference: RecordFailure(_first(why, _CODES) or "", _message(why))
        for name in _REFUSED
        for reference, why in _by_reference(outcomes.get(name))
    }
    written = {
        reference: _first(what, _IDENTIFIERS)
        for name in _WRITTEN
        for reference, what in _by_reference(outcomes.get(name))
        if reference not in refused
    }
    return PerRecordResponse(written, refused, request_id)


def _by_reference(listed: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(listed, list):
        for each in listed:
            yield from _by_reference(each)
        return
    entry = as_mapping(listed)
    named = next((entry[name] for name in _REFERENCES if name in entry), None)
    if named is not None:
        yield str(named), entry
    else:
        yield from entry.items()


def _message(why: Json) -> str:
    if isinstance(why, list):
        return "; ".join(filter(None, (_message(each) for each in why)))
    return _first(why, _MESSAGES) or ""


def _first(value: Json, names: tuple[str, ...]) -> str | None:
    """Return the first text under one of the keys, in any item; a bare text counts as a message."""
    if isinstance(value, list):
        return next((found for each in value if (found := _first(each, names))), None)
    if isinstance(value, Mapping):
        return next((text for name in names if (text := as_text(value.get(name)))), None)
    return None if names is _CODES else as_text(value)
