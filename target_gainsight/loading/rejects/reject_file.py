"""The reject file of a run: a Singer file with the source records and the reasons.

Piping it into the target again replays the rejects. Lines are written whole or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import REASON_PROPERTY, RejectId
from target_gainsight.loading.rejects.open_index import OpenRejects
from target_gainsight.loading.storage.private_file import PrivateFile
from target_gainsight.loading.storage.source_json import write_json
from target_gainsight.mapping.errors import json_value

MAX_PENDING = 5000


class _PendingReject(NamedTuple):
    """A reject that is not filed yet, ordered by its number in the input."""

    sequence: int
    id: RejectId
    source: SourceRecord
    outcome: Outcome
    reason: Reason
    retires: Sequence[RejectId]


class RejectFile:
    """The rejects of one run, each held back until everything before it in the input is settled.

    Args:
        now: Returns the time in epoch seconds.
        keys_only: Keep only the key properties of a record; such a file cannot be replayed.
        max_pending: More rejects are not held in memory: they are filed out of order.

    Attributes:
        exists: Whether anything was rejected.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], float],
        index: OpenRejects,
        *,
        keys_only: bool = False,
        max_pending: int = MAX_PENDING,
    ) -> None:
        self.path = path
        self.index = index
        self.exists = False
        self._file = PrivateFile(path)
        self._keys_only = keys_only
        self._now = now
        self._max_pending = max_pending
        self._pending: list[_PendingReject] = []
        self._schemas: dict[str, Mapping[str, Any]] = {}

    def add(
        self, source: SourceRecord, outcome: Outcome, reason: Reason, retires: Sequence[RejectId]
    ) -> None:
        """Add a reject, and the older rejects that it replaces once it is filed."""
        self.exists = True
        id_ = self.index.add(source)
        pending = _PendingReject(source.sequence, id_, source, outcome, reason, retires)
        self._pending.append(pending)

    def flush(self, settled: float) -> None:
        """Write the rejects that a state may cover, and only then retire those they replace.

        Args:
            settled: The number in the input up to which every record is settled.

        Raises:
            OSError: A file cannot be written.
        """
        if len(self._pending) > self._max_pending:
            settled = math.inf
        for each in sorted(self._pending):
            if each.sequence <= settled:
                self._write(each)
        self._pending = [each for each in self._pending if each.sequence > settled]
        self._file.flush()
        self.index.flush()

    def _write(self, pending: _PendingReject) -> None:
        _, id_, source, outcome, reason, retires = pending
        if self._schemas.get(source.stream) is not source.schema:
            self._file.add(write_json(source.schema))
            self._schemas[source.stream] = source.schema
        message = dict(source.message)
        if self._keys_only:
            message["record"] = source.key
        shows_value = reason.value is not None and not self._keys_only
        message[REASON_PROPERTY] = {
            "id": str(id_),
            "stream": source.alias,
            "outcome": outcome.value,
            "code": reason.code,
            "field": reason.field,
            "value": json_value(reason.value) if shows_value else None,
            "message": reason.message,
            "hint": reason.hint,
            "request_id": reason.request_id,
            "time": datetime.fromtimestamp(self._now(), tz=timezone.utc).isoformat(),
            "replayable": not self._keys_only,
            **({} if reason.sent_at is None else {"sent_at": reason.sent_at}),
        }
        self._file.add(write_json(message))
        self.index.retire(retires, outcome.value)

    def close(self) -> None:
        """File all that is left and close."""
        self.flush(math.inf)
        self._file.close()
