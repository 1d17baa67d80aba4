"""The folder of reject files as it is read: which runs it holds, and which rejects are open.

A reject is open until a line of its run's ``.retired`` file names it. Half a line, as a file has
it that is still being written, is no line. Writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY, RUN_NAME, RejectId
from target_gainsight.loading.storage.source_json import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REJECTS, RETIRED, CREATED = ".singer", ".retired", ".created.csv"
SUFFIXES = (REJECTS, RETIRED, CREATED)
"""What belongs to a run; the rejects come first, so that no reject outlives its retirement."""


@dataclass(frozen=True)
class FiledReject:
    """One reject as its file holds it.

    Attributes:
        id: What names it.
        message: The RECORD message.
        schema: The SCHEMA message that holds for it.
        line: The RECORD message as it is written.
        schema_line: The SCHEMA message as it is written.
    """

    id: RejectId
    message: Mapping[str, Any]
    schema: Mapping[str, Any]
    line: bytes
    schema_line: bytes

    @property
    def reason(self) -> Mapping[str, Any]:
        """Why it was rejected."""
        reason: Mapping[str, Any] = self.message[REASON_PROPERTY]
        return reason

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
    """The reject files of all runs.

    Args:
        path: The folder; it need not exist.
    """

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
        return sorted(filter(RUN_NAME.fullmatch, names), key=self._age)

    def _age(self, run: str) -> tuple[str, float]:
        """The second of a run's start; of two in one second the file that was written first."""
        try:
            return run.partition("-")[0], self.file(run).stat().st_mtime
        except FileNotFoundError:
            return run.partition("-")[0], 0

    def file(self, run: str, suffix: str = REJECTS) -> Path:
        """Return where a run's file is, or would be.

        Raises:
            ValueError: That is no run's name, such as one that leads out of the folder.
        """
        if not RUN_NAME.fullmatch(run):
            raise ValueError(run)
        return self.path / f"{run}{suffix}"

    def filed(self, run: str) -> Iterator[FiledReject]:
        """Read all rejects of a run, in file order.

        Raises:
            OSError: Its file cannot be read.
        """
        schemas: dict[str, tuple[Mapping[str, Any], bytes]] = {}
        for line, message in _messages(self.file(run)):
            stream = message.get("stream")
            if message.get("type") == "SCHEMA" and isinstance(stream, str):
                schemas[stream] = (message, line)
            elif message.get("type") == "RECORD" and stream in schemas:
                reason = message.get(REASON_PROPERTY)
                id_ = RejectId.parse(reason.get("id")) if isinstance(reason, dict) else None
                if id_ is not None and isinstance(message.get("record"), dict):
                    yield FiledReject(id_, message, schemas[stream][0], line, schemas[stream][1])

    def open(self, run: str) -> Iterator[FiledReject]:
        """Read the rejects of a run that nothing has retired, in file order.

        Raises:
            OSError: Its file cannot be read.
        """
        retired = self.retired(run)
        return (reject for reject in self.filed(run) if reject.id.number not in retired)

    def retired(self, run: str) -> set[int]:
        """Read the numbers of a run's retired rejects.

        Raises:
            OSError: The file cannot be read.
        """
        ids = (RejectId.parse(line.get("id")) for _, line in _messages(self.file(run, RETIRED)))
        return {id_.number for id_ in ids if id_ is not None and id_.run == run}


def _messages(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Read the whole lines of a file that are JSON objects; no file has none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                message = read_json(line) if line.endswith(b"\n") else None
            except (RecursionError, ValueError):
                continue
            if isinstance(message, dict):
                yield line, message
