"""Finds the rejects that a settled record retires: older ones of its stream and key."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from hashlib import blake2b
from typing import Any

from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import REASON_PROPERTY, RETIRED, RejectFolder, RejectId
from target_gainsight.loading.storage.private_file import append_lines
from target_gainsight.loading.storage.source_json import write_json

logger = logging.getLogger(__name__)

MAX_INDEXED = 100_000
"""Open rejects whose keys are kept in memory."""


class OpenRejects:
    """The open rejects of a folder, by stream and key.

    If there are more than ``max_indexed``, no key is kept: then only a replay retires a reject.

    Args:
        folder: The reject files of all runs.
        run: The current run; its own rejects are added with ``add``.
        now: Returns the time in epoch seconds.

    Attributes:
        has_any: Whether there has been an open reject so far.
    """

    def __init__(
        self,
        folder: RejectFolder,
        run: str,
        now: Callable[[], float],
        max_indexed: int = MAX_INDEXED,
    ) -> None:
        self.has_any = False
        self._folder = folder
        self._run = run
        self._now = now
        self._max_indexed = max_indexed
        self._last_number = 0
        self._indexed = 0
        self._is_full = False
        self._by_key: dict[bytes, dict[RejectId, int]] = {}
        self._pending: dict[str, list[str]] = defaultdict(list)

    def read(self) -> None:
        """Add the open rejects of earlier runs."""
        for run in self._folder.runs():
            try:
                for reject in self._folder.open(run):
                    stream = str(reject.message["stream"])
                    fingerprint = _fingerprint(stream, reject.stream, reject.key)
                    self._index(reject.id, fingerprint, position=0)
            except OSError as error:
                message = "the rejects of run %s cannot be read and stay as they are: %s"
                logger.warning(message, run, error)

    def add(self, source: SourceRecord) -> RejectId:
        """Add a record that was rejected; return the reject's id."""
        self._last_number += 1
        id_ = RejectId(self._run, self._last_number)
        fingerprint = _fingerprint(source.stream, source.alias, source.key)
        self._index(id_, fingerprint, source.sequence)
        return id_

    def _index(self, id_: RejectId, fingerprint: bytes | None, position: int) -> None:
        self.has_any = True
        if fingerprint is None or self._is_full:
            return
        if self._indexed < self._max_indexed:
            self._indexed += 1
            self._by_key.setdefault(fingerprint, {})[id_] = position
            return
        self._is_full = True
        self._by_key.clear()
        logger.warning(
            "more than %d rejects are open in %s: from now on only a replay retires them "
            "(gainsight rejects replay)",
            self._max_indexed,
            self._folder.path,
        )

    def retired_by(self, source: SourceRecord, since: int) -> list[RejectId]:
        """Find the rejects that a record's outcome retires, and remove them.

        A replayed record retires the reject it was; any other one those of its stream and key,
        whatever run they are of.

        Rejects of this run are retired if their record came before the position ``since`` in the
        input.

        Returns:
            The ids, to be passed to ``retire`` as soon as the outcome is on disk.
        """
        reason = source.message.get(REASON_PROPERTY)
        if isinstance(reason, dict):
            id_ = RejectId.parse(reason.get("id"))
            return [id_] if id_ else []
        fingerprint = _fingerprint(source.stream, source.alias, source.key)
        if fingerprint is None or fingerprint not in self._by_key:
            return []
        rejects = self._by_key.pop(fingerprint)
        newer = {id_: position for id_, position in rejects.items() if position >= since}
        if newer:
            self._by_key[fingerprint] = newer
        self._indexed -= len(rejects) - len(newer)
        return sorted(rejects.keys() - newer.keys())

    def retire(self, ids: Iterable[RejectId], outcome: str) -> None:
        """Record that records with an outcome retired some rejects; ``flush`` writes it."""
        for id_ in ids:
            line = {
                "id": str(id_),
                "outcome": outcome,
                "run": self._run,
                "time": datetime.fromtimestamp(self._now(), tz=timezone.utc).isoformat(),
            }
            self._pending[id_.run].append(write_json(line))

    def flush(self) -> None:
        """Write the recorded retirements beside the reject files, unless these were cleared."""
        for run in list(self._pending):
            if run == self._run or self._folder.file(run).exists():
                append_lines(self._folder.file(run, RETIRED), self._pending[run])
            del self._pending[run]


def _fingerprint(stream: str, alias: str, key: Mapping[str, Any]) -> bytes | None:
    """Digest a key; None for a stream without keys, or a record that lacks one of its own."""
    if not key or None in key.values():
        return None
    text = repr([stream, alias, *map(str, key.values())])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
