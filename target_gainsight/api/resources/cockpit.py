"""Calls to action (CTAs), created and changed through the Cockpit API.

A request carries a reference of the caller's, by which the answer tells what became of it. A CTA
has no key of its own that would make a repeat safe: look up what a lost answer leaves open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.api.resources.per_record_results import PerRecordResponse, save_by_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api.client import GainsightClient
    from target_gainsight.api.http.json_codec import Json, Record

MAX_CTAS = 50
_PATH = "/v2/cockpit/cta/"


class CockpitApi:
    """Writes CTAs. Type, reason, status and priority go by their names."""

    def __init__(self, client: GainsightClient) -> None:
        self._client = client

    def insert(
        self, ctas: Mapping[str, Record], *, lookups: Mapping[str, Json] | None = None
    ) -> PerRecordResponse:
        """Create CTAs, each judged by itself (Cockpit API, Create CTA).

        Args:
            ctas: Up to 50, by a reference of the caller's choice.
            lookups: Foreign keys to be resolved inside the call.

        Raises:
            RefusedError: the call itself is refused; nothing was written.
            UnknownOutcomeError: they may have been written: look them up.
            ValueError: no CTA, or more than 50.
        """
        return self._save("POST", ctas, lookups)

    def update(
        self, ctas: Mapping[str, Record], *, lookups: Mapping[str, Json] | None = None
    ) -> PerRecordResponse:
        """Change CTAs, each found by its `Gsid` and judged by itself (Cockpit API, Update CTA).

        Raises:
            RefusedError: the call itself is refused; nothing was written.
            ValueError: no CTA, or more than 50.
        """
        return self._save("PUT", ctas, lookups)

    def _save(
        self, method: str, ctas: Mapping[str, Record], lookups: Mapping[str, Json] | None
    ) -> PerRecordResponse:
        if not 1 <= len(ctas) <= MAX_CTAS:
            message = f"a call takes 1 to {MAX_CTAS} CTAs, not {len(ctas)}"
            raise ValueError(message)
        requests: list[Json] = [
            {"record": {**cta, "referenceId": reference}} for reference, cta in ctas.items()
        ]
        body: dict[str, Json] = {"requests": requests}
        if lookups:
            body["lookups"] = lookups
        return save_by_reference(self._client, method, _PATH, body, kind="cta")
