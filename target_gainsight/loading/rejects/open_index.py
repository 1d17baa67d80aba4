"""Which rejects a settled record retires: those of its stream and key that are older than it.

Remembers the open rejects of all runs of a folder in a temporary file, so that memory stays
bounded, and notes their retirement beside the reject file that holds them.
"""

from __future__ import annotations

import logging
import weakref
from collections import defaultdict
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.json import serialize_json

from target_gainsight.loading.rejects.folder import RETIRED
from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY, RejectId
from target_gainsight.loading.storage.private_file import PrivateFile
from target_gainsight.loading.storage.temp_database import private_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from target_gainsight.loading.outcomes import Arrival
    from target_gainsight.loading.rejects.folder import RejectFolder

logger = logging.getLogger(__name__)

DIGEST_BYTES = 16
MARKS = 1 << 23
"""Bits of the bitmap that tells for most keys that no open reject has them: 1 MiB."""

BEFORE_THIS_RUN = -1


class OpenRejects:
    """The open rejects of a folder, by stream and key.

    Args:
        folder: The reject files of all runs.
        run: The run at hand, whose own rejects are told with ``add``.
        now: The time in epoch seconds.
    """

    def __init__(self, folder: RejectFolder, run: str, now: Callable[[], float]) -> None:
        self._folder = folder
        self._run = run
        self._now = now
        self._last_number = 0
        self._index: _Index | None = None
        self._pending: dict[str, list[str]] = defaultdict(list)

    def add(self, arrival: Arrival) -> RejectId:
        """Take note of a record that was rejected.

        Args:
            arrival: The record as it came.

        Returns:
            The reject's id.
        """
        self._last_number += 1
        id_ = RejectId(self._run, self._last_number)
        digest = _digest_of_arrival(arrival)
        self._opened().add(digest, id_, arrival.sequence)
        return id_

    @property
    def any(self) -> bool:
        """Whether any reject is open that a record may retire."""
        return bool(self._opened().size)

    def retired_by(self, arrival: Arrival, since: int) -> list[RejectId]:
        """Find the rejects that a record's outcome retires, and forget them.

        A replayed record retires the reject it was; any other one those of its stream and key,
        whatever run they are of.

        Args:
            arrival: The record as it came.
            since: Rejects of this run are retired if their record came before this place in the
                input.

        Returns:
            The ids; to be noted with ``retire`` as soon as the outcome is on disk.
        """
        index = self._opened()
        if not index.size:
            return []
        reason = arrival.message.get(REASON_PROPERTY)
        if isinstance(reason, dict):
            id_ = RejectId.parse(reason.get("id"))
            return index.take(id_) if id_ else []
        digest = _digest_of_arrival(arrival)
        return index.take_older(digest, since) if digest else []

    def retire(self, ids: Iterable[RejectId], outcome: str) -> None:
        """Note the retirement of rejects, to be written at the next flush.

        Args:
            ids: The rejects.
            outcome: What became of the record that retired them.
        """
        for id_ in ids:
            noted = {
                "id": str(id_),
                "outcome": outcome,
                "run": self._run,
                "time": datetime.fromtimestamp(self._now(), tz=timezone.utc).isoformat(),
            }
            self._pending[id_.run].append(serialize_json(noted))

    def flush(self) -> None:
        """Write what was noted.

        Raises:
            OSError: The disk does not take it.
        """
        while self._pending:
            run, lines = next(iter(self._pending.items()))
            if run == self._run or self._folder.file(run).exists():
                self._write(run, lines)
            del self._pending[run]

    def _write(self, run: str, lines: Sequence[str]) -> None:
        path = self._folder.file(run, RETIRED)
        file = PrivateFile(path)
        for line in ("", *lines) if _ends_in_half_a_line(path) else lines:
            file.add(line)
        file.close()

    def close(self) -> None:
        """Write what is left and forget the rest."""
        self.flush()
        if self._index is not None:
            self._index.close()
            self._index = None

    def _opened(self) -> _Index:
        if self._index is None:
            self._index = _Index()
            for run in self._folder.runs():
                if run != self._run:
                    self._learn(self._index, run)
        return self._index

    def _learn(self, index: _Index, run: str) -> None:
        try:
            for reject in self._folder.open(run):
                digest = _digest(str(reject.message["stream"]), reject.stream, reject.key)
                index.add(digest, reject.id, BEFORE_THIS_RUN)
        except OSError as error:
            logger.warning(
                "the rejects of run %s cannot be read and stay as they are: %s", run, error
            )


class _Index:
    """Open rejects in a temporary file that only this process can see.

    Attributes:
        size: How many there are.
    """

    def __init__(self) -> None:
        self.size = 0
        self._marks = bytearray(MARKS // 8)
        self._rows = private_database()
        weakref.finalize(self, self._rows.close)
        self._rows.execute(
            "CREATE TABLE open (run TEXT, number INTEGER, digest BLOB, sequence INTEGER, "
            "PRIMARY KEY (run, number)) WITHOUT ROWID"
        )
        self._rows.execute("CREATE INDEX by_digest ON open (digest)")
        self._rows.execute("BEGIN")

    def add(self, digest: bytes | None, id_: RejectId, sequence: int) -> None:
        row = (id_.run, id_.number, digest, sequence)
        self._rows.execute("INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?)", row)
        self.size += 1
        if digest is not None:
            place, bit = _mark(digest)
            self._marks[place] |= bit

    def take(self, id_: RejectId) -> list[RejectId]:
        where = "DELETE FROM open WHERE run = ? AND number = ?"
        taken = self._rows.execute(where, (id_.run, id_.number)).rowcount
        self.size -= taken
        return [id_] * taken

    def take_older(self, digest: bytes, since: int) -> list[RejectId]:
        place, bit = _mark(digest)
        if not self._marks[place] & bit:
            return []
        rows = self._rows.execute(
            "SELECT run, number FROM open WHERE digest = ? AND sequence < ? ORDER BY run, number",
            (digest, since),
        ).fetchall()
        return [id_ for row in rows for id_ in self.take(RejectId(*row))]

    def close(self) -> None:
        self._rows.close()


def _digest_of_arrival(arrival: Arrival) -> bytes | None:
    record = arrival.message["record"]
    names = arrival.schema.get("key_properties") or ()
    return _digest(arrival.stream, arrival.alias, {name: record.get(name) for name in names})


def _digest(stream: str, alias: str, key: Mapping[str, Any]) -> bytes | None:
    """Shorten a key; None for a stream without keys, or a record that lacks its own."""
    if not key or None in key.values():
        return None
    text = repr([stream, alias, *map(str, key.values())])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _mark(digest: bytes) -> tuple[int, int]:
    number = int.from_bytes(digest[:4], "big") % MARKS
    return number >> 3, 1 << (number & 7)


def _ends_in_half_a_line(path: Path) -> bool:
    """Tell whether a file was cut short, so that a line of its own must be begun."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            if not file.tell():
                return False
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False
