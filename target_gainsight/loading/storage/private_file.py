"""Files for their owner only, written by whole lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

if sys.platform != "win32":
    import fcntl

OWNER_ONLY = 0o600
PART = ".part"
"""The suffix of a file that is not complete yet."""


class PrivateFile:
    """A file for its owner only, made when its first line is written.

    Args:
        path: Where it goes; its folder is made.
        hides_folder: Make the folder for its owner only, and hide it from git.
    """

    def __init__(self, path: Path, *, hides_folder: bool = True) -> None:
        self.path = path
        self._hides_folder = hides_folder
        self._descriptor: int | None = None
        self._pending: list[bytes] = []
        self._begun = False

    @property
    def exists(self) -> bool:
        """Whether a line was ever added."""
        return self._begun

    def add(self, line: str) -> None:
        """Add one line, to be written at the next flush."""
        self._begun = True
        self._pending.append(line.encode("utf-8", "backslashreplace") + b"\n")

    def flush(self) -> None:
        """Write all added lines.

        Raises:
            OSError: The disk does not take them; no half line is left behind.
        """
        if not self._pending:
            return
        if self._descriptor is None:
            if self._hides_folder:
                make_private_folder(self.path.parent)
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
            self._descriptor = os.open(self.path, flags, OWNER_ONLY)
            lock(self._descriptor)
        data = b"".join(self._pending)
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise
        self._pending.clear()

    def sync(self) -> None:
        """Bring all added lines to disk, and the file's name.

        Raises:
            OSError: The disk does not take them.
        """
        is_new = self._descriptor is None
        self.flush()
        if self._descriptor is not None:
            os.fsync(self._descriptor)
        if is_new:
            sync_folder(self.path.parent)

    def close(self) -> None:
        """Write what is left and close."""
        self.flush()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def abandon(self) -> None:
        """Close without writing what is left, which the disk may have refused."""
        self._pending.clear()
        self.close()


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Append lines to a private file, after the end of a line that a crash has cut short.

    Raises:
        OSError: The disk does not take them.
    """
    file = PrivateFile(path)
    if ends_in_half_a_line(path):
        file.add("")
    for line in lines:
        file.add(line)
    file.close()


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner only, hidden from git; an existing one keeps its mode."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def replace_private_file(path: Path, content: bytes) -> None:
    """Write a file to disk, readable by its owner only: all of it or nothing.

    Raises:
        OSError: The disk refuses it.
    """
    part = path.with_name(path.name + PART)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def ends_in_half_a_line(path: Path) -> bool:
    """Return whether a file's last line lacks its end, as after a crash; no file has none."""
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                return False
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False


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
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            continue
        try:
            if lock(descriptor):
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Mark a file as being written, until it is closed; elsewhere than on POSIX do nothing.

    Returns:
        False when another process, or another part of this one, is writing it.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
