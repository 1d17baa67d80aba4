"""Posts how a run ended to a webhook, in the form that Slack's incoming webhooks accept.

Slack knows `text` and `attachments`, and refuses a body without them; other top-level keys are not
documented for incoming webhooks. So the summary is text in an attachment. Values of records are
left out: they may be personal data.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import requests

from target_gainsight.mapping.errors import counted
from target_gainsight.settings.model import NotifyOn

logger = logging.getLogger(__name__)

TIMEOUT = (5, 10)
"""Seconds for the connection and for the response: a scheduler may kill the run soon."""

MAX_MESSAGE = 1000
MAX_SUMMARY = 6000
MAX_STREAMS = 20

COLORS = {"success": "good", "failed": "danger", "interrupted": "warning"}
SHOWN = (
    *("run", "status", "exit_code", "error", "started_at", "ended_at", "duration_seconds"),
    *("version", "tenant", "streams", "files"),
)
"""Parts of the summary that are sent."""


def is_due(document: Mapping[str, Any], notify_on: NotifyOn) -> bool:
    """Return whether a run that ended so is to be notified of; a dry run never is."""
    if document["dry_run"]:
        return False
    failed = document["exit_code"] != 0
    return failed or notify_on == "always" or (notify_on == "rejects" and _has_rejects(document))


def _has_rejects(document: Mapping[str, Any]) -> bool:
    """Return whether records were rejected, or rows of a bulk job failed."""
    by_file = (each.get("by_file", {}) for each in document["streams"].values())
    return bool(document["rejects"]) or any(each.get("failed") for each in by_file)


def notify(url: str, document: Mapping[str, Any]) -> None:
    """Post a notification once; a failure is logged without the URL, which is a secret."""
    urllib3 = logging.getLogger("urllib3.connectionpool")  # it logs the URL's path at level debug
    was_disabled, urllib3.disabled = urllib3.disabled, True
    try:
        response = requests.post(
            url,
            json=payload(document),
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
            auth=lambda request: request,  # or requests sends what a .netrc file has for the host
        )
        response.close()
    except (requests.RequestException, OSError, ValueError) as error:
        reason = type(error).__name__
    else:
        if response.ok and not response.is_redirect:
            return
        reason = f"HTTP {response.status_code}"
    finally:
        urllib3.disabled = was_disabled
    logger.warning(
        "the notification could not be sent (%s). Check notify_url; the run is not affected", reason
    )


def payload(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the notification as JSON values."""
    text = _escaped(_text(document))
    has_warning = document["status"] == "success" and _has_rejects(document)
    return {
        "text": text,
        "attachments": [
            {
                "color": "warning" if has_warning else COLORS[document["status"]],
                "fallback": text,
                "text": f"```{_escaped(_summary_text(document))}```",
                "mrkdwn_in": ["text"],
            }
        ],
    }


def _text(document: Mapping[str, Any]) -> str:
    where = f" into {document['tenant']}" if document["tenant"] else ""
    succeeded = "succeeded with rejects" if _has_rejects(document) else "succeeded"
    status = succeeded if document["status"] == "success" else document["status"]
    exit_code = f" (exit code {document['exit_code']})" if document["exit_code"] else ""
    lines = [f"Gainsight load{where}: run {document['run']} {status}{exit_code}"]
    if document["error"]:
        lines.append(document["error"]["message"][:MAX_MESSAGE])
    streams = document["streams"]
    for stream, counts in list(streams.items())[:MAX_STREAMS]:
        numbers = [
            f"{count:,} {name.replace('_', ' ')}"
            for name, count in counts.items()
            if count and isinstance(count, int)
        ]
        lines.append(f"{stream}: {', '.join(numbers)}")
    if len(streams) > MAX_STREAMS:
        lines.append(f"and {counted(len(streams) - MAX_STREAMS, 'more stream')}")
    lines += [f"rejects {code}: {each['count']:,}" for code, each in document["rejects"].items()]
    return "\n".join(lines)


def _summary_text(document: Mapping[str, Any]) -> str:
    """Return the summary as JSON, without what may hold values of records."""
    summary = {name: document[name] for name in SHOWN}
    summary["calls"] = document["calls"]["total"]
    summary["rejects"] = {code: each["count"] for code, each in document["rejects"].items()}
    text = json.dumps(summary, default=str)
    if len(text) > MAX_SUMMARY:
        text = json.dumps({**summary, "streams": None, "error": None}, default=str)
    return text


def _escaped(text: str) -> str:
    """Escape the characters that Slack reads as links and mentions, such as `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
