"""Timeline activities, saved by their `ExternalId`, which is unique in the tenant.

Inserting an `ExternalId` that exists fails for that activity alone. An insert whose response was
lost may therefore be sent again: activities that were written fail as duplicates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from target_gainsight.api.http.call import Call, batch
from target_gainsight.api.http.json_codec import Record
from target_gainsight.api.http.responses import Send
from target_gainsight.api.resources.per_record_results import (
    PerRecordResponse,
    RecordFailure,
    save_by_reference,
)

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

    def __init__(self, send: Send) -> None:
        self._send = send

    def insert(self, activities: Sequence[Record]) -> PerRecordResponse:
        """Create activities, each with its own outcome (Timeline APIs, Single Activity Save).

        There are up to 50, each with its `ExternalId`; `ActivityDate` has milliseconds and offset.

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            UnknownOutcomeError: They may have been written; sending them again duplicates nothing.
            ValueError: No activity, or more than 50.
        """
        return save_by_reference(self._send, _call("POST", activities))

    def update(self, activities: Sequence[Record]) -> PerRecordResponse:
        """Update activities by their `ExternalId`, each with its own outcome.

        Raises:
            RefusedError: The whole call is refused; nothing was written.
            ValueError: No activity, or more than 50.
        """
        call = _call("PUT", activities)
        return save_by_reference(self._send, replace(call, params={"identifier": "externalid"}))


def _call(method: str, activities: Sequence[Record]) -> Call:
    json = {"records": batch(activities)}
    return Call(method, _PATH, kind="timeline", group="timeline", json=json)
