"""Calls to action (CTAs), written through the Cockpit API.

Each request has a reference of the caller's choice, under which the response states its outcome. A
CTA has no key that makes a repeat safe: after an unknown outcome, look it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from target_gainsight.api.http.call import Call, batch
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_mappings, as_text
from target_gainsight.api.http.responses import Send
from target_gainsight.api.resources.metadata import PicklistOption
from target_gainsight.api.resources.per_record_results import PerRecordResponse, save_by_reference

_PATH = "/v2/cockpit/cta/"
NAMES_PATH = "/v2/cockpit/admin/picklist/lite"
_MAX_SECONDS = 60.0
_KINDS = ("type", "reason", "status", "priority")
_CATEGORIES = ",".join(f"CTA_{kind.upper()}" for kind in _KINDS)
NAMES_PARAMS = {"category": _CATEGORIES, "et": "COMPANY"}


class CockpitApi:
    """Writes CTAs. Type, reason, status and priority are given by name."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def insert(self, ctas: Mapping[str, Record]) -> PerRecordResponse:
        """Create up to 50 CTAs, by reference, each with its own outcome (Create CTA).

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            UnknownOutcomeError: They may have been written; look them up.
            ValueError: No CTA, or more than 50.
        """
        return save_by_reference(self._send, _call("POST", ctas))

    def update(self, ctas: Mapping[str, Record]) -> PerRecordResponse:
        """Update up to 50 CTAs by their `Gsid`, each with its own outcome (Update CTA).

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            ValueError: No CTA, or more than 50.
        """
        return save_by_reference(self._send, _call("PUT", ctas))

    def list_names(self) -> dict[str, tuple[PicklistOption, ...]]:
        """List the values that CTAs refer to by name (Cockpit API, Get CTA Configuration).

        They come by `type`, `reason`, `status` and `priority`; what the response lacks is left out.
        """
        call = Call(
            "GET", NAMES_PATH, kind="cta names", params=NAMES_PARAMS, max_seconds=_MAX_SECONDS
        )
        names: dict[str, tuple[PicklistOption, ...]] = {}
        for category, item in _listed_items(self._send(call).data):
            kind = next((kind for kind in _KINDS if kind in category.lower()), None)
            label = as_text(item.get("name")) or as_text(item.get("label"))
            if kind and label:
                option = PicklistOption(
                    gsid=as_text(item.get("gsid")) or label,
                    label=label,
                    active=item.get("active") is not False,
                    system_name=None,
                )
                names[kind] = (*names.get(kind, ()), option)
        return names


def _call(method: str, ctas: Mapping[str, Record]) -> Call:
    requests = batch({"record": {**cta, "referenceId": key}} for key, cta in ctas.items())
    return Call(method, _PATH, kind="cta", json={"requests": requests})


def _listed_items(data: Json) -> Iterator[tuple[str, Record]]:
    """Each item with its category: lists by category, or one list whose items name theirs."""
    for category, items in as_mapping(data).items():
        for item in as_mappings(items):
            yield category, item
    for item in as_mappings(data):
        yield as_text(item.get("picklistCategory")) or "", item
