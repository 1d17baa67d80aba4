"""Answers of the families that judge each record by itself, told apart by its reference.

Timeline names an activity by its `ExternalId`, Cockpit a CTA by the `referenceId` of its request.
What the public record shows differs in form: an object by reference or a list of such, `failures`
or `failure`, a message or objects with a code. All of it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_gainsight.api.errors import RefusedError
from target_gainsight.api.http.json_codec import Json, as_mapping, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_gainsight.api.http.client import HttpClient
    from target_gainsight.api.rate_limits.groups import RateLimitGroup

_WRITTEN = ("success", "successes")
_REFUSED = ("failures", "failure")
_REFERENCES = ("referenceId", "ExternalId", "externalId")
_IDENTIFIERS = ("activityId", "Gsid", "gsid", "GSID", "id")
_CODES = ("errorCode", "code")
_MESSAGES = ("message", "errorMessage", "errorDesc")


@dataclass(frozen=True)
class RecordFailure:
    """Why one record was not written. `code` is empty where the answer gives none."""

    code: str
    message: str


@dataclass(frozen=True)
class PerRecordResponse:
    """What became of each record of a call.

    `written` has the identifier of what was written, `None` where the answer does not tell it. A
    reference may be missing in both: then the answer says nothing of its record.
    """

    written: Mapping[str, str | None]
    refused: Mapping[str, RecordFailure]
    request_id: str | None


def save_by_reference(
    client: HttpClient,
    method: str,
    path: str,
    body: Json,
    *,
    kind: str,
    group: RateLimitGroup = "synchronous",
    params: Mapping[str, str] | None = None,
) -> PerRecordResponse:
    """Make a call that writes records, each judged by itself. Only a PUT may be repeated.

    Raises:
        RefusedError: the call itself is refused; nothing was written.
        UnknownOutcomeError: what was posted may have been written.
    """
    try:
        answer = client.call(
            method,
            path,
            kind=kind,
            group=group,
            json=body,
            params=params,
            repeatable=method == "PUT",
            partial=True,
            expects=is_by_reference,
        )
    except RefusedError as refusal:
        if not is_by_reference(refusal.data):
            raise
        return read_by_reference(refusal.data, refusal.request_id)
    return read_by_reference(answer.data, answer.request_id)


def is_by_reference(data: Json) -> bool:
    """Whether an answer's data says what became of single records."""
    return any(name in as_mapping(data) for name in (*_WRITTEN, *_REFUSED))


def read_by_reference(data: Json, request_id: str | None) -> PerRecordResponse:
    """An answer's data, in whichever of its forms."""
    said = as_mapping(data)
    refused = {
        reference: RecordFailure(_first(why, _CODES) or "", _message(why))
        for name in _REFUSED
        for reference, why in _by_reference(said.get(name))
    }
    written = {
        reference: _first(what, _IDENTIFIERS)
        for name in _WRITTEN
        for reference, what in _by_reference(said.get(name))
        if reference not in refused
    }
    return PerRecordResponse(written, refused, request_id)


def _by_reference(said: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(said, list):
        for each in said:
            yield from _by_reference(each)
        return
    entry = as_mapping(said)
    named = next((entry[name] for name in _REFERENCES if name in entry), None)
    if named is not None:
        yield str(named), entry
    else:
        yield from entry.items()


def _message(why: Json) -> str:
    if isinstance(why, list):
        return "; ".join(filter(None, (_message(each) for each in why)))
    return _first(why, _MESSAGES) or ""


def _first(said: Json, names: tuple[str, ...]) -> str | None:
    """What the first of some keys says, however deep it lies; a bare text says it itself."""
    if isinstance(said, list):
        return next((found for each in said if (found := _first(each, names))), None)
    if isinstance(said, Mapping):
        return next((text for name in names if (text := as_text(said.get(name)))), None)
    return None if names is _CODES else as_text(said)
