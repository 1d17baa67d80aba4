"""The reject file of a run: a Singer file with the source records and the reasons.

Piping it into the target again replays the rejects. Lines are written whole or not at all.
"""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import (
    REASON_PROPERTY,
    REJECT_ID,
    REJECTS,
    RETIRED,
    list_runs,
    read_open_rejects,
)
from target_gainsight.loading.storage.private_file import PrivateFile, append_lines
from target_gainsight.loading.storage.source_json import utc_time, write_json
from target_gainsight.mapping.errors import json_value

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class RejectFile:
    """The rejects of one run, in input order, and the open ones that settled records retire.

    A reject is held back until everything before it in the input is settled.

    Attributes:
        keys_only: Keep only the key properties of a record; such a file cannot be replayed.
        max_pending: If more rejects are held back, all are filed, out of order.
        max_indexed: Keys of open rejects in memory; beyond that, only a replay retires a reject.
        open_rejects: By fingerprint of their key, the position in this run's input (0 for earlier
            runs) and the id of each; None once there are more than ``max_indexed``.
    """

    folder: Path
    run: str
    now: Callable[[], float]
    keys_only: bool = False
    max_pending: int = 5000
    max_indexed: int = 100_000
    _last_number: int = 0
    _pending: list[tuple[int, Mapping[str, Any], str, str, Sequence[str]]] = field(
        default_factory=list
    )
    _schemas: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _retired: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    open_rejects: dict[bytes | None, list[tuple[int, str]]] | None = field(default_factory=dict)
    path: Path = field(init=False)
    _file: PrivateFile = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.folder / f"{self.run}{REJECTS}"
        self._file = PrivateFile(self.path)

    @property
    def exists(self) -> bool:
        """Whether anything was rejected."""
        return self._last_number > 0

    def read_earlier_runs(self) -> None:
        """Index the open rejects of earlier runs."""
        for run in list_runs(self.folder, REJECTS):
            try:
                for reject in read_open_rejects(self.folder, run):
                    self._index(reject.source, reject.id)
            except OSError as error:
                message = "the rejects of run %s cannot be read and stay as they are: %s"
                logger.warning(message, run, error)

    def _index(self, source: SourceRecord, id_: str) -> None:
        fingerprint = _fingerprint(source)
        if fingerprint is None or self.open_rejects is None:
            return
        self.open_rejects.setdefault(fingerprint, []).append((source.sequence, id_))
        if len(self.open_rejects) > self.max_indexed:
            self.open_rejects = None
            logger.warning(
                "more than %d rejects are open in %s: from now on only a replay retires them "
                "(gainsight rejects replay)",
                self.max_indexed,
                self.folder,
            )

    def add(
        self, source: SourceRecord, outcome: Outcome, reason: Reason, retires: Sequence[str]
    ) -> None:
        """Add a reject, and the ids of those that it replaces once it is filed."""
        self._last_number += 1
        id_ = f"{self.run}-{self._last_number}"
        self._index(source, id_)
        message = dict(source.message)
        if self.keys_only:
            message["record"] = source.key
        message[REASON_PROPERTY] = {
            "id": id_,
            "stream": source.alias,
            "outcome": outcome.value,
            "code": reason.code,
            "field": reason.field,
            "value": None if self.keys_only else json_value(reason.value),
            "message": reason.message,
            "hint": reason.hint,
            "request_id": reason.request_id,
            "time": utc_time(self.now()),
            "replayable": not self.keys_only,
            **({} if reason.sent_at is None else {"sent_at": reason.sent_at}),
        }
        pending = (source.sequence, source.schema, write_json(message), outcome.value, retires)
        heappush(self._pending, pending)

    def take_retired(self, source: SourceRecord, since: int) -> list[str]:
        """Remove from the index the rejects that a record's outcome retires; return their ids.

        A replayed record retires the reject it was; any other one those of its stream and key, of
        earlier runs and of records before the number ``since`` in the input of this one.
        """
        reason = source.message.get(REASON_PROPERTY)
        if isinstance(reason, dict):
            id_ = str(reason.get("id"))
            return [id_] if REJECT_ID.fullmatch(id_) else []
        if not self.open_rejects:
            return []
        fingerprint = _fingerprint(source)
        rejects = self.open_rejects.pop(fingerprint, [])
        if newer := [each for each in rejects if each[0] >= since]:
            self.open_rejects[fingerprint] = newer
        return [id_ for sequence, id_ in rejects if sequence < since]

    def retire(self, ids: Iterable[str], outcome: str) -> None:
        """Retire rejects whose record has an outcome now; ``flush`` writes it."""
        line = {"outcome": outcome, "run": self.run, "time": utc_time(self.now())}
        for id_ in ids:
            self._retired[id_.rpartition("-")[0]].append(write_json({"id": id_, **line}))

    def flush(self, settled: float) -> None:
        """Write the rejects up to a number in the input, and then retire those they replace."""
        if len(self._pending) > self.max_pending:
            settled = math.inf
        while self._pending and self._pending[0][0] <= settled:
            _, schema, line, outcome, retires = heappop(self._pending)
            if self._schemas.get(schema["stream"]) is not schema:
                self._file.add(write_json(schema))
                self._schemas[schema["stream"]] = schema
            self._file.add(line)
            self.retire(retires, outcome)
        self._file.flush()
        for run in list(self._retired):
            if run == self.run or (self.folder / f"{run}{REJECTS}").exists():  # not cleared
                append_lines(self.folder / f"{run}{RETIRED}", self._retired[run])
            del self._retired[run]

    def close(self) -> None:
        """File all that is left and close."""
        self.flush(math.inf)
        self._file.close()


def _fingerprint(source: SourceRecord) -> bytes | None:
    """Digest a record's key; None for a stream without keys, or a record that lacks one."""
    key = source.key
    if not key or None in key.values():
        return None
    text = repr([source.stream, source.alias, *map(str, key.values())])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
