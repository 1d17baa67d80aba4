"""CSV files: UTF-8, readable by their owner only, written row by row."""

import errno
import hashlib
import os
import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage.private_file import (
    PART,
    lock,
    make_private_folder,
    open_private,
    sync_folder,
)
from target_gainsight.mapping.errors import display_path


class CsvFile:
    """A CSV. It is called `.part` and locked until it is complete.

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
        self.digests = array("Q")
        self._row_sizes = array("I")
        self._part = path.with_name(path.name + PART)
        self._file: IO[bytes] | None = None
        if not dry_run:
            with self._stopping_the_run():
                make_private_folder(path.parent)
                self._file = open_private(self._part, "xb")
                lock(self._file)
        self._append(header)

    @property
    def rows(self) -> int:
        """The number of rows, without the header."""
        return len(self.sequences)

    def add(self, line: bytes, sequence: int, retires: Iterable[str] = ()) -> None:
        """Append the line of one record, including its end, and the rejects that it retires."""
        self._append(line)
        self._row_sizes.append(len(line))
        self.digests.append(row_digest(line))
        self.sequences.append(sequence)
        self.retires += retires

    def complete(self) -> None:
        """Bring everything to disk and give the file its name; no line can follow."""
        if self._file is not None and not self._file.closed:
            with self._stopping_the_run():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._part.replace(self.path)
                sync_folder(self.path.parent)
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
