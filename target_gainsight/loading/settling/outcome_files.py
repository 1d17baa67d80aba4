"""The outcome of every record as JSON lines, for a warehouse to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.storage.private_file import PrivateFile, fill_path
from target_gainsight.loading.storage.source_json import utc_time, write_json


@dataclass
class OutcomeFiles:
    """The outcomes of one run: one file, or one per stream if the path has `{stream}`.

    Attributes:
        path: The path of the files, with placeholders; None if outcomes are not listed.
        now: Returns the time in epoch seconds.
    """

    path: Path | None
    run: str
    now: Callable[[], float]
    files: dict[Path, PrivateFile] = field(default_factory=dict)

    def add(
        self, source: SourceRecord, outcome: Outcome, reason: Reason | None, gsid: str | None
    ) -> None:
        """Add the outcome of one record."""
        if self.path is None:
            return
        line = {
            "run": self.run,
            "stream": source.alias,
            "key": source.key,
            "outcome": outcome.value,
            "gsid": gsid,
            "reason": reason.code if reason else None,
            "field": reason.field if reason else None,
            "message": str(reason) if reason else None,
            "time": utc_time(self.now()),
        }
        path = fill_path(self.path, self.run, [source.alias])
        if path not in self.files:
            self.files[path] = PrivateFile(path, hides_folder=False)
        self.files[path].add(write_json(line))
