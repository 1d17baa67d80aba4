"""Logs rejects: a line per record, and a line per rejected parent with the number of children."""

from __future__ import annotations

import logging
import math
from collections import Counter
from pathlib import Path

from target_gainsight.loading.outcomes import REJECTED_PARENT, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.mapping.errors import counted, display

logger = logging.getLogger(__name__)

MAX_LINES = 1000
"""Lines for records, and lines for parents."""

MAX_SECONDS_HELD = 600.0
"""Children are counted as long before they are logged: the input of a stream may never end."""


class RejectLog:
    """Logs the rejects of one run.

    Args:
        path: The reject file, which has them all.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logged = 0
        self._children: Counter[tuple[str, str]] = Counter()
        self._further_children = 0
        self._held_since = math.inf

    def add(self, source: SourceRecord, reason: Reason) -> None:
        """Log one reject; the children of a rejected parent are counted first."""
        if reason.code == REJECTED_PARENT:
            parent = (source.alias, reason.message)
            if parent in self._children or len(self._children) < MAX_LINES:
                self._children[parent] += 1
            else:
                self._further_children += 1
            return
        self._logged += 1
        if self._logged <= MAX_LINES:
            stream, key = display(source.alias), display(source.key)
            logger.warning("rejected: stream %s, key %s: %s", stream, key, reason)
        elif self._logged == MAX_LINES + 1:
            logger.warning("further rejects are listed in %s only", self._path)

    def tick(self, now: float) -> None:
        """Log the rejected parents whose children have been counted for some minutes."""
        if self._children:
            self._held_since = min(self._held_since, now)
            if now - self._held_since >= MAX_SECONDS_HELD:
                self.finish()

    def finish(self) -> None:
        """Log the rejected parents with the number of their children."""
        for (stream, message), count in self._children.items():
            logger.warning(
                "rejected: stream %s, %s: %s: %s, because that record was rejected, too. Fix it "
                "first, then replay",
                display(stream),
                counted(count, "record"),
                REJECTED_PARENT,
                message,
            )
        if self._further_children:
            logger.warning(
                "rejected: %s of further rejected parents, listed in %s only",
                counted(self._further_children, "record"),
                self._path,
            )
        self._children.clear()
        self._further_children = 0
        self._held_since = math.inf
