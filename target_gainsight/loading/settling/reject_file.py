"""The reject file of a run: a Singer file with the source records and the reasons.

Piping it into the target again replays the rejects. Lines are written whole or not at all. A reject
is open until a line of its run's ``.retired`` file names it.
"""

import logging
import math
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import blake2b
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.storage.private_file import PrivateFile, append_lines
from target_gainsight.loading.storage.source_json import read_json_lines, utc_time, write_json
from target_gainsight.mapping.errors import json_value

logger = logging.getLogger(__name__)

REASON_PROPERTY = "gainsight_reject"
"""The property of a rejected RECORD message that holds the reason."""

RUN_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,8}")
REJECT_ID = re.compile(rf"({RUN_NAME.pattern})-[0-9]{{1,12}}")
"""The run that rejected a record, and the reject's number in that run, from 1."""

REJECTS, RETIRED, CREATED, REPORT = ".singer", ".retired", ".created.csv", ".html"
DELETED = ".deleted.singer"
"""The suffix of a run's deleted rows, which are no rejects and are never cleared with them."""

SUFFIXES = (REJECTS, RETIRED, CREATED, REPORT)
"""The files of a run; rejects are deleted first, so that none outlives its retirement."""


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


def new_run_name(now: float) -> str:
    """Return a unique name that sorts by the run's start, such as ``20260201T093000Z-3f9a17c4``."""
    start, fraction = datetime.fromtimestamp(now, tz=timezone.utc), int(now % 1 * 0x1000)
    return f"{start:%Y%m%dT%H%M%SZ}-{fraction:03x}{secrets.token_hex(3)[1:]}"


@dataclass(frozen=True)
class FiledReject:
    """One reject of a file, with its own line and that of the SCHEMA that holds for it."""

    id: str
    run: str
    source: SourceRecord
    reason: Mapping[str, Any]
    line: bytes
    schema_line: bytes


def list_runs(folder: Path, *suffixes: str) -> list[str]:
    """List the runs that left a file in a folder, of any kind by default, oldest first."""
    names = {
        path.name.removesuffix(suffix)
        for suffix in suffixes or SUFFIXES
        for path in folder.glob(f"*{suffix}")
    }
    return sorted(filter(RUN_NAME.fullmatch, names))


def read_open_rejects(folder: Path, run: str) -> Iterator[FiledReject]:
    """Read the rejects of a run that are not retired, in file order.

    Raises:
        OSError: A file of the run cannot be read.
    """
    retired = {str(message.get("id")) for _, message in read_json_lines(folder / f"{run}{RETIRED}")}
    schemas: dict[str, tuple[Mapping[str, Any], bytes]] = {}
    for line, message in read_json_lines(folder / f"{run}{REJECTS}"):
        stream = str(message.get("stream"))
        reason, record = message.get(REASON_PROPERTY), message.get("record")
        if message.get("type") == "SCHEMA":
            schemas[stream] = message, line
        elif stream in schemas and isinstance(reason, dict) and isinstance(record, dict):
            id_, alias = str(reason.get("id")), str(reason.get("stream", stream))
            schema, schema_line = schemas[stream]
            source = SourceRecord(stream, alias, message, schema, sequence=0)
            if REJECT_ID.fullmatch(id_) and id_ not in retired:
                yield FiledReject(id_, run, source, reason, line, schema_line)


def _fingerprint(source: SourceRecord) -> bytes | None:
    """Digest a record's key; None for a stream without keys, or a record that lacks one."""
    key = source.key
    if not key or None in key.values():
        return None
    text = repr([source.stream, source.alias, *map(str, key.values())])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
