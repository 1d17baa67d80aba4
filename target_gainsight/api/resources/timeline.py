"""Timeline activities, saved by their `ExternalId`: unique in the tenant, for good.

An insert with an `ExternalId` that is taken fails for that activity alone, so that an insert whose
answer was lost may be sent again: what had arrived fails as a duplicate and is not doubled.
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
"""The code of an activity whose `ExternalId` is taken."""

_PATH = "/v1/ant/es/activity"
_SAYS_DUPLICATE = re.compile(r"duplicate|already|exists", re.IGNORECASE)


def is_duplicate(failure: RecordFailure) -> bool:
    """Whether an activity seems to be refused because its `ExternalId` is taken.

    The code is secondary knowledge, so that the message counts, too: look the activity up.
    """
    return failure.code == DUPLICATE or bool(_SAYS_DUPLICATE.search(failure.message))


class TimelineApi:
    """Saves activities."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def insert(
        self, activities: Sequence[Record], *, lookups: Mapping[str, Json] | None = None
    ) -> PerRecordResponse:
        """Add activities, each judged by itself (Timeline APIs, Single Activity Save).

        Args:
            activities: Up to 50, each with its `ExternalId`; `ActivityDate` with milliseconds and
                offset.
            lookups: Foreign keys to be resolved inside the call.

        Raises:
            RefusedError: the call itself is refused; nothing was written.
            UnknownOutcomeError: they may have been written; sending them again doubles nothing.
            ValueError: no activity, or more than 50.
        """
        return self._save("POST", activities, lookups, params=None)

    def update(
        self, activities: Sequence[Record], *, lookups: Mapping[str, Json] | None = None
    ) -> PerRecordResponse:
        """Change activities, found by their `ExternalId`, each judged by itself.

        Raises:
            RefusedError: the call itself is refused; nothing was written.
            ValueError: no activity, or more than 50.
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
