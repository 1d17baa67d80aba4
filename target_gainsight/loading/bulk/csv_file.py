"""CSV files as they grow: RFC 4180, UTF-8, for their owner only, row by row.

Knows neither what the rows mean nor what becomes of the file.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import re
from typing import TYPE_CHECKING, BinaryIO

from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage.private_file import FOLDER_OF_OWNER, OWNER_ONLY, lock
from target_gainsight.mapping.errors import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BUFFER_BYTES = 1 << 20
PART = ".part"


class LineWriter:
    """Turns cells into lines of CSV: cells quoted where they need it, lines ended by CR LF."""

    def __init__(self) -> None:
        self._text = io.StringIO(newline="")
        self._write = csv.writer(self._text, lineterminator="\r\n").writerow

    def line(self, cells: Sequence[str]) -> bytes:
        """Return one line in UTF-8.

        Args:
            cells: Its cells, which are text without halves of surrogate pairs and without NUL.
        """
        self._text.seek(0)
        self._text.truncate()
        self._write(cells)
        return self._text.getvalue().encode()


class CountedFile:
    """A CSV that is not written: how many rows and bytes it would have."""

    def __init__(self, header: bytes) -> None:
        self.rows = 0
        self.size = len(header)

    def add(self, line: bytes) -> None:
        """Count one line."""
        self.rows += 1
        self.size += len(line)

    def complete(self) -> None:
        """Do nothing."""

    def discard(self) -> None:
        """Do nothing."""


class SpooledFile:
    """A CSV on disk, for its owner only. It bears its name once it is complete, not before.

    As long as it grows it is called `.part`, and is locked.

    Args:
        path: Where it goes; its folder is made and hidden from git.
        header: Its first line.

    Attributes:
        path: Where it will be.

    Raises:
        RunStoppedError: It cannot be written; says that nothing of it is acknowledged.
    """

    def __init__(self, path: Path, header: bytes) -> None:
        self.path = path
        self.rows = 0
        self.size = 0
        self._digest = hashlib.sha256()
        self._part = path.with_name(path.name + PART)
        self._file: BinaryIO | None = None
        try:
            self._file = _opened(self._part)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._append(header)

    @property
    def sha256(self) -> str:
        """What identifies its content so far."""
        return self._digest.hexdigest()

    def add(self, line: bytes) -> None:
        """Add one line.

        Args:
            line: With its end.

        Raises:
            RunStoppedError: The disk does not take it.
        """
        self._append(line)
        self.rows += 1

    def complete(self) -> None:
        """Bring everything to disk and give the file its name; no line comes any more.

        Raises:
            RunStoppedError: The disk does not take it.
        """
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._part.replace(self.path)
            sync_folder(self.path.parent)
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error
        self._file = None

    def discard(self) -> None:
        """Take the file away."""
        growing = self._file is not None
        self._close()
        (self._part if growing else self.path).unlink(missing_ok=True)

    def _append(self, line: bytes) -> None:
        if self._file is None:
            message = f"{self.path} is complete"
            raise ValueError(message)
        try:
            self._file.write(line)
        except OSError as error:
            raise self._failed(error) from error
        self._digest.update(line)
        self.size += len(line)

    def _failed(self, error: OSError) -> RunStoppedError:
        self.discard()
        return _unwritable(self.path, error)

    def _close(self) -> None:
        """Close whatever the disk says: what is buffered is not wanted any more."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return


def file_name(stream: str) -> str:
    """A stream's name as part of a file's; a digest tells apart what looks the same then.

    Args:
        stream: The stream.
    """
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", stream)[:60]
    if plain == stream:
        return plain
    return (
        f"{plain}_{hashlib.blake2b(stream.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"
    )


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk, where the system can.

    Args:
        folder: The folder.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner only, hidden from git; one that is there stays as it is.

    Args:
        folder: The folder.
    """
    folder.mkdir(mode=FOLDER_OF_OWNER, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def remove_leftovers(folder: Path, pattern: str) -> None:
    """Take away the files that a killed run has left behind; those that grow now are locked.

    Args:
        folder: Where they are.
        pattern: Their names.
    """
    for path in folder.glob(pattern):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            continue
        try:
            if lock(descriptor):
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _opened(path: Path) -> BinaryIO:
    make_private_folder(path.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, OWNER_ONLY)
    lock(descriptor)
    return os.fdopen(descriptor, "wb", buffering=BUFFER_BYTES)


def _unwritable(path: Path, error: OSError) -> RunStoppedError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else False
    advice = "Make room on its disk" if full else "Mend that"
    message = (
        f"the CSV file {shown_path(path)} cannot be written: {error.strerror or error}. None of "
        f"its records is acknowledged. {advice} and run again: they come again"
    )
    return RunStoppedError(message)
