"""The file of a stream of survey responses: one per run, complete or not there at all."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from target_gainsight.loading.bulk.csv_file import CsvFile, file_name
from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.loading.storage.private_file import PART, remove_leftovers

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class SurveyFile:
    """The survey file of one stream; a dry run writes none.

    Raises:
        RunStoppedError: By every method: the disk refuses it; no part of the file is left.
    """

    stream: str
    header: bytes
    folder: Path
    run: str
    ledger: Ledger
    counts: FileCounts
    plan: Plan | None = None
    _file: CsvFile | None = field(default=None, init=False)

    def add(self, line: bytes, source: SourceRecord) -> None:
        """Add one row, given as a line of CSV."""
        self._file = self._file or self._new_file()
        self._file.add(line)
        self._file.records.add(source)

    def publish(self) -> None:
        """Give the file its name and settle its records."""
        file, self._file = self._file, None
        if file is None:
            return
        file.complete()
        self.counts.files += 1
        self.counts.rows += file.rows
        if self.plan is not None:
            self.plan.record_file(self.stream, file.size, "a survey import")
        else:
            self.counts.written.append(str(file.path))
            logger.info("%s responses are in %s", f"{file.rows:,}", file.path)
        self.ledger.record_file(file.records)

    def abandon(self) -> None:
        """Delete an incomplete file."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def _new_file(self) -> CsvFile:
        """Begin a file; a stream whose columns change during a run gets a further one."""
        name = file_name(self.stream)
        if self.plan is None:
            remove_leftovers(self.folder, f"{name}-*.csv{PART}")
        path = self.folder / f"{name}-{self.run}.csv"
        number = 1
        while path.exists():
            number += 1
            path = self.folder / f"{name}-{self.run}-{number}.csv"
        records = self.ledger.file_contents(self.stream)
        return CsvFile(path, self.header, records, dry_run=self.plan is not None)
