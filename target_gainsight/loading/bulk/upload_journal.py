"""What is written down about uploads, so that no file is sent twice after a crash.

A note is on disk before the first byte of its file goes out, and says so again once the tenant has
named the status to ask for. Beside it are the digests of the file's rows, in their order: a later
run to which the source sends the same records again, cut into files however it may be, recognises
them. The notes of a stream are taken away once a run has ended well and its last state is out.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from array import array
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from target_gainsight.loading.bulk.csv_file import (
    PART,
    file_name,
    make_private_folder,
    remove_leftovers,
    sync_folder,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage.private_file import OWNER_ONLY, lock
from target_gainsight.mapping.errors import shown, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

DIGEST_BYTES = 8
NOTE, ROWS, CSV, LOCK = ".upload.json", ".rows", ".csv", ".lock"

Phase = Literal["sending", "sent", "completed"]


@dataclass(frozen=True)
class UploadNote:
    """One file on its way.

    Attributes:
        name: What its files are called, without their suffixes.
        run: The run that sent it.
        tenant: The tenant it went to.
        job_id: The job that was to take it.
        stream: The stream of its rows.
        header: Its first line.
        rows: Its rows.
        size: Its bytes.
        sha256: What identifies its content.
        phase: sending: it may have been taken or not. sent: the job has it. completed: the job is
            done with it.
        sent_at: When it was sent, in epoch seconds.
        status_id: What its progress is asked by.
    """

    name: str
    run: str
    tenant: str
    job_id: str
    stream: str
    header: str
    rows: int
    size: int
    sha256: str
    phase: Phase = "sending"
    sent_at: float = 0.0
    status_id: str = ""


def row_digest(line: bytes) -> int:
    """What identifies a row among those of a stream.

    Args:
        line: The row as it stands in its file.
    """
    return int.from_bytes(hashlib.blake2b(line, digest_size=DIGEST_BYTES).digest(), sys.byteorder)


class UploadedRows:
    """The rows that earlier runs have uploaded and that come again, in the order they went.

    A row is recognised where it follows, however far behind, the one recognised before it. The
    first row that is not ends this: what comes after it may be newer than what was uploaded.

    Args:
        digests: The rows' digests.
    """

    def __init__(self, digests: array[int] | None = None) -> None:
        self._digests = digests if digests is not None else array("Q")
        self._next = 0

    def consume(self, digest: int) -> bool:
        """Say whether a row was uploaded before.

        Args:
            digest: Its digest.
        """
        if not self._digests:
            return False
        try:
            self._next = self._digests.index(digest, self._next) + 1
        except ValueError:
            self._digests = array("Q")
            return False
        return True


class UploadJournal:
    """The notes of all streams, in one folder.

    Args:
        folder: Where notes and files are, within a folder that is as private.
        tenant: The tenant that files go to.
        run: The run at hand.
    """

    def __init__(self, folder: Path, tenant: str, run: str) -> None:
        self.folder = folder
        self._tenant = tenant
        self._run = run
        self._locks: dict[str, int] = {}
        self._count = 0

    def begin(self, stream: str) -> None:
        """Reserve a stream for this run and take away what a killed one has not sent.

        Args:
            stream: The stream.

        Raises:
            RunStoppedError: Another process is loading it, or the folder cannot be used.
        """
        if stream in self._locks:
            return
        path = self.folder / f"{file_name(stream)}{LOCK}"
        try:
            make_private_folder(self.folder.parent)
            make_private_folder(self.folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        except OSError as error:
            message = f"stream {shown(stream)}: {shown_path(path)} cannot be used: {error.strerror}"
            raise RunStoppedError(message) from error
        if not lock(descriptor):
            os.close(descriptor)
            message = (
                f"stream {shown(stream)}: another run is uploading this stream (it holds "
                f"{shown_path(path)}); wait until it has ended and run again"
            )
            raise RunStoppedError(message)
        self._locks[stream] = descriptor
        remove_leftovers(self.folder, f"*-{file_name(stream)}-*{CSV}{PART}")

    def close(self) -> None:
        """Let other runs have the streams."""
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks = {}

    def new_note(self, stream: str, job_id: str, header: str) -> UploadNote:
        """Name one more file.

        Args:
            stream: The stream of its rows.
            job_id: The job that is to take it.
            header: Its first line.
        """
        self._count += 1
        return UploadNote(
            name=f"{self._run}-{file_name(stream)}-{self._count}",
            run=self._run,
            tenant=self._tenant,
            job_id=job_id,
            stream=stream,
            header=header,
            rows=0,
            size=0,
            sha256="",
        )

    def csv_path(self, note: UploadNote) -> Path:
        """Say where a file is."""
        return self.folder / f"{note.name}{CSV}"

    def note_path(self, note: UploadNote) -> Path:
        """Say where a note is."""
        return self.folder / f"{note.name}{NOTE}"

    def write(self, note: UploadNote) -> None:
        """Bring a note to disk, in place of the one before it.

        Args:
            note: The note.

        Raises:
            OSError: The disk does not take it.
        """
        path = self.note_path(note)
        text = json.dumps(asdict(note), indent=2)
        _write_whole(path, text.encode())

    def write_digests(self, note: UploadNote, digests: array[int]) -> None:
        """Bring the digests of a file's rows to disk.

        Args:
            note: The file's note.
            digests: One for each row, in order.

        Raises:
            OSError: The disk does not take them.
        """
        _write_whole(self.folder / f"{note.name}{ROWS}", digests.tobytes())

    def remove(self, note: UploadNote) -> None:
        """Take a note away: its rows are not known any more.

        Args:
            note: The note.
        """
        for suffix in (NOTE, ROWS):
            (self.folder / f"{note.name}{suffix}").unlink(missing_ok=True)

    def remove_stream(self, stream: str) -> None:
        """Take away all notes of a stream: its rows are covered by a state that is out.

        Args:
            stream: The stream.
        """
        for note in self._read():
            if note.stream == stream and note.tenant == self._tenant:
                self.remove(note)

    def earlier(self, stream: str) -> list[UploadNote]:
        """List what earlier runs have sent of a stream, in order.

        Args:
            stream: The stream.
        """
        return [
            note
            for note in self._read()
            if note.stream == stream and note.tenant == self._tenant and note.run != self._run
        ]

    def rows(self, past: Sequence[UploadNote], job_id: str, header: str) -> UploadedRows:
        """Read which rows a job has been given.

        Args:
            past: The files, in order.
            job_id: The job; what went to another one does not count.
            header: The first line of what is to be sent; other columns make other rows.
        """
        digests = array("Q")
        for note in past:
            if note.job_id == job_id and note.header == header:
                path = self.folder / f"{note.name}{ROWS}"
                digests.frombytes(path.read_bytes() if path.exists() else b"")
        return UploadedRows(digests)

    def unknown_outcome_message(self, note: UploadNote, why: str) -> str:
        """Say that it is not known whether a file was taken, and what is to be done.

        Args:
            note: The file's note.
            why: What leaves it open.
        """
        sent = datetime.fromtimestamp(note.sent_at, tz=timezone.utc)
        return (
            f"stream {shown(note.stream)}: whether bulk job {shown(note.job_id)} has taken the "
            f"file {shown_path(self.csv_path(note))} ({note.rows:,} rows, sent "
            f"{sent:%Y-%m-%d %H:%M:%S} UTC) is not known: {why}. Look into the job's log in "
            'Gainsight. If it has run with this file, put "phase": "completed" into '
            f"{shown_path(self.note_path(note))}: the rows are not sent again. If it has "
            "not, delete that note: they are. Then run again"
        )

    def _read(self) -> Iterable[UploadNote]:
        for path in sorted(self.folder.glob(f"*{NOTE}"), key=_by_number):
            try:
                yield _parsed(json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError) as error:
                message = (
                    f"the note {shown_path(path)} about an upload cannot be read ({error}). See "
                    "in Gainsight whether the job has run, and delete the note if its rows are "
                    "to be sent again"
                )
                raise RunStoppedError(message) from error


def with_phase(note: UploadNote, phase: Phase, status_id: str = "") -> UploadNote:
    """The same note in its next phase.

    Args:
        note: The note.
        phase: The phase.
        status_id: What progress is asked by, if it is known only now.
    """
    return replace(note, phase=phase, status_id=status_id or note.status_id)


def _parsed(plain: Any) -> UploadNote:  # noqa: ANN401 - JSON of any shape
    note = UploadNote(**plain)
    if note.phase not in {"sending", "sent", "completed"}:
        message = f"unknown phase {shown(note.phase)}"
        raise ValueError(message)
    return note


def _by_number(path: Path) -> tuple[str, int]:
    """Order notes by run and number: `…-stream-10` comes after `…-stream-9`."""
    rest, _, number = path.name.removesuffix(NOTE).rpartition("-")
    return rest, int(number) if number.isdecimal() else 0


def _write_whole(path: Path, content: bytes) -> None:
    """Replace a file for its owner only, whole or not at all, and bring it to disk."""
    beside = path.with_name(f"{path.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)
