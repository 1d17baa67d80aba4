"""Posts how a run ended to a webhook, in the form that Slack's incoming webhooks accept.

Slack knows `text` and `attachments`, and refuses a body without them; other top-level keys are not
documented for incoming webhooks. So the summary is text in an attachment. Values of records are
left out: they may be personal data.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import requests

from target_gainsight.settings.model import NotifyOn

logger = logging.getLogger(__name__)

TIMEOUT = (5, 10)
"""Seconds for the connection and for the response: a scheduler may kill the run soon."""

MAX_TEXT = 3000
MAX_SUMMARY = 6000

COLORS = {"success": "good", "failed": "danger", "interrupted": "warning"}


def should_notify(document: Mapping[str, Any], notify_on: NotifyOn) -> bool:
    """Return whether to post a notification of a run; never of a dry run."""
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
            json=_payload(document),
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


def _payload(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body; what Slack would read as mentions, such as `<!channel>`, is escaped."""
    status, color = document["status"], COLORS[document["status"]]
    if status == "success":
        status = "succeeded"
        if _has_rejects(document):
            status, color = "succeeded with rejects", "warning"
    text = escape("\n".join(_lines(document, status))[:MAX_TEXT], quote=False)
    rejects = {code: each["count"] for code, each in document["rejects"].items()}
    summary = {**document, "calls": document["calls"]["total"], "rejects": rejects}
    shown = json.dumps(summary, default=str)
    if len(shown) > MAX_SUMMARY:
        shown = json.dumps({**summary, "streams": None, "error": None}, default=str)
    shown = f"```{escape(shown, quote=False)}```"
    attachment = {"color": color, "fallback": text, "text": shown, "mrkdwn_in": ["text"]}
    return {"text": text, "attachments": [attachment]}


def _lines(document: Mapping[str, Any], status: str) -> Iterator[str]:
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
