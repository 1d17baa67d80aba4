"""Reports a run that has ended: a table in the log, metrics, and JSON."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.outcomes import Outcome, RunStoppedError

if TYPE_CHECKING:
    from pathlib import Path

    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.settling.summary import Summary
    from target_gainsight.singer.call_metrics import CallCounter

logger = logging.getLogger(__name__)

OWNER_ONLY = 0o600


def report(
    summary: Summary,
    ledger: Ledger,
    calls: CallCounter,
    *,
    metrics_logger: logging.Logger,
    summary_path: Path | None,
    dry_run: bool = False,
) -> None:
    """Report the counts of a run that has ended.

    Raises:
        OSError: The summary cannot be written.
    """
    for name, file in (("rejects", ledger.rejects), ("created", ledger.created)):
        if file.exists:
            summary.files[name] = file.path
    calls.write_metrics(metrics_logger)
    if not dry_run:
        # The log filter escapes line ends in texts, but not those of an object.
        logger.info("run %s\n%s", summary.run, summary)
    if summary_path:
        _write_json(summary_path, {"dry_run": dry_run, **summary.to_json()})


def log_reject_summary(summary: Summary, ledger: Ledger, *, dry_run: bool) -> None:
    """Log how many records were rejected and where they are.

    Raises:
        RunStoppedError: Every record was rejected.
    """
    rejected = summary.total(Outcome.REJECTED)
    if rejected and rejected == summary.read:
        where = "the plan" if dry_run else ledger.rejects.path
        if rejected == 1:
            verb = "would be" if dry_run else "was"
            message = f"the only record {verb} rejected; the reason is in {where}"
        else:
            verb = "would be" if dry_run else "were"
            message = f"all {rejected} records {verb} rejected; the reasons are in {where}"
        raise RunStoppedError(message)
    if rejected and not dry_run:
        logger.warning(
            "%s rejected and kept in %s",
            "1 record was" if rejected == 1 else f"{rejected:,} records were",
            ledger.rejects.path,
        )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file for its owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, default=str)
    beside.replace(path)
