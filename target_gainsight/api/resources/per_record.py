"""Timeline activities and CTAs: each record of a call has its own outcome, under its reference.

The reference is the `ExternalId` of an activity, or the `referenceId` of the request for a CTA.
Documented examples of responses differ: an object by reference or a list of such, `failures` or
`failure`, a message or objects with a code. All of these are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from target_gainsight.api.errors import RefusedError
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_mappings, as_text
from target_gainsight.api.http.responses import Send
from target_gainsight.api.resources.metadata import PicklistOption
from target_gainsight.api.resources.records import batch

_WRITTEN = ("success", "successes")
_REFUSED = ("failures", "failure")
_REFERENCES = ("referenceId", "ExternalId", "externalId")
_IDENTIFIERS = ("activityId", "Gsid", "gsid", "GSID", "id")
_CODES = ("errorCode", "code")
_MESSAGES = ("message", "errorMessage", "errorDesc")
_DUPLICATE = "GS_TL_10_0207"
_DUPLICATE_MESSAGE = re.compile(r"duplicate|already|exists", re.IGNORECASE)
_CTA_NAMES = ("type", "reason", "status", "priority")
CTA_NAMES_CALL = Call(
    "GET",
    "/v2/cockpit/admin/picklist/lite",
    kind="cta names",
    params={"category": ",".join(f"CTA_{name.upper()}" for name in _CTA_NAMES), "et": "COMPANY"},
    max_seconds=60,
)
"""Cockpit API, Get CTA Configuration."""


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


@dataclass(frozen=True)
class TimelineApi:
    """Saves activities by their `ExternalId`, which is unique in the tenant.

    Inserting an `ExternalId` that exists fails for that activity alone. An insert whose response
    was lost may therefore be sent again: activities that were written fail as duplicates.

    Raises `RefusedError` if a whole call is refused (nothing was written), `UnknownOutcomeError` if
    an insert may have been written, and `ValueError` if there is no activity or more than 50.
    """

    _send: Send

    def insert(self, activities: Sequence[Record]) -> PerRecordResponse:
        """Create up to 50 activities (Timeline APIs, Single Activity Save).

        `ActivityDate` has milliseconds and offset.
        """
        return self._save("POST", activities)

    def update(self, activities: Sequence[Record]) -> PerRecordResponse:
        """Update up to 50 activities."""
        return self._save("PUT", activities, {"identifier": "externalid"})

    def _save(
        self, method: str, activities: Sequence[Record], params: Mapping[str, str] | None = None
    ) -> PerRecordResponse:
        call = Call(
            method,
            "/v1/ant/es/activity",
            kind="timeline",
            group="timeline",
            params=params or {},
            json={"records": batch(activities)},
        )
        return _save_by_reference(self._send, call)


@dataclass(frozen=True)
class CockpitApi:
    """Writes CTAs, each under a reference of the caller's choice.

    Type, reason, status and priority are given by name. A CTA has no key that makes a repeat safe:
    after an unknown outcome, look it up.

    Raises `RefusedError` if a whole call is refused (nothing was written), `UnknownOutcomeError` if
    an insert may have been written, and `ValueError` if there is no CTA or more than 50.
    """

    _send: Send

    def insert(self, ctas: Mapping[str, Record]) -> PerRecordResponse:
        """Create up to 50 CTAs (Create CTA)."""
        return self._save("POST", ctas)

    def update(self, ctas: Mapping[str, Record]) -> PerRecordResponse:
        """Update up to 50 CTAs by their `Gsid` (Update CTA)."""
        return self._save("PUT", ctas)

    def list_names(self) -> dict[str, tuple[PicklistOption, ...]]:
        """List the values that CTAs refer to by name.

        They come by `type`, `reason`, `status` and `priority`; what the response lacks is left out.
        """
        names: dict[str, tuple[PicklistOption, ...]] = {}
        for category, item in _listed_names(self._send(CTA_NAMES_CALL).data):
            kind = next((kind for kind in _CTA_NAMES if kind in category.lower()), None)
            label = as_text(item.get("name")) or as_text(item.get("label"))
            if kind and label:
                option = PicklistOption(
                    gsid=as_text(item.get("gsid")) or label,
                    label=label,
                    active=item.get("active") is not False,
                )
                names[kind] = (*names.get(kind, ()), option)
        return names

    def _save(self, method: str, ctas: Mapping[str, Record]) -> PerRecordResponse:
        requests = batch([{"record": {**cta, "referenceId": key}} for key, cta in ctas.items()])
        call = Call(method, "/v2/cockpit/cta/", kind="cta", json={"requests": requests})
        return _save_by_reference(self._send, call)


def is_duplicate(failure: RecordFailure) -> bool:
    """Return whether an activity seems to be refused because its `ExternalId` exists.

    Gainsight does not document the code, so the message counts, too: look the activity up.
    """
    return failure.code == _DUPLICATE or bool(_DUPLICATE_MESSAGE.search(failure.message))


def _listed_names(data: Json) -> Iterator[tuple[str, Record]]:
    """Yield each item with its category: lists by category, or one list whose items name theirs."""
    for category, items in as_mapping(data).items():
        for item in as_mappings(items):
            yield category, item
    for item in as_mappings(data):
        yield as_text(item.get("picklistCategory")) or "", item


def _save_by_reference(send: Send, call: Call) -> PerRecordResponse:
    """Write records. Only a PUT may be repeated."""
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
