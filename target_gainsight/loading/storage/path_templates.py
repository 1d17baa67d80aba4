"""Paths of files that a run writes, with `{run}` and `{stream}` in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

NO_STREAM = "no-stream"
MAX_STREAM_NAMES = 100
"""Characters of the streams' names in the name of a file."""


def fill_path(path: Path, run: str, streams: Iterable[str]) -> Path:
    """Replace `{run}` by the run's name and `{stream}` by the names of its streams, joined by +."""
    names = "+".join(map(_in_file_name, streams)) or NO_STREAM
    text = str(path).replace("{run}", run).replace("{stream}", names[:MAX_STREAM_NAMES])
    return type(path)(text)


def _in_file_name(stream: str) -> str:
    """Return a stream's name without separators and control characters."""
    safe = "".join(each if each.isalnum() or each in "-_." else "_" for each in stream)
    return safe.lstrip(".") or "_"
