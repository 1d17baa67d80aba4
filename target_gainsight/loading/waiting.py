"""Records that wait for a parent in their own stream: written without it, completed later.

They are not settled until then. Many of them are kept on disk, so that memory stays bounded.
"""

from __future__ import annotations

import pickle
import tempfile
from typing import IO, TYPE_CHECKING, Any

from target_gainsight.loading.lookups import MatchFields, Wanted
from target_gainsight.loading.outcomes import Arrival, LoadRecord, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_gainsight.loading.keys import Key

MOST_IN_MEMORY = 5000


class WaitingRecords:
    """The waiting records of one stream, with the outcome they have so far."""

    def __init__(self) -> None:
        self._here: list[Settlement] = []
        self._spilled: IO[bytes] | None = None
        self._shared: list[Mapping[str, Any]] = []
        self._example: Arrival | None = None
        self._count = 0
        self._matches: dict[str, MatchFields] = {}
        self._keys: set[int] = set()
        self._superseded: dict[Key, dict[str, int]] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, settlement: Settlement) -> None:
        """Keep one record.

        Args:
            settlement: The outcome it would have.
        """
        self._count += 1
        self._keys.add(hash(settlement.record.key))
        self._here.append(settlement)
        if len(self._here) >= MOST_IN_MEMORY:
            self._spill()

    def supersede(self, record: LoadRecord) -> None:
        """Note that a later record with the same key brings its own parents.

        Args:
            record: The later record.
        """
        if record.key and hash(record.key) in self._keys:
            newest = self._superseded.setdefault(record.key, {})
            newest.update(dict.fromkeys(record.references, record.arrival.sequence))

    def take(self, size: int) -> Iterator[list[Settlement]]:
        """Take all records out again, some at a time.

        Args:
            size: How many at a time at most.
        """
        superseded, self._superseded, self._keys = self._superseded, {}, set()
        for chunk in self._chunks(size):
            for settlement in chunk:
                record = settlement.record
                newest = superseded.get(record.key, {})
                sequence = record.arrival.sequence
                record.waiting = {
                    target: parent
                    for target, parent in record.waiting.items()
                    if newest.get(target, sequence) <= sequence
                }
            yield chunk

    def _chunks(self, size: int) -> Iterator[list[Settlement]]:
        if self._spilled is not None:
            self._spill()
            yield from self._read_back(size)
        here, self._here, self._count = self._here, [], 0
        for start in range(0, len(here), size):
            yield here[start : start + size]

    def _spill(self) -> None:
        """Write what is here to a file that only this process can see."""
        if self._spilled is None:
            self._spilled = tempfile.TemporaryFile(  # noqa: SIM115 - lives as long as what waits
                prefix="gainsight-waiting-"
            )
        for settlement in self._here:
            pickle.dump(self._packed(settlement), self._spilled, pickle.HIGHEST_PROTOCOL)
        self._here = []

    def _read_back(self, size: int) -> Iterator[list[Settlement]]:
        file, self._spilled = self._spilled, None
        if file is None:
            return
        self._count = 0
        with file:
            end = file.tell()
            file.seek(0)
            while file.tell() < end:
                chunk: list[Settlement] = []
                while len(chunk) < size and file.tell() < end:
                    chunk.append(self._unpacked(pickle.load(file)))  # noqa: S301 - our own file
                yield chunk

    def _packed(self, settlement: Settlement) -> tuple[Any, ...]:
        record = settlement.record
        arrivals = [self._packed_arrival(arrival) for arrival in record.arrivals()]
        waiting = {target: (each.key, each.written) for target, each in record.waiting.items()}
        self._matches |= {target: each.match for target, each in record.waiting.items()}
        details = (record.fields, record.key, record.gsid, waiting)
        return (arrivals, details, settlement.outcome, settlement.gsid)

    def _packed_arrival(self, arrival: Arrival) -> tuple[Any, ...]:
        self._example = arrival
        if not self._shared or self._shared[-1] is not arrival.schema:
            self._shared.append(arrival.schema)
        return (arrival.message, len(self._shared) - 1, arrival.sequence, arrival.position)

    def _unpacked(self, packed: tuple[Any, ...]) -> Settlement:
        arrivals, (fields, key, gsid, refers), outcome, settled_gsid = packed
        waiting = {target: Wanted(self._matches[target], *each) for target, each in refers.items()}
        records = [
            LoadRecord(self._unpacked_arrival(*arrival), fields, key=key, gsid=gsid)
            for arrival in arrivals
        ]
        record = records[-1]
        record.waiting = waiting
        if len(records) > 1:
            record = LoadRecord(record.arrival, fields, key=key, parts=tuple(records), gsid=gsid)
            record.waiting = waiting
        return Settlement(record, outcome, gsid=settled_gsid)

    def _unpacked_arrival(
        self, message: Mapping[str, Any], schema: int, sequence: int, position: int
    ) -> Arrival:
        example = self._example
        if example is None:  # pragma: no cover - nothing was packed without one
            raise LookupError
        return Arrival(
            stream=message["stream"],
            alias=example.alias,
            message=message,
            schema=self._shared[schema],
            sequence=sequence,
            watermark=example.watermark,
            position=position,
        )
