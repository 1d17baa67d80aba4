"""Publishes the summary document of a run: its file, its report, the history, a notification."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import simplejson

from target_gainsight.api import Clock
from target_gainsight.loading.settling.reject_file import new_run_name
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.loading.storage import private_file
from target_gainsight.loading.storage.source_json import read_json_lines
from target_gainsight.settings.model import SETTINGS, Output
from target_gainsight.settings.parsing import parse_output
from target_gainsight.singer.reporting.notification import notify, should_notify
from target_gainsight.singer.reporting.report_page import render_report
from target_gainsight.singer.reporting.run_end import RunEnd, failed_run

logger = logging.getLogger(__name__)

HISTORY = "history.jsonl"

_dump = partial(simplejson.dumps, ignore_nan=True, default=str)


def publish(summary: Summary, end: RunEnd, now: float, output: Output) -> int:
    """Write summary, report and history, send the notification, and return the exit code.

    A summary that was asked for and cannot be written fails the run; nothing else here does.
    """
    document = summary.document(asdict(end), now)
    history = None if document["dry_run"] else output.rejects_path
    for what, setting, path, write in (
        ("summary", "summary_path", output.summary_path, partial(write_document, _to_json)),
        ("report", "report_path", output.report_path, partial(write_document, render_report)),
        ("history", "rejects_path", history, append_to_history),
    ):
        try:
            if path is not None:
                write(path, document)
        except OSError as error:
            message = "the %s cannot be written: %s. Set %s to a path that can be written to"
            level = logging.ERROR if what == "summary" else logging.WARNING
            logger.log(level, message, what, error, setting)
            if what == "summary" and document["exit_code"] == 0:
                document = {**document, **asdict(failed_run(error))}
    if output.notify_url and should_notify(document, output.notify_on):
        notify(output.notify_url, document)
    return int(document["exit_code"])


def publish_failed_start(raw: Mapping[str, Any], error: Exception, version: str) -> None:
    """Publish a run that did not start, as far as its raw settings can be read."""
    now = Clock().now()
    dry_run = SETTINGS["dry_run"].read(raw.get("dry_run")) is True
    summary = Summary(new_run_name(now), now, version, dry_run=dry_run)
    publish(summary, failed_run(error), now, parse_output(raw))


def write_document(
    render: Callable[[Mapping[str, Any]], str], path: Path, document: Mapping[str, Any]
) -> None:
    """Write a document to a path, which may have placeholders, or be a link, pipe or device."""
    path = private_file.fill_path(path, document["run"], document.get("streams") or ())
    content = render(document).encode("utf-8", "backslashreplace")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (path.is_symlink() or not path.is_file()):
        path.write_bytes(content)  # such as /dev/stderr, which nothing may replace
    else:
        private_file.replace_private_file(path, content)


def _to_json(document: Mapping[str, Any]) -> str:
    return f"{_dump(document, indent=2)}\n"


def append_to_history(folder: Path, document: Mapping[str, Any]) -> None:
    """Append a run to the history; runs that end at the same time do not mix their lines."""
    private_file.append_lines(folder / HISTORY, [_dump(document, separators=(",", ":"))])


def read_history(folder: Path) -> Iterator[dict[str, Any]]:
    """Read the documents of all runs, oldest first; lines that are not whole are left out."""
    return (each for _, each in read_json_lines(folder / HISTORY) if "run" in each)
