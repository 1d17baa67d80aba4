"""One file for a bulk job: its CSV, its note, its records and the digests of its rows."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO

from target_gainsight.loading.bulk.csv_file import CountedFile, SpooledFile
from target_gainsight.loading.bulk.upload_journal import UploadJournal, UploadNote, row_digest
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.reject_id import RejectId
from target_gainsight.loading.settling.file_contents import FileContents


@dataclass
class UploadFile:
    """Rows that go to a bulk job together.

    Attributes:
        csv: The rows on disk; in a dry run only their count.
        records: The records of the rows, in the same order.
        note: The journal's note about the upload; None in a dry run.
        digests: One for each row, in order.
    """

    csv: CountedFile
    records: FileContents
    note: UploadNote | None = None
    digests: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, line: bytes, source: SourceRecord, retires: Iterable[RejectId]) -> None:
        """Add one row with its record and the older rejects that it replaces.

        Raises:
            RunStoppedError: The disk refuses it.
        """
        self.csv.add(line)
        self.records.add(source, retires)
        self.digests.append(row_digest(line))

    def complete(self) -> UploadNote:
        """Finish the file and return its note with rows, size and digest.

        Raises:
            RunStoppedError: The disk refuses it.
            ValueError: It is only counted, for a dry run.
        """
        if self.note is None or not isinstance(self.csv, SpooledFile):
            message = "a dry run uploads nothing"
            raise ValueError(message)
        self.csv.complete()
        return replace(self.note, rows=self.csv.rows, size=self.csv.size, sha256=self.csv.sha256)


def halve(whole: UploadFile, header: bytes, journal: UploadJournal) -> list[UploadFile]:
    """Replace a file by two with half of its rows each; one row stays one file.

    Raises:
        RunStoppedError: The disk refuses them.
    """
    note = whole.complete()
    halves = []
    with journal.csv_path(note).open("rb") as source:
        rows = _rows(source)
        next(rows)
        for records in whole.records.split((note.rows + 1) // 2):
            half_note = journal.new_note(note.stream, note.job_id, note.header)
            half = UploadFile(SpooledFile(journal.csv_path(half_note), header), records, half_note)
            for row in islice(rows, len(records)):
                half.csv.add(row)
                half.digests.append(row_digest(row))
            halves.append(half)
    whole.csv.discard()
    return halves


def _rows(source: BinaryIO) -> Iterator[bytes]:
    """Split a CSV into its rows; a quoted cell may hold line ends."""
    row, is_quoted = [], False
    for line in source:
        row.append(line)
        is_quoted ^= line.count(b'"') % 2 == 1
        if not is_quoted:
            yield b"".join(row)
            row = []
