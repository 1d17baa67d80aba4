"""Reports a run that has ended in the log: a table, metrics, and what was rejected."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_gainsight.loading.outcomes import Outcome, RunStoppedError

if TYPE_CHECKING:
    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.settling.summary import Summary
    from target_gainsight.singer.reporting.call_metrics import CallCounter

logger = logging.getLogger(__name__)


def report(
    summary: Summary,
    ledger: Ledger,
    calls: CallCounter,
    *,
    metrics_logger: logging.Logger,
    dry_run: bool = False,
) -> None:
    """Log the counts of a run that has ended."""
    for name, file in (("rejects", ledger.rejects), ("created", ledger.created)):
        if file.exists:
            summary.files[name] = file.path
    calls.write_metrics(metrics_logger)
    if not dry_run:
        # The log filter escapes line ends in texts, but not those of an object.
        logger.info("run %s\n%s", summary.run, summary)


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
        suggestion = "See the reasons with gainsight rejects list, fix the cause, and run again."
        raise RunStoppedError(message, code="all_rejected", suggestion=suggestion)
    if rejected and not dry_run:
        logger.warning(
            "%s rejected and kept in %s",
            "1 record was" if rejected == 1 else f"{rejected:,} records were",
            ledger.rejects.path,
        )
