"""Timeline activities, saved by their `ExternalId`, which is unique in the tenant.

Inserting an `ExternalId` that exists fails for that activity alone. An insert whose response was
lost may therefore be sent again: activities that had arrived fail as duplicates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from target_gainsight.api.resources.per_record_results import (
    PerRecordResponse,
    RecordFailure,
    save_by_reference,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_gainsight.api.http.client import HttpClient
    from target_gainsight.api.http.json_codec import Json, Record

MAX_ACTIVITIES = 50
DUPLICATE = "GS_TL_10_0207"
"""The code of an activity whose `ExternalId` exists."""

_PATH = "/v1/ant/es/activity"
_SAYS_DUPLICATE = re.compile(r"duplicate|already|exists", re.IGNORECASE)


def is_duplicate(failure: RecordFailure) -> bool:
    """Return whether an activity seems to be refused because its `ExternalId` exists.

    Gainsight does not document the code, so the message counts, too: look the activity up.
    """
    return failure.code == DUPLICATE or bool(_SAYS_DUPLICATE.search(failure.message))


class TimelineApi:
    """Saves activities."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def insert(
        self, activities: Sequence[Record], *, lookups: Mapping[str, Json] | None = None
    ) -> PerRecordResponse:
        """Create activities, each with its own outcome (Timeline APIs, Single Activity Save).

        Args:
            activities: Up to 50, each with its `ExternalId`; `ActivityDate` with milliseconds and
                offset.
            lookups: Foreign keys that Gainsight resolves.

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            UnknownOutcomeError: They may have been written; sending them again duplicates nothing.
            ValueError: No activity, or more than 50.
        """
        return self._save("POST", activities, lookups, params=None)

    def update(
        self, activities: Sequence[Record], *, lookups: Mapping[str, Json] | None = None
    ) -> PerRecordResponse:
        """Update activities by their `ExternalId`, each with its own outcome.

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            ValueError: No activity, or more than 50.
        """
        return self._save("PUT", activities, lookups, params={"identifier": "externalid"})

    def _save(
        self,
        method: str,
        activities: Sequence[Record],
        lookups: Mapping[str, Json] | None,
        *,
        params: Mapping[str, str] | None,
    ) -> PerRecordResponse:
        if not 1 <= len(activities) <= MAX_ACTIVITIES:
            message = f"a call takes 1 to {MAX_ACTIVITIES} activities, not {len(activities)}"
            raise ValueError(message)
        body: dict[str, Json] = {"records": list(activities)}
        if lookups:
            body["lookups"] = lookups
        return save_by_reference(
            self._client, method, _PATH, body, kind="timeline", group="timeline", params=params
        )
