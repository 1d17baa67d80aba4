"""The reject file of a run: a Singer file with the source records and the reasons.

Piping it into the target again replays the rejects. Lines are written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY, RejectId
from target_gainsight.loading.storage.private_file import PrivateFile
from target_gainsight.loading.storage.source_json import write_json
from target_gainsight.mapping.errors import json_value


class RejectFile:
    """The rejects of one run, in input order.

    Args:
        now: Returns the time in epoch seconds.
        keys_only: Keep only the key properties of a record; such a file cannot be replayed.
    """

    def __init__(self, path: Path, now: Callable[[], float], *, keys_only: bool = False) -> None:
        self._file = PrivateFile(path)
        self._keys_only = keys_only
        self._now = now
        self._written: dict[str, Mapping[str, Any]] = {}

    @property
    def path(self) -> Path:
        """Where the file is, or would be."""
        return self._file.path

    @property
    def exists(self) -> bool:
        """Whether anything was rejected."""
        return self._file.exists

    def add(self, source: SourceRecord, outcome: Outcome, reason: Reason, id_: RejectId) -> None:
        """Add one record with its reason."""
        if self._written.get(source.stream) is not source.schema:
            self._file.add(write_json(source.schema))
            self._written[source.stream] = source.schema
        message = dict(source.message)
        if self._keys_only:
            keys = source.schema.get("key_properties") or ()
            message["record"] = {key: message["record"].get(key) for key in keys}
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

    def flush(self) -> None:
        """Write what was added; a state that covers it may follow."""
        self._file.flush()

    def close(self) -> None:
        """Write what is left and close."""
        self._file.close()
