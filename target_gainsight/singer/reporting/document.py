"""The summary document of a run: what `summary_path` and the history hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import simplejson

from target_gainsight.loading.storage.path_templates import fill_path
from target_gainsight.loading.storage.private_file import replace_private_file
from target_gainsight.settings.model import Connection
from target_gainsight.singer.reporting.run_end import RunEnd

Document: TypeAlias = "dict[str, Any]"

SANDBOX = "sandbox"


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run from its start.

    Attributes:
        run: The run's name.
        started_at: Its start in epoch seconds.
        version: The version of this package.
        tenant: The tenant's host, or `sandbox`; None if the settings do not name one.
        dry_run: Whether nothing is written.
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


def tenant_host(connection: Connection) -> str:
    """Return the tenant's host, or `sandbox` for the embedded one."""
    if connection.sandbox_path is not None:
        return SANDBOX
    return urlsplit(connection.base_url).netloc.rpartition("@")[2].lower()


def to_line(document: Mapping[str, Any]) -> str:
    """Return a document as JSON on one line of ASCII."""
    return str(simplejson.dumps(document, separators=(",", ":"), ignore_nan=True, default=str))


def write_document(path: Path, document: Document) -> None:
    """Write a document as JSON, for its owner only: all of it or nothing.

    Args:
        path: Where to; `{run}` and `{stream}` in it stand for the run's name and its streams.
        document: The document.

    Raises:
        OSError: It cannot be written.
    """
    path = fill_path(path, document["run"], document["streams"])
    path.parent.mkdir(parents=True, exist_ok=True)
    text = simplejson.dumps(document, indent=2, ignore_nan=True, default=str)
    replace_private_file(path, f"{text}\n".encode("ascii"))


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="seconds")
