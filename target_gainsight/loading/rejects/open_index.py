"""Finds the rejects that a settled record retires: older ones of its stream and key."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from hashlib import blake2b
from typing import Any

from singer_sdk.singerlib.json import serialize_json

from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import RETIRED, RejectFolder
from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY, RejectId
from target_gainsight.loading.storage.private_file import PrivateFile, ends_in_half_a_line

logger = logging.getLogger(__name__)

MAX_INDEXED = 100_000
"""Open rejects whose keys are kept in memory."""

FINGERPRINT_BYTES = 16
BEFORE_THIS_RUN = -1


class OpenRejects:
    """The open rejects of a folder, by stream and key, read when it is made.

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
        self._is_full = False
        self._open: dict[RejectId, bytes | None] = {}
        self._by_key: dict[bytes, dict[RejectId, int]] = defaultdict(dict)
        self._pending: dict[str, list[str]] = defaultdict(list)
        for earlier in folder.runs():
            try:
                for reject in folder.open(earlier):
                    stream = str(reject.message["stream"])
                    fingerprint = _fingerprint(stream, reject.stream, reject.key)
                    self._index(reject.id, fingerprint, BEFORE_THIS_RUN)
            except OSError as error:
                message = "the rejects of run %s cannot be read and stay as they are: %s"
                logger.warning(message, earlier, error)

    def add(self, source: SourceRecord) -> RejectId:
        """Add a record that was rejected; return the reject's id."""
        self._last_number += 1
        id_ = RejectId(self._run, self._last_number)
        self._index(id_, _source_fingerprint(source), source.sequence)
        return id_

    def retired_by(self, source: SourceRecord, since: int) -> list[RejectId]:
        """Find the rejects that a record's outcome retires, and remove them.

        A replayed record retires the reject it was; any other one those of its stream and key,
        whatever run they are of.

        Args:
            source: The source record.
            since: Rejects of this run are retired if their record came before this position in
                the input.

        Returns:
            The ids, to be passed to ``retire`` as soon as the outcome is on disk.
        """
        reason = source.message.get(REASON_PROPERTY)
        if isinstance(reason, dict):
            id_ = RejectId.parse(reason.get("id"))
            return [id_] if id_ and (self._remove(id_) or self._is_full) else []
        fingerprint = _source_fingerprint(source)
        if fingerprint is None or fingerprint not in self._by_key:
            return []
        older = [id_ for id_, position in self._by_key[fingerprint].items() if position < since]
        for id_ in older:
            self._remove(id_)
        return sorted(older)

    def _index(self, id_: RejectId, fingerprint: bytes | None, position: int) -> None:
        self.has_any = True
        if self._is_full:
            return
        if len(self._open) >= self._max_indexed:
            self._is_full = True
            self._open.clear()
            self._by_key.clear()
            logger.warning(
                "more than %d rejects are open in %s: from now on only a replay retires them "
                "(gainsight rejects replay)",
                self._max_indexed,
                self._folder.path,
            )
            return
        self._open[id_] = fingerprint
        if fingerprint is not None:
            self._by_key[fingerprint][id_] = position

    def _remove(self, id_: RejectId) -> bool:
        if id_ not in self._open:
            return False
        fingerprint = self._open.pop(id_)
        if fingerprint is not None:
            del self._by_key[fingerprint][id_]
            if not self._by_key[fingerprint]:
                del self._by_key[fingerprint]
        return True

    def retire(self, ids: Iterable[RejectId], outcome: str) -> None:
        """Record that records with an outcome retired some rejects; ``flush`` writes it."""
        for id_ in ids:
            line = {
                "id": str(id_),
                "outcome": outcome,
                "run": self._run,
                "time": datetime.fromtimestamp(self._now(), tz=timezone.utc).isoformat(),
            }
            self._pending[id_.run].append(serialize_json(line))

    def flush(self) -> None:
        """Write the recorded retirements beside the reject files.

        Raises:
            OSError: A file cannot be written.
        """
        while self._pending:
            run, lines = next(iter(self._pending.items()))
            if run == self._run or self._folder.file(run).exists():
                path = self._folder.file(run, RETIRED)
                file = PrivateFile(path)
                for line in ("", *lines) if ends_in_half_a_line(path) else lines:
                    file.add(line)
                file.close()
            del self._pending[run]


def _source_fingerprint(source: SourceRecord) -> bytes | None:
    record = source.message["record"]
    names = source.schema.get("key_properties") or ()
    return _fingerprint(source.stream, source.alias, {name: record.get(name) for name in names})


def _fingerprint(stream: str, alias: str, key: Mapping[str, Any]) -> bytes | None:
    """Digest a key; None for a stream without keys, or a record that lacks one of its own."""
    if not key or None in key.values():
        return None
    text = repr([stream, alias, *map(str, key.values())])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=FINGERPRINT_BYTES).digest()
