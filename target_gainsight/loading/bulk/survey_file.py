"""The file that a stream of survey responses becomes: one in a run, whole or not there at all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_gainsight.loading.bulk.csv_file import (
    PART,
    CountedFile,
    SpooledFile,
    file_name,
    remove_leftovers,
)
from target_gainsight.loading.settling.file_contents import FileContents

if TYPE_CHECKING:
    from pathlib import Path

    from target_gainsight.loading.dry_run.plan import Plan
    from target_gainsight.loading.records import SourceRecord
    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.settling.summary import FileCounts
    from target_gainsight.loading.watermark import Watermark

logger = logging.getLogger(__name__)


class SurveyFile:
    """The survey file of one stream.

    Args:
        stream: The stream.
        header: Its first line.
        folder: Where it goes.
        run: The run's name, which is part of the file's.
        watermark: How far the stream's sink is settled.
        ledger: Is told once the file is there.
        counts: Takes the counts.
        plan: Takes note of the file in a dry run, in which none is written.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that it works with
        self,
        *,
        stream: str,
        header: bytes,
        folder: Path,
        run: str,
        watermark: Watermark,
        ledger: Ledger,
        counts: FileCounts,
        plan: Plan | None = None,
    ) -> None:
        self._stream = stream
        self._header = header
        self._folder = folder
        self._run = run
        self._watermark = watermark
        self._ledger = ledger
        self._counts = counts
        self._plan = plan
        self._file: SpooledFile | CountedFile | None = None
        self._records = FileContents(stream, watermark)

    def add(self, line: bytes, source: SourceRecord) -> None:
        """Take one row.

        Args:
            line: The row as a line of CSV.
            source: The record that it was.

        Raises:
            RunStoppedError: The disk does not take it.
        """
        file = self._file or self._new_file()
        file.add(line)
        self._records.add(source, self._ledger.retired_by(source))

    def publish(self) -> None:
        """Give the file its name and settle its records.

        Raises:
            RunStoppedError: The disk does not take it; nothing is to be seen of it.
        """
        file, self._file = self._file, None
        if file is None:
            return
        records, self._records = self._records, FileContents(self._stream, self._watermark)
        file.complete()
        self._counts.files += 1
        self._counts.rows += file.rows
        if self._plan is not None:
            self._plan.note_file(self._stream, file.size, "a survey import")
        if isinstance(file, SpooledFile):
            self._counts.written.append(file.path)
            logger.info("%s responses are in %s", f"{file.rows:,}", file.path)
        self._ledger.record_file(records, failed=0)

    def abandon(self) -> None:
        """Take a file away that has not got its name."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def _new_file(self) -> SpooledFile | CountedFile:
        if self._plan is not None:
            self._file = CountedFile(self._header)
            return self._file
        name = file_name(self._stream)
        remove_leftovers(self._folder, f"{name}-*.csv{PART}")
        self._file = SpooledFile(self._path(name), self._header)
        return self._file

    def _path(self, name: str) -> Path:
        """The file's path; a stream whose schema changes in a run gets a further file."""
        path = self._folder / f"{name}-{self._run}.csv"
        number = 1
        while path.exists():
            number += 1
            path = self._folder / f"{name}-{self._run}-{number}.csv"
        return path
