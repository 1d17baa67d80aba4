"""The files that a run writes: for their owner only, whole or by whole lines."""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

OWNER_ONLY = 0o600
PART = ".part"
"""The suffix of a file that is not complete yet."""

MAX_PENDING = 10_000
"""Lines that are kept in memory until they are written."""


@dataclass(eq=False)
class PrivateFile:
    """A file for its owner only, made with its folder when its first line is written."""

    path: Path
    hides_folder: bool = True  # from git, and from other users
    exists: bool = False
    _descriptor: int | None = None
    _pending: list[bytes] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Add one line, to be written at the next flush, or once very many are waiting."""
        self.exists = True
        self._pending.append(line.encode("utf-8", "backslashreplace") + b"\n")
        if len(self._pending) >= MAX_PENDING:
            self.flush()

    def flush(self) -> None:
        """Write all added lines; if the disk does not take them, leave no half line behind."""
        if not self._pending:
            return
        if self._descriptor is None:
            if self.hides_folder:
                make_private_folder(self.path.parent)
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._descriptor = os.open(self.path, flags, OWNER_ONLY)
            lock(self._descriptor)
        data, end = b"".join(self._pending), os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise
        self._pending.clear()

    def close(self, *, sync: bool = False) -> None:
        """Write what is left and close; bring all lines, and the file's name, to disk if asked."""
        try:
            self.flush()
            if sync and self._descriptor is not None:
                os.fsync(self._descriptor)
                sync_folder(self.path.parent)
        finally:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


def append_lines(path: Path, lines: Iterable[str], *, sync: bool = False) -> None:
    """Append lines to a private file, after the end of a line that a crash has cut short."""
    file = PrivateFile(path)
    with suppress(OSError), path.open("rb") as earlier:  # it may be missing or empty
        earlier.seek(-1, os.SEEK_END)
        if earlier.read(1) != b"\n":
            file.add("")
    for line in lines:
        file.add(line)
    file.close(sync=sync)


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Open a file to write bytes to it; a new one is readable by its owner only."""
    return open(path, mode, opener=partial(os.open, mode=OWNER_ONLY))


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner only, hidden from git; an existing one keeps its mode."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def replace_private_file(path: Path, content: bytes) -> None:
    """Write a file to disk, readable by its owner only: all of it or nothing."""
    part = path.with_name(path.name + PART)
    with open_private(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path, pattern: str) -> None:
    """Delete the files that a killed run left behind; those still being written are locked."""
    for path in folder.glob(pattern):
        with suppress(OSError), path.open("rb+") as file:
            if lock(file):
                path.unlink()


def fill_path(path: Path, run: str, streams: Iterable[str]) -> Path:
    """Replace `{run}` by the run's name and `{stream}` by the names of its streams, joined by +."""
    safe = (re.sub(r"[^\w.-]", "_", stream).lstrip(".") or "_" for stream in streams)
    names = "+".join(safe)[:100] or "no-stream"  # the name of a file is bounded
    return type(path)(str(path).replace("{run}", run).replace("{stream}", names))


def lock(file: IO[bytes] | int) -> bool:
    """Mark a file as being written, until it is closed; return False if another is writing it.

    Without POSIX, or on a file system without locks, nothing is marked.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True
