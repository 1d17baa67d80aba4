"""Publishes the summary document of a run: its file, its report, the history, a notification.

The notification has the form that Slack's incoming webhooks accept. Slack knows `text` and
`attachments`, and refuses a body without them; other top-level keys are not documented for incoming
webhooks. So the summary is text in an attachment. Values of records are left out: they may be
personal data.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import requests
import simplejson

from target_gainsight.api import Clock
from target_gainsight.loading.rejects.folder import new_run_name
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.loading.storage import private_file
from target_gainsight.loading.storage.source_json import read_json_lines
from target_gainsight.settings.model import SETTINGS, NotifyOn, Output
from target_gainsight.settings.parsing import parse_output
from target_gainsight.singer.reporting.report_page import render_report
from target_gainsight.singer.reporting.run_end import RunEnd, failed_run

logger = logging.getLogger(__name__)

HISTORY = "history.jsonl"

TIMEOUT = (5, 10)
"""Seconds for the connection and for the response: a scheduler may kill the run soon."""

MAX_TEXT = 3000
MAX_SUMMARY = 6000

COLORS = {"success": "good", "failed": "danger", "interrupted": "warning"}

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
    if output.notify_url and _should_notify(document, output.notify_on):
        _notify(output.notify_url, document)
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


def _should_notify(document: Mapping[str, Any], notify_on: NotifyOn) -> bool:
    """Return whether to post a notification of a run; never of a dry run."""
    if document["dry_run"]:
        return False
    failed = document["exit_code"] != 0
    return failed or notify_on == "always" or (notify_on == "rejects" and _has_rejects(document))


def _has_rejects(document: Mapping[str, Any]) -> bool:
    """Return whether records were rejected, or rows of a bulk job failed."""
    by_file = (each.get("by_file", {}) for each in document["streams"].values())
    return bool(document["rejects"]) or any(each.get("failed") for each in by_file)


def _notify(url: str, document: Mapping[str, Any]) -> None:
    """Post a notification once; a failure is logged without the URL, which is a secret."""
    urllib3 = logging.getLogger("urllib3.connectionpool")  # it logs the URL's path at level debug
    was_disabled, urllib3.disabled = urllib3.disabled, True
    try:
        response = requests.post(
            url,
            json=_notification_body(document),
            timeout=TIMEOUT,
            allow_redirects=False,
            auth=lambda request: request,  # or requests sends what a .netrc file has for the host
        )
        failure = "" if response.ok and not response.is_redirect else f"HTTP {response.status_code}"
    except (requests.RequestException, OSError, ValueError) as error:
        failure = type(error).__name__
    finally:
        urllib3.disabled = was_disabled
    if failure:
        message = (
            "the notification could not be sent (%s). Check notify_url; the run is not affected"
        )
        logger.warning(message, failure)


def _notification_body(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body; what Slack would read as mentions, such as `<!channel>`, is escaped."""
    status, color = document["status"], COLORS[document["status"]]
    if status == "success":
        status = "succeeded"
        if _has_rejects(document):
            status, color = "succeeded with rejects", "warning"
    text = escape("\n".join(_notification_lines(document, status))[:MAX_TEXT], quote=False)
    rejects = {code: each["count"] for code, each in document["rejects"].items()}
    summary = {**document, "calls": document["calls"]["total"], "rejects": rejects}
    shown = json.dumps(summary, default=str)
    if len(shown) > MAX_SUMMARY:
        shown = json.dumps({**summary, "streams": None, "error": None}, default=str)
    shown = f"```{escape(shown, quote=False)}```"
    attachment = {"color": color, "fallback": text, "text": shown, "mrkdwn_in": ["text"]}
    return {"text": text, "attachments": [attachment]}


def _notification_lines(document: Mapping[str, Any], status: str) -> Iterator[str]:
    where = f" into {document['tenant']}" if document["tenant"] else ""
    exit_code = f" (exit code {document['exit_code']})" if document["exit_code"] else ""
    yield f"Gainsight load{where}: run {document['run']} {status}{exit_code}"
    if document["error"]:
        yield document["error"]["message"]
    for stream, counts in document["streams"].items():
        numbers = [
            f"{count:,} {name.replace('_', ' ')}"
            for name, count in counts.items()
            if count and isinstance(count, int)
        ]
        yield f"{stream}: {', '.join(numbers)}"
    yield from (f"rejects {code}: {each['count']:,}" for code, each in document["rejects"].items())
