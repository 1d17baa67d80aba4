"""Files for their owner only, written by whole lines."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


if sys.platform != "win32":
    import fcntl

OWNER_ONLY = 0o600
FOLDER_OF_OWNER = 0o700


class PrivateFile:
    """A file for its owner only, made when its first line is written.

    Args:
        path: Where it goes; its folder is made and hidden from git.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._pending: list[bytes] = []
        self._begun = False

    @property
    def exists(self) -> bool:
        """Whether a line was ever added."""
        return self._begun

    def add(self, line: str) -> None:
        """Add one line, to be written at the next flush.

        Args:
            line: Text without its line end.
        """
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
            self._descriptor = self._open()
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

    def close(self) -> None:
        """Write what is left and close."""
        self.flush()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        folder = self.path.parent
        folder.mkdir(mode=FOLDER_OF_OWNER, parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self.path, flags, OWNER_ONLY)
        lock(descriptor)
        return descriptor


def lock(descriptor: int) -> bool:
    """Mark a file as being written, until it is closed; elsewhere than on POSIX do nothing.

    Args:
        descriptor: The open file.

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
