"""Timeline activities and CTAs: each record of a call has its own outcome, under its reference.

The reference is the `ExternalId` of an activity, or the `referenceId` of the request for a CTA.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from target_gainsight.api.errors import FieldFailure, RefusedError
from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_mappings, as_text
from target_gainsight.api.http.responses import Response, Send
from target_gainsight.api.resources.metadata import PicklistOption
from target_gainsight.api.resources.records import check_batch

_IDENTIFIERS = ("activityId", "Gsid", "gsid", "id")
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
class PerRecordResponse:
    """The GSID, if given, or failure of each record by reference; one in neither has none."""

    written: Mapping[str, str | None]
    refused: Mapping[str, FieldFailure]
    request_id: str | None


@dataclass(frozen=True)
class TimelineApi:
    """Saves up to 50 activities by their `ExternalId`, which is unique in the tenant.

    An insert whose response was lost may be sent again: what was written fails as a duplicate.
    """

    _send: Send

    def save(self, activities: Sequence[Record], *, create: bool) -> PerRecordResponse:
        """Create or update activities; `ActivityDate` has milliseconds and offset."""
        call = Call(
            "POST" if create else "PUT",
            "/v1/ant/es/activity",
            kind="timeline",
            group="timeline",
            params={} if create else {"identifier": "externalid"},
            json={"records": check_batch(activities)},
        )
        return _save_by_reference(self._send, call)


@dataclass(frozen=True)
class CockpitApi:
    """Writes up to 50 CTAs, each under a reference of the caller's choice.

    A CTA has no key that makes a repeat safe: after an `UnknownOutcomeError`, look it up.
    """

    _send: Send

    def save(self, ctas: Mapping[str, Record], *, create: bool) -> PerRecordResponse:
        """Create CTAs, or update them by their `Gsid` (Create CTA, Update CTA)."""
        records = [{"record": {**cta, "referenceId": key}} for key, cta in ctas.items()]
        method = "POST" if create else "PUT"
        call = Call(method, "/v2/cockpit/cta/", kind="cta", json={"requests": check_batch(records)})
        return _save_by_reference(self._send, call)

    def list_names(self) -> dict[str, tuple[PicklistOption, ...]]:
        """List the values that CTAs refer to by name, by `type`, `reason`, `status`, `priority`."""
        names: dict[str, tuple[PicklistOption, ...]] = {}
        data = self._send(CTA_NAMES_CALL).data
        # There are lists by category, or one list whose items name theirs.
        lists = as_mapping(data).items()
        items = [(category, item) for category, listed in lists for item in as_mappings(listed)]
        items += [(as_text(each.get("picklistCategory")) or "", each) for each in as_mappings(data)]
        for category, item in items:
            kind = next((kind for kind in _CTA_NAMES if kind in category.lower()), None)
            label = as_text(item.get("name")) or as_text(item.get("label"))
            if kind and label:
                gsid = as_text(item.get("gsid")) or label
                option = PicklistOption(gsid, label, active=item.get("active") is not False)
                names[kind] = (*names.get(kind, ()), option)
        return names


def is_duplicate(failure: FieldFailure) -> bool:
    """Return whether an `ExternalId` seems to exist already; the code is not documented."""
    return failure.code == _DUPLICATE or bool(_DUPLICATE_MESSAGE.search(failure.message))


def _save_by_reference(send: Send, call: Call) -> PerRecordResponse:
    repeatable = call.method == "PUT"
    call = replace(call, repeatable=repeatable, partial=True, expects=_is_by_reference)
    response: Response | RefusedError
    try:
        response = send(call)
    except RefusedError as refusal:
        if not _is_by_reference(refusal.data):
            raise
        response = refusal
    data = as_mapping(response.data)
    refused = {}
    for reference, failures in _by_reference(data, "failures", "failure"):
        code = next(_texts(as_mappings(failures), _CODES), "")
        refused[reference] = FieldFailure(None, None, code, "; ".join(_texts(failures, _MESSAGES)))
    written = {
        reference: next(_texts(results, _IDENTIFIERS), None)
        for reference, results in _by_reference(data, "success")
        if reference not in refused
    }
    return PerRecordResponse(written, refused, response.request_id)


def _is_by_reference(data: Json) -> bool:
    return not {"success", "failures", "failure"}.isdisjoint(as_mapping(data))


def _by_reference(data: Record, *names: str) -> Iterator[tuple[str, list[Json]]]:
    """Yield each reference in these objects or lists of objects, with its value as a list."""
    for listed in map(data.get, names):
        for part in listed if isinstance(listed, list) else [listed]:
            for reference, items in as_mapping(part).items():
                yield reference, items if isinstance(items, list) else [items]


def _texts(items: Sequence[Json], names: tuple[str, ...]) -> Iterator[str]:
    """Yield each item that is a text, and the first text under one of the names of any other."""
    for item in items:
        texts = (as_text(as_mapping(item).get(name)) for name in names)
        if text := as_text(item) or next(filter(None, texts), None):
            yield text
