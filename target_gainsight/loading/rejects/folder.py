"""Reads the folder of reject files: its runs, and their open rejects.

A reject is open until a line of its run's ``.retired`` file names it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from target_gainsight.loading.storage.source_json import read_json_lines

REASON_PROPERTY = "gainsight_reject"
"""The property of a rejected RECORD message that holds the reason."""

RUN_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,8}")

REJECTS, RETIRED, CREATED, REPORT = ".singer", ".retired", ".created.csv", ".html"
DELETED = ".deleted.singer"
"""The suffix of a run's deleted rows, which are no rejects and are never cleared with them."""

SUFFIXES = (REJECTS, RETIRED, CREATED, REPORT)
"""The files of a run; rejects are deleted first, so that none outlives its retirement."""


@dataclass(frozen=True, order=True)
class RejectId:
    """The run that rejected a record, and the reject's number in that run, from 1."""

    run: str
    number: int

    def __str__(self) -> str:
        return f"{self.run}-{self.number}"

    @classmethod
    def parse(cls, text: object) -> RejectId | None:
        """Parse an id such as ``20260201T093000Z-3f9a-17``; return None for anything else."""
        run, _, number = str(text).rpartition("-")
        if not RUN_NAME.fullmatch(run) or not re.fullmatch(r"[0-9]{1,12}", number):
            return None
        return cls(run, int(number))


def new_run_name(now: float) -> str:
    """Return a unique name that sorts by the run's start, such as ``20260201T093000Z-3f9a17c4``."""
    start = datetime.fromtimestamp(now, tz=timezone.utc)
    return f"{start:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class FiledReject:
    """One reject of a file: its RECORD message and the SCHEMA message that holds for it."""

    id: RejectId
    message: Mapping[str, Any]
    reason: Mapping[str, Any]
    schema: Mapping[str, Any]
    schema_line: bytes
    line: bytes

    @property
    def stream(self) -> str:
        """The stream's name as it comes out of the stream maps."""
        return str(self.reason.get("stream", self.message["stream"]))

    @property
    def key(self) -> dict[str, Any]:
        """Its key properties."""
        names = self.schema.get("key_properties") or ()
        return {name: self.message["record"].get(name) for name in names}


class RejectFolder:
    """The reject files of all runs, in a folder that need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def runs(self) -> list[str]:
        """List the runs that left a file, oldest first."""
        if not self.path.is_dir():
            return []
        names = {
            entry.name.removesuffix(suffix)
            for entry in self.path.iterdir()
            for suffix in SUFFIXES
            if entry.name.endswith(suffix)
        }

        def age(run: str) -> tuple[str, float]:
            """Return the second of a run's start, and when its file was written."""
            try:
                return run.partition("-")[0], self.file(run).stat().st_mtime
            except FileNotFoundError:
                return run.partition("-")[0], 0

        return sorted(filter(RUN_NAME.fullmatch, names), key=age)

    def file(self, run: str, suffix: str = REJECTS) -> Path:
        """Return the path of one of a run's files, which need not exist.

        Raises:
            ValueError: That is no run's name, such as one that leads out of the folder.
        """
        if not RUN_NAME.fullmatch(run):
            raise ValueError(run)
        return self.path / f"{run}{suffix}"

    def open(self, run: str) -> Iterator[FiledReject]:
        """Read the rejects of a run that are not retired, in file order.

        Raises:
            OSError: A file of the run cannot be read.
        """
        retirements = read_json_lines(self.file(run, RETIRED))
        retired = {RejectId.parse(message.get("id")) for _, message in retirements}
        schemas: dict[str, tuple[Mapping[str, Any], bytes]] = {}
        for line, message in read_json_lines(self.file(run)):
            stream = message.get("stream")
            if message.get("type") == "SCHEMA" and isinstance(stream, str):
                schemas[stream] = (message, line)
            elif message.get("type") == "RECORD" and stream in schemas:
                reason, record = message.get(REASON_PROPERTY), message.get("record")
                if not isinstance(reason, dict) or not isinstance(record, dict):
                    continue
                id_ = RejectId.parse(reason.get("id"))
                if id_ is not None and RejectId(run, id_.number) not in retired:
                    yield FiledReject(id_, message, reason, *schemas[stream], line)
