"""CSV files, and the journal of their uploads: UTF-8, readable by their owner only.

The journal prevents a file from being sent twice after a crash. A note is on disk before the first
byte of its file is sent, and is updated when the tenant has named the upload's status id. Beside it
are the digests of the file's rows, in order, so that a later run recognises rows that the source
sends again, even if it cuts them into other files. A stream's notes are deleted once a run has
ended well and its last state is written.
"""

import errno
import hashlib
import json
import os
import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage import private_file
from target_gainsight.mapping.errors import display, display_path

NOTE, ROWS, CSV, LOCK = ".upload.json", ".rows", ".csv", ".lock"


class CsvFile:
    """A CSV file, named `.part` and locked until it is complete.

    Every method raises RunStoppedError when the disk refuses, and deletes the file first.

    Args:
        dry_run: Rows and bytes are counted, and nothing is written.

    Attributes:
        sequences: The numbers of the rows' records in the input, which settle with the file.
        retires: The rejects that these records retire.
    """

    def __init__(self, path: Path, header: bytes, *, dry_run: bool = False) -> None:
        self.path = path
        self.header = header
        self.sequences = array("q")
        self.retires: list[str] = []
        self.size = 0
        self._row_sizes = array("I")
        self._part = path.with_name(path.name + private_file.PART)
        self._file: IO[bytes] | None = None
        if not dry_run:
            with self._stopping_the_run():
                private_file.make_private_folder(path.parent)
                self._file = private_file.open_private(self._part, "xb")
                private_file.lock(self._file)
        self._append(header)

    @property
    def rows(self) -> int:
        """The number of rows, without the header."""
        return len(self.sequences)

    def add(self, line: bytes, sequence: int, retires: Iterable[str] = ()) -> None:
        """Append the line of one record, including its end, and the rejects that it retires."""
        self._append(line)
        self._row_sizes.append(len(line))
        self.sequences.append(sequence)
        self.retires += retires

    def complete(self) -> None:
        """Bring everything to disk and give the file its name; no line can follow."""
        if self._file is not None and not self._file.closed:
            with self._stopping_the_run():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._part.replace(self.path)
                private_file.sync_folder(self.path.parent)
                self._file.close()

    def discard(self) -> None:
        """Delete the file."""
        if self._file is not None:
            with suppress(OSError):  # what is buffered is not needed any more
                self._file.close()
            for path in (self._part, self.path):
                path.unlink(missing_ok=True)

    def read_rows(self) -> Iterator[bytes]:
        """Read the rows of a complete file."""
        with self.path.open("rb") as source:
            source.seek(len(self.header))
            for size in self._row_sizes:
                yield source.read(size)

    def _append(self, line: bytes) -> None:
        if self._file is not None:
            with self._stopping_the_run():
                self._file.write(line)
        self.size += len(line)

    @contextmanager
    def _stopping_the_run(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            is_full = error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
            advice = "Free some space on its disk" if is_full else "Fix the problem"
            message = (
                f"the CSV file {display_path(self.path)} cannot be written: "
                f"{error.strerror or error}. {advice} and run again; the records will be re-sent."
            )
            raise RunStoppedError(message) from error


@dataclass(frozen=True)
class UploadNote:
    """One file and its upload.

    Attributes:
        name: The name of its files, without their suffixes.
        phase: sending: its outcome is unknown. sent: the job has it. completed: the job has ended.
        sent_at: When it was sent, in epoch seconds.
        status_id: The id by which the tenant reports the job's progress.
    """

    name: str
    run: str
    tenant: str
    job_id: str
    stream: str
    header: str
    rows: int
    size: int
    phase: str = "sending"
    sent_at: float = 0.0
    status_id: str = ""

    def __str__(self) -> str:
        status = f" (status id {display(self.status_id)})" if self.status_id else ""
        return f"stream {display(self.stream)}: bulk job {display(self.job_id)}{status}"


@dataclass
class UploadJournal:
    """The notes of all streams, in one folder inside another private folder."""

    folder: Path
    tenant: str
    run: str
    _locks: dict[str, IO[bytes]] = field(default_factory=dict, init=False)
    _count: int = field(default=0, init=False)

    def begin(self, stream: str) -> None:
        """Lock a stream for this run, if no other is loading it; delete files of a killed run."""
        if stream in self._locks:
            return
        path = self.folder / f"{file_name(stream)}{LOCK}"
        try:
            private_file.make_private_folder(self.folder.parent)
            private_file.make_private_folder(self.folder)
            held = private_file.open_private(path, "ab")
        except OSError as error:
            message = f"{display_path(path)} cannot be used: {error.strerror}"
            raise RunStoppedError(message) from error
        if not private_file.lock(held):
            held.close()
            message = f"another run is uploading stream {display(stream)}: {display_path(path)}"
            raise RunStoppedError(message, suggestion="Run again when it has ended.")
        self._locks[stream] = held
        private_file.remove_leftovers(
            self.folder, f"*-{file_name(stream)}-*{CSV}{private_file.PART}"
        )

    def close(self) -> None:
        """Release the locks on the streams."""
        for held in self._locks.values():
            held.close()

    def new_file(self, stream: str, header: bytes, *, dry_run: bool = False) -> CsvFile:
        """Begin a CSV of a stream."""
        self._count += 1
        path = self.folder / f"{self.run}-{file_name(stream)}-{self._count}{CSV}"
        return CsvFile(path, header, dry_run=dry_run)

    def new_note(self, csv: CsvFile, stream: str, job_id: str) -> UploadNote:
        """Return the note of a complete CSV; bring the digests of its rows to disk, in order."""
        digests = array("Q", map(row_digest, csv.read_rows()))
        name, text = csv.path.name.removesuffix(CSV), csv.header.decode()
        note = UploadNote(name, self.run, self.tenant, job_id, stream, text, csv.rows, csv.size)
        private_file.replace_private_file(self.path(note, ROWS), digests.tobytes())
        return note

    def path(self, note: UploadNote, suffix: str = CSV) -> Path:
        """Return the path of a note's CSV, or of another of its files."""
        return self.folder / f"{note.name}{suffix}"

    def write(self, note: UploadNote) -> None:
        """Bring a note to disk in place of its former version."""
        text = json.dumps(asdict(note), indent=2)
        private_file.replace_private_file(self.path(note, NOTE), text.encode())

    def remove(self, note: UploadNote) -> None:
        """Delete a note; its rows will not be recognised any more."""
        for suffix in (NOTE, ROWS):
            self.path(note, suffix).unlink(missing_ok=True)

    def notes(self, stream: str) -> list[UploadNote]:
        """List the notes of a stream in this tenant, in the order of their uploads."""
        notes = []
        for path in self.folder.glob(f"*{NOTE}"):
            try:
                note = UploadNote(**json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError) as error:
                message = (
                    f"the upload note {display_path(path)} cannot be read ({error}). Check in "
                    "Gainsight whether the job has run; delete the note if its rows are to be "
                    "sent again."
                )
                raise RunStoppedError(message) from error
            if note.stream == stream and note.tenant == self.tenant:
                notes.append(note)
        return sorted(notes, key=lambda note: note.sent_at)

    def row_digests(self, notes: Iterable[UploadNote]) -> Iterator[int]:
        """Return the digests of the rows of some notes."""
        digests = array("Q")
        for path in (self.path(note, ROWS) for note in notes):
            if path.exists():
                digests.frombytes(path.read_bytes())
        return iter(digests)

    def unknown_outcome(self, note: UploadNote, why: str) -> RunStoppedError:
        """Return the error for a file that the job may or may not have taken, and what to do."""
        sent = datetime.fromtimestamp(note.sent_at, tz=timezone.utc)
        return RunStoppedError(
            f"stream {display(note.stream)}: whether bulk job {display(note.job_id)} has taken the "
            f"file {display_path(self.path(note))} ({note.rows:,} rows, sent "
            f"{sent:%Y-%m-%d %H:%M:%S} UTC) is not known: {why}. Check the job's log in "
            'Gainsight. If the job has run with this file, put "phase": "completed" into '
            f"{display_path(self.path(note, NOTE))}, so that its rows are not sent "
            "again. If it has not, delete that note, so that they are. Then run again."
        )


def row_digest(line: bytes) -> int:
    """Return the digest of a row, given as its line in the CSV."""
    return int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), sys.byteorder)


def file_name(stream: str) -> str:
    """Return a stream's name as part of a file's; a digest keeps similar names apart."""
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", stream)[:60]
    if plain == stream:
        return plain
    digest = hashlib.blake2b(stream.encode("utf-8", "replace"), digest_size=4)
    return f"{plain}_{digest.hexdigest()}"
