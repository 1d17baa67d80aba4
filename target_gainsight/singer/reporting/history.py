"""The history of runs: one summary document per line, beside the reject files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from target_gainsight.loading.storage.private_file import (
    OWNER_ONLY,
    ends_in_half_a_line,
    make_private_folder,
)
from target_gainsight.loading.storage.source_json import read_json
from target_gainsight.singer.reporting.document import Document, to_line

HISTORY = "history.jsonl"


def append_to_history(folder: Path, document: Document) -> None:
    """Append a run to the history; runs that end at the same time do not mix their lines.

    Raises:
        OSError: The line cannot be written.
    """
    make_private_folder(folder)
    path = folder / HISTORY
    begin = "\n" if ends_in_half_a_line(path) else ""
    data = f"{begin}{to_line(document)}\n".encode("ascii")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, OWNER_ONLY)
    try:
        written = os.write(descriptor, data)
    finally:
        os.close(descriptor)
    if written < len(data):
        message = f"{path} cannot be written: the disk took only a part of the line"
        raise OSError(message)


def read_history(folder: Path) -> Iterator[Document]:
    """Read the documents of all runs, oldest first; lines that are not whole are left out.

    Raises:
        OSError: The history cannot be read; that there is none is no error.
    """
    try:
        file = (folder / HISTORY).open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                document = read_json(line)
            except (RecursionError, ValueError):
                continue
            if isinstance(document, dict) and "run" in document:
                yield document
