"""Timeline activities, saved by their `ExternalId`, which is unique in the tenant.

Inserting an `ExternalId` that exists fails for that activity alone. An insert whose response was
lost may therefore be sent again: activities that were written fail as duplicates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from target_gainsight.api.http.client import HttpClient
from target_gainsight.api.http.json_codec import Record
from target_gainsight.api.resources.per_record_results import (
    PerRecordResponse,
    RecordFailure,
    save_by_reference,
)

MAX_ACTIVITIES = 50
_PATH = "/v1/ant/es/activity"
_DUPLICATE = "GS_TL_10_0207"
_DUPLICATE_MESSAGE = re.compile(r"duplicate|already|exists", re.IGNORECASE)


def is_duplicate(failure: RecordFailure) -> bool:
    """Return whether an activity seems to be refused because its `ExternalId` exists.

    Gainsight does not document the code, so the message counts, too: look the activity up.
    """
    return failure.code == _DUPLICATE or bool(_DUPLICATE_MESSAGE.search(failure.message))


class TimelineApi:
    """Saves activities."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def insert(self, activities: Sequence[Record]) -> PerRecordResponse:
        """Create activities, each with its own outcome (Timeline APIs, Single Activity Save).

        Args:
            activities: Up to 50, each with its `ExternalId`; `ActivityDate` with milliseconds and
                offset.

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            UnknownOutcomeError: They may have been written; sending them again duplicates nothing.
            ValueError: No activity, or more than 50.
        """
        return self._save("POST", activities)

    def update(self, activities: Sequence[Record]) -> PerRecordResponse:
        """Update activities by their `ExternalId`, each with its own outcome.

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            ValueError: No activity, or more than 50.
        """
        return self._save("PUT", activities)

    def _save(self, method: str, activities: Sequence[Record]) -> PerRecordResponse:
        if not 1 <= len(activities) <= MAX_ACTIVITIES:
            message = f"a call takes 1 to {MAX_ACTIVITIES} activities, not {len(activities)}"
            raise ValueError(message)
        return save_by_reference(
            self._client,
            method,
            _PATH,
            {"records": list(activities)},
            kind="timeline",
            group="timeline",
            params={"identifier": "externalid"} if method == "PUT" else None,
        )
