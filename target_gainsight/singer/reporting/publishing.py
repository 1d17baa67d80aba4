"""Publishes the summary document of a run: to its file, as a report, and to the history."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from target_gainsight.api import Clock
from target_gainsight.loading.rejects.reject_id import new_run_name
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.settings.model import Output
from target_gainsight.settings.parsing import parse_output
from target_gainsight.settings.table import SETTINGS
from target_gainsight.singer.reporting import run_end
from target_gainsight.singer.reporting.document import (
    Document,
    RunFacts,
    append_to_history,
    make_document,
    write_document,
)
from target_gainsight.singer.reporting.notification import is_due, notify
from target_gainsight.singer.reporting.report_page import write_report

logger = logging.getLogger(__name__)


def publish(document: Document, output: Output) -> int:
    """Write summary, report and history, and send the notification.

    A dry run has no history and no notification. A summary that was asked for and cannot be
    written fails the run; nothing else here does.

    Returns:
        The run's exit code.
    """
    if output.summary_path is not None:
        try:
            write_document(output.summary_path, document)
        except OSError as error:
            logger.error(  # noqa: TRY400 - the message is complete
                "the summary cannot be written: %s. Set summary_path to a file that may be written",
                error,
            )
            if document["exit_code"] == 0:
                document = {**document, **run_end.failed(error).to_json()}
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
    """Publish a run that did not start, as far as its settings can be read.

    Args:
        raw: The settings as they were given.
        error: Why it did not start.
        version: The version of this package.
    """
    now = Clock().now()
    run = new_run_name(now)
    dry_run = SETTINGS["dry_run"].read(raw.get("dry_run")) is True
    facts = RunFacts(run, now, version, tenant=None, dry_run=dry_run)
    document = make_document(facts, run_end.failed(error), now, Summary(run).to_json())
    publish(document, parse_output(raw))
