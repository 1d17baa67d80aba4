"""The summary document of a run, and the history, which has the documents of all runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import simplejson

from target_gainsight.loading.storage.path_templates import fill_path
from target_gainsight.loading.storage.private_file import append_lines, replace_private_file
from target_gainsight.loading.storage.source_json import read_json_lines
from target_gainsight.settings.model import Connection
from target_gainsight.singer.reporting.run_end import RunEnd

Document: TypeAlias = "dict[str, Any]"

HISTORY = "history.jsonl"


@dataclass(frozen=True)
class RunFacts:
    """The facts about a run that are known from its start.

    Attributes:
        started_at: In epoch seconds.
        version: The version of this package.
        tenant: The tenant's host, or `sandbox`; None if the settings do not name one.
    """

    run: str
    started_at: float
    version: str
    tenant: str | None
    dry_run: bool


def make_document(
    facts: RunFacts, end: RunEnd, ended_at: float, counts: Mapping[str, Any]
) -> Document:
    """Return the summary document of a run as JSON values."""
    return {
        "run": facts.run,
        **end.to_json(),
        "started_at": _timestamp(facts.started_at),
        "ended_at": _timestamp(ended_at),
        "duration_seconds": round(ended_at - facts.started_at, 1),
        "version": facts.version,
        "tenant": facts.tenant,
        "dry_run": facts.dry_run,
        **counts,
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="seconds")


def tenant_host(connection: Connection) -> str:
    """Return the tenant's host, or `sandbox` for the embedded one."""
    if connection.sandbox_path is not None:
        return "sandbox"
    return urlsplit(connection.base_url).netloc.rpartition("@")[2].lower()


def write_document(path: Path, document: Document) -> None:
    """Write a document as JSON.

    Raises:
        OSError: It cannot be written.
    """
    text = simplejson.dumps(document, indent=2, ignore_nan=True, default=str)
    write_run_file(path, document, f"{text}\n".encode("ascii"))


def write_run_file(path: Path, document: Document, content: bytes) -> None:
    """Write a file about a run, for its owner only: all of it or nothing.

    Args:
        path: Where to; `{run}` and `{stream}` in it stand for the run's name and its streams.
        document: The run's summary document.
        content: What to write.

    Raises:
        OSError: It cannot be written.
    """
    path = fill_path(path, document["run"], document.get("streams") or ())
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_private_file(path, content)


def append_to_history(folder: Path, document: Document) -> None:
    """Append a run to the history; runs that end at the same time do not mix their lines.

    Raises:
        OSError: The line cannot be written.
    """
    line = simplejson.dumps(document, separators=(",", ":"), ignore_nan=True, default=str)
    append_lines(folder / HISTORY, [line])


def read_history(folder: Path) -> Iterator[Document]:
    """Read the documents of all runs, oldest first; lines that are not whole are left out.

    Raises:
        OSError: The history cannot be read; that there is none is no error.
    """
    for _, document in read_json_lines(folder / HISTORY):
        if "run" in document:
            yield document
