"""Logs rejects: a line per record, and a line per rejected parent with the number of children."""

import logging
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from target_gainsight.loading.outcomes import REJECTED_PARENT, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.mapping.errors import counted, display

logger = logging.getLogger(__name__)

MAX_LINES = MAX_PARENTS = 1000
MAX_SECONDS_HELD = 600.0
"""Children are counted as long before they are logged: the input of a stream may never end."""


@dataclass
class RejectLog:
    """Logs the rejects of one run, which are all in the file at a path."""

    path: Path
    _logged: int = 0
    _children: Counter[tuple[str, str]] = field(default_factory=Counter)
    _held_since: float = math.inf

    def add(self, source: SourceRecord, reason: Reason) -> None:
        """Log one reject; the children of a rejected parent are counted first."""
        stream = display(source.alias)
        if reason.code != REJECTED_PARENT:
            self._log(f"stream {stream}, key {display(source.key)}: {reason}")
            return
        self._children[stream, reason.message] += 1
        if len(self._children) > MAX_PARENTS:
            self.finish()

    def tick(self, now: float) -> None:
        """Log the rejected parents whose children have been counted for some minutes."""
        self._held_since = min(self._held_since, now) if self._children else math.inf
        if now - self._held_since >= MAX_SECONDS_HELD:
            self.finish()

    def finish(self) -> None:
        """Log the rejected parents with the number of their children."""
        for (stream, message), count in self._children.items():
            self._log(
                f"stream {stream}, {counted(count, 'record')}: {REJECTED_PARENT}: {message}, "
                "because that record was rejected, too. Fix it first, then replay"
            )
        self._children.clear()

    def _log(self, text: str) -> None:
        self._logged += 1
        if self._logged <= MAX_LINES:
            logger.warning("rejected: %s", text)
        elif self._logged == MAX_LINES + 1:
            logger.warning("further rejects are listed in %s only", self.path)
