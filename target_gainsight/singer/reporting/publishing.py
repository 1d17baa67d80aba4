"""Publishes the summary document of a run: its file, its report, the history, a notification."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import simplejson

from target_gainsight.api import Clock
from target_gainsight.loading.rejects.folder import new_run_name
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.loading.storage.private_file import (
    append_lines,
    fill_path,
    replace_private_file,
)
from target_gainsight.loading.storage.source_json import read_json_lines
from target_gainsight.settings.model import SETTINGS, Connection, Output
from target_gainsight.settings.parsing import parse_output
from target_gainsight.singer.reporting.notification import is_due, notify
from target_gainsight.singer.reporting.report_page import render_report
from target_gainsight.singer.reporting.run_end import RunEnd, failed

logger = logging.getLogger(__name__)

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
    facts: RunFacts, end: RunEnd, ended_at: float, summary: Summary
) -> dict[str, Any]:
    """Return the summary document of a run as JSON values."""
    return {
        "run": facts.run,
        **asdict(end),
        "started_at": _timestamp(facts.started_at),
        "ended_at": _timestamp(ended_at),
        "duration_seconds": round(ended_at - facts.started_at, 1),
        "version": facts.version,
        "tenant": facts.tenant,
        "dry_run": facts.dry_run,
        **summary.to_json(),
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="seconds")


def tenant_host(connection: Connection) -> str:
    """Return the tenant's host, or `sandbox` for the embedded one."""
    if connection.sandbox_path is not None:
        return "sandbox"
    return urlsplit(connection.base_url).netloc.rpartition("@")[2].lower()


def publish(document: dict[str, Any], output: Output) -> int:
    """Write summary, report and history, and send the notification.

    A dry run has no history and no notification. A summary that was asked for and cannot be
    written fails the run; nothing else here does.

    Returns:
        The run's exit code.
    """
    if output.summary_path is not None:
        text = simplejson.dumps(document, indent=2, ignore_nan=True, default=str)
        try:
            _write_file(output.summary_path, document, f"{text}\n")
        except OSError as error:
            logger.error(  # noqa: TRY400 - the message is complete
                "the summary cannot be written: %s. Set summary_path to a file that may be written",
                error,
            )
            if document["exit_code"] == 0:
                document = {**document, **asdict(failed(error))}
    if output.report_path is not None:
        with _warning(
            "the report cannot be written: %s. Set report_path to a file that may be written"
        ):
            write_report(output.report_path, document)
    if not document["dry_run"]:
        with _warning(
            "the run is missing from the history: %s. Set rejects_path to a folder that may be "
            "written to"
        ):
            append_to_history(output.rejects_path, document)
    if output.notify_url and is_due(document, output.notify_on):
        notify(output.notify_url, document)
    return int(document["exit_code"])


@contextmanager
def _warning(message: str) -> Iterator[None]:
    """Log a file that cannot be written."""
    try:
        yield
    except OSError as error:
        logger.warning(message, error)


def publish_failed_start(raw: Mapping[str, Any], error: Exception, version: str) -> None:
    """Publish a run that did not start, as far as its raw settings can be read."""
    now = Clock().now()
    run = new_run_name(now)
    dry_run = SETTINGS["dry_run"].read(raw.get("dry_run")) is True
    facts = RunFacts(run, now, version, tenant=None, dry_run=dry_run)
    publish(make_document(facts, failed(error), now, Summary(run)), parse_output(raw))


def write_report(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document as an HTML page to a path, which may have placeholders.

    Raises:
        OSError: It cannot be written.
    """
    _write_file(path, document, render_report(document))


def _write_file(path: Path, document: Mapping[str, Any], text: str) -> None:
    """Write a file for its owner only: all of it or nothing.

    `{run}` and `{stream}` in its path stand for the run's name and its streams.
    """
    path = fill_path(path, document["run"], document.get("streams") or ())
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_private_file(path, text.encode("utf-8", "backslashreplace"))


def append_to_history(folder: Path, document: Mapping[str, Any]) -> None:
    """Append a run to the history; runs that end at the same time do not mix their lines.

    Raises:
        OSError: The line cannot be written.
    """
    line = simplejson.dumps(document, separators=(",", ":"), ignore_nan=True, default=str)
    append_lines(folder / HISTORY, [line])


def read_history(folder: Path) -> Iterator[dict[str, Any]]:
    """Read the documents of all runs, oldest first; lines that are not whole are left out.

    Raises:
        OSError: The history cannot be read; that there is none is no error.
    """
    for _, document in read_json_lines(folder / HISTORY):
        if "run" in document:
            yield document
