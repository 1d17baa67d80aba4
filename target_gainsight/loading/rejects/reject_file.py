"""The reject file of a run: a Singer file that holds the source records and the reasons.

Piping it into the target again is the replay. Lines are written whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.storage.source_json import write_json
from target_gainsight.mapping.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from target_gainsight.loading.outcomes import Arrival, Outcome, Reason
    from target_gainsight.loading.rejects.folder import RejectId

if sys.platform != "win32":
    import fcntl

REASON_PROPERTY = "gainsight_reject"
"""The property of a RECORD message that tells why it was rejected."""

OWNER_ONLY = 0o600
FOLDER_OF_OWNER = 0o700


def new_run_name(now: float) -> str:
    """Name a run by its start, so that names sort by time and never meet.

    Args:
        now: The start in epoch seconds.

    Returns:
        Such as ``20260201T093000Z-3f9a17c4``.
    """
    start = datetime.fromtimestamp(now, tz=timezone.utc)
    return f"{start:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


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


class RejectFile:
    """The rejects of one run, in input order.

    Args:
        path: The file.
        keys_only: Keep the key properties of a source record only; such a file cannot be replayed.
        now: The time in epoch seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float], *, keys_only: bool = False) -> None:
        self._file = PrivateFile(path)
        self._keys_only = keys_only
        self._now = now
        self._written: dict[str, Mapping[str, Any]] = {}

    @property
    def path(self) -> Path:
        """Where the file is, or would be."""
        return self._file.path

    @property
    def exists(self) -> bool:
        """Whether anything was rejected."""
        return self._file.exists

    def add(self, arrival: Arrival, outcome: Outcome, reason: Reason, id_: RejectId) -> None:
        """Add one record with its reason.

        Args:
            arrival: The record as it came.
            outcome: rejected, or skipped where that is listed too.
            reason: Why.
            id_: What names it from now on.
        """
        if self._written.get(arrival.stream) is not arrival.schema:
            self._file.add(write_json(arrival.schema))
            self._written[arrival.stream] = arrival.schema
        message = dict(arrival.message)
        if self._keys_only:
            keys = arrival.schema.get("key_properties") or ()
            message["record"] = {key: message["record"].get(key) for key in keys}
        described = self._described(arrival, outcome, reason)
        message[REASON_PROPERTY] = {"id": str(id_), **described}
        self._file.add(write_json(message))

    def flush(self) -> None:
        """Write what was added; a state that covers it may follow."""
        self._file.flush()

    def close(self) -> None:
        """Write what is left and close."""
        self._file.close()

    def _described(self, arrival: Arrival, outcome: Outcome, reason: Reason) -> dict[str, Any]:
        shows_nothing = self._keys_only or reason.value is None
        described: dict[str, Any] = {
            "stream": arrival.alias,
            "outcome": outcome.value,
            "code": reason.code,
            "field": reason.field,
            "value": None if shows_nothing else shown(reason.value),
            "message": reason.message,
            "hint": reason.hint,
            "request_id": reason.request_id,
            "time": datetime.fromtimestamp(self._now(), tz=timezone.utc).isoformat(),
            "replayable": not self._keys_only,
        }
        if reason.sent_at is not None:
            described["sent_at"] = reason.sent_at
        return described
