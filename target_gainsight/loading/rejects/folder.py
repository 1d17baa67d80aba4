"""Reads the folder of reject files: its runs, and their open rejects.

A reject is open until a line of its run's ``.retired`` file names it.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.storage.source_json import read_json_lines

REASON_PROPERTY = "gainsight_reject"
"""The property of a rejected RECORD message that holds the reason."""

RUN_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,8}")
REJECT_ID = re.compile(rf"({RUN_NAME.pattern})-[0-9]{{1,12}}")
"""The run that rejected a record, and the reject's number in that run, from 1."""

REJECTS, RETIRED, CREATED, REPORT = ".singer", ".retired", ".created.csv", ".html"
DELETED = ".deleted.singer"
"""The suffix of a run's deleted rows, which are no rejects and are never cleared with them."""

SUFFIXES = (REJECTS, RETIRED, CREATED, REPORT)
"""The files of a run; rejects are deleted first, so that none outlives its retirement."""


def new_run_name(now: float) -> str:
    """Return a unique name that sorts by the run's start, such as ``20260201T093000Z-3f9a17c4``."""
    start, fraction = datetime.fromtimestamp(now, tz=timezone.utc), int(now % 1 * 0x1000)
    return f"{start:%Y%m%dT%H%M%SZ}-{fraction:03x}{secrets.token_hex(3)[1:]}"


@dataclass(frozen=True)
class FiledReject:
    """One reject of a file, with its own line and that of the SCHEMA that holds for it."""

    id: str
    run: str
    source: SourceRecord
    reason: Mapping[str, Any]
    line: bytes
    schema_line: bytes


def list_runs(folder: Path, *suffixes: str) -> list[str]:
    """List the runs that left a file in a folder, of any kind by default, oldest first."""
    names = {
        path.name.removesuffix(suffix)
        for suffix in suffixes or SUFFIXES
        for path in folder.glob(f"*{suffix}")
    }
    return sorted(filter(RUN_NAME.fullmatch, names))


def read_open_rejects(folder: Path, run: str) -> Iterator[FiledReject]:
    """Read the rejects of a run that are not retired, in file order.

    Raises:
        OSError: A file of the run cannot be read.
    """
    retired = {str(message.get("id")) for _, message in read_json_lines(folder / f"{run}{RETIRED}")}
    schemas: dict[str, tuple[Mapping[str, Any], bytes]] = {}
    for line, message in read_json_lines(folder / f"{run}{REJECTS}"):
        stream = str(message.get("stream"))
        reason, record = message.get(REASON_PROPERTY), message.get("record")
        if message.get("type") == "SCHEMA":
            schemas[stream] = message, line
        elif stream in schemas and isinstance(reason, dict) and isinstance(record, dict):
            id_, alias = str(reason.get("id")), str(reason.get("stream", stream))
            schema, schema_line = schemas[stream]
            source = SourceRecord(stream, alias, message, schema, sequence=0)
            if REJECT_ID.fullmatch(id_) and id_ not in retired:
                yield FiledReject(id_, run, source, reason, line, schema_line)
